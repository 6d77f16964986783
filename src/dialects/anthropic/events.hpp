// What an event of a stream holds, looked up without an index.
#pragma once

#include <sluice/conversation.hpp>

#include <string>
#include <string_view>

namespace sluice::chat::anthropic {

// One event, cut into what any of them may have. Empty: absent.
struct event_members {
    json type, index, block, delta, message, usage, error;
};
event_members members_of(json event);

// The last member of that name, or empty. string_member() takes nothing but strings.
json member(json object, std::string_view name);
json string_member(json object, std::string_view name);

// The same object with another value of one member, which is added where it was not.
std::string with_member(json object, std::string_view name, json value);

}  // namespace sluice::chat::anthropic
