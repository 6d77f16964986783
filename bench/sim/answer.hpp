#pragma once
// What the model says to an ask, before it takes a wire shape. Pure: equal asks give equal answers.

#include <cstdint>
#include <string>
#include <vector>

#include "sim/ask.hpp"
#include "sim/engine.hpp"
#include "sim/text.hpp"

namespace sluice::sim {

struct tool_call {
    std::string id;
    std::string name;
    token_text arguments;  // JSON, in the fragments in which it streams
};

struct spoken_choice {
    token_text text;
    std::vector<tool_call> calls;
    bool cut = false;        // ended by the limit of tokens
    std::string stopped_by;  // the stop sequence that ended it, if one did
    std::size_t tokens() const;
};

struct answer {
    std::string id;  // without the shape's prefix
    std::int64_t created = 0;
    std::string model;
    shape as = shape::chat;
    std::vector<spoken_choice> choices;
    std::size_t prompt_tokens = 0;
    std::size_t cached_tokens = 0;  // set when the engine has told
    bool include_usage = false;     // a streamed chat ends with a usage chunk
    bool no_usage = false;          // fault: usage is left out everywhere
    bool no_done = false;           // fault: no "[DONE]"
    bool logprobs = false;

    std::size_t completion_tokens() const;
    // Tokens of the longest choice: how long the engine works.
    std::size_t longest() const;
};

// What a test or bench prescribes in place of the model's own words.
struct script {
    std::string text;                         // says exactly this
    std::optional<std::size_t> tokens;        // says so many tokens
    std::size_t events = 0, event_bytes = 0;  // a paced stream: so many events of about so many bytes
};

// `serial` makes the id; `created` is Unix time.
answer compose(const ask& a, const script& s, std::uint64_t serial, std::int64_t created);

// The scheduler's view of it.
sequence_spec sequence_for(const ask& a, const answer& reply, const engine_profile& profile, std::string lora);

}  // namespace sluice::sim
