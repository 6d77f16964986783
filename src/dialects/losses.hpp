// What of a request the target's dialect has no place for.
//
// Fields are named as OpenAI's chat completions name them, whatever the client speaks: "messages[2].content[0]", "n";
// fields that only the client's dialect knows by the client's name.
#pragma once

#include <sluice/conversation.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::chat {

class losses {
public:
    // `target` names the upstream in messages: "claude-sonnet-4 (anthropic.messages)". With `drop` nothing is refused.
    losses(std::string_view target, bool drop) : target_(target), drop_(drop) {}

    // Something the answer's meaning does not hang on (a user's id, a cache marker), or a field that nobody knows:
    // left out, and told to the client in x-sluice-dropped.
    void hint(std::string field);
    // Something the client relies on. Error: bad_request naming field and target, unless losses are allowed: then it
    // is as a hint. `what` completes "... cannot take ___".
    result<void> feature(std::string field, std::string_view what);
    // Every extra field of a list as a hint; `where` is put before the name ("messages[1].").
    void hints(const extra_fields& fields, std::string_view where = {});

    // In order, each once; at most 64.
    const std::vector<std::string>& dropped() const { return dropped_; }

private:
    std::string target_;
    bool drop_;
    std::vector<std::string> dropped_;
};

// "messages[3]" and "messages[3].content[1]".
std::string place_of(std::size_t message);
std::string place_of(std::size_t message, std::size_t part);

}  // namespace sluice::chat
