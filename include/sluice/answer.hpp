// What a model answers, whole or as a stream, as every dialect can say it.
#pragma once

#include <sluice/conversation.hpp>
#include <sluice/usage.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::chat {

enum class finish_reason : std::uint8_t {
    none,            // not said
    stop,            // the model was done
    stop_sequence,   // one of the client's stop texts
    length,          // tokens_max
    context_window,  // the window is full
    tool_calls,
    content_filter,  // the provider held something back
    refusal,         // the model refused
    pause,           // a long turn of the provider's own tools: send it back to go on (Anthropic)
    malformed_call,  // the model wrote a call that cannot be read (Gemini)
    other,
};

struct choice {
    std::int64_t index = 0;
    std::vector<part> content;
    finish_reason finish = finish_reason::none;
    json stop_sequence;  // string: the one that was met
    json logprobs;       // object in OpenAI's chat form
};

struct answer {
    json id;                   // string
    json model;                // string: as the upstream calls it
    std::int64_t created = 0;  // seconds since 1970; 0: not said
    std::vector<choice> choices;
    token_usage usage;
    json service_tier;        // string
    json system_fingerprint;  // string
    extra_fields extras;

    text_arena arena;
};

// One step of a streamed answer. Of all parts of a choice the steps come in the order
//   start (part_start delta* part_end)* finish usage? end
// where parts may overlap (calls that are made side by side), each with its own number. `usage` may also come
// earlier, and more than once: the last one holds. Views are valid until the reader is fed again.
struct stream_step {
    enum class kind : std::uint8_t {
        start,       // id, model, created; usage of the prompt, where it is known by then
        part_start,  // part, type; of a call: id, name; of what is complete at once: `whole`
        delta,       // part, text: more of it. Of a call: of the string that holds the arguments.
        part_end,    // part; of reasoning and calls: signature; of text: citations
        finish,      // why, stop_sequence
        usage,       // usage
        failure,     // text: the message; name: the provider's type or code. Nothing follows.
        ping,        // a sign of life
        end,         // the stream is whole
    };
    enum class part_type : std::uint8_t { text, reasoning, refusal, tool_call, custom_call, whole };

    kind what = kind::ping;
    std::int32_t choice = 0;
    std::int32_t part = 0;  // counts from 0 within the choice, in the order of part_start
    part_type type = part_type::text;
    bool summary = false;             // reasoning: a summary
    json id, name;                    // strings. start: id and model. part_start of a call: its id and the tool's name
    json text;                        // string: a piece of text, to be appended behind the pieces before
    json logprobs;                    // delta of text: object in OpenAI's chat form
    json_chars signature, encrypted;  // part_end
    json citations;                   // part_end of text: array in the form of `from`
    family from;                      // of signature, encrypted and citations
    finish_reason why = finish_reason::none;
    json stop_sequence;  // string
    std::int64_t created = 0;
    const chat::part* whole = nullptr;  // part_start of type `whole`: a part that comes in one piece (image, native)
    token_usage usage;
};

}  // namespace sluice::chat
