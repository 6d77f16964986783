#include "dialects/anthropic/events.hpp"

#include "dialects/values.hpp"

namespace sluice::chat::anthropic {

event_members members_of(json event) {
    event_members m;
    each_member(event, [&](std::string_view key, const json_value& value) {
        if (key == "type") {
            m.type = value.raw;
        } else if (key == "index") {
            m.index = value.raw;
        } else if (key == "delta") {
            m.delta = value.raw;
        } else if (key == "content_block") {
            m.block = value.raw;
        } else if (key == "message") {
            m.message = value.raw;
        } else if (key == "usage") {
            m.usage = value.raw;
        } else if (key == "error") {
            m.error = value.raw;
        }
    });
    return m;
}

json member(json object, std::string_view name) {
    json found;
    each_member(object, [&](std::string_view key, const json_value& value) {
        if (key == name) found = value.raw;
    });
    return found;
}

json string_member(json object, std::string_view name) {
    const json value = member(object, name);
    return is_string(value) ? value : json{};
}

std::string with_member(json object, std::string_view name, json value) {
    std::string text = "{";
    const auto put = [&](std::string_view key, json what) {
        if (text.size() > 1) text += ',';
        text.append(1, '"').append(key).append("\":").append(what);
    };
    each_member(object, [&](std::string_view key, const json_value& v) {
        if (key != name) put(key, v.raw);
    });
    put(name, value);
    return text += '}';
}

}  // namespace sluice::chat::anthropic
