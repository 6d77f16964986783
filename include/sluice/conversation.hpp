// A conversation as every dialect can say it: what a client asks a model.
//
// A dialect reads its wire format into this and writes its wire format from it, so that N dialects are N adapters.
// Values stay the JSON texts they came as: a string that passes from one dialect to another is copied with its quotes
// and escapes, never decoded. That is both what keeps it unchanged to the byte and what makes translation cheap.
#pragma once

#include <sluice/result.hpp>

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sluice::chat {

// One valid JSON value as text: strings with their quotes. Empty: absent. A view of the request it was read from or of
// the conversation's text_arena, and valid as long as they are.
using json = std::string_view;
// What stands between the quotes of a JSON string, escapes and all.
using json_chars = std::string_view;

// Texts that stand in no source: made while translating. Views of them stay valid while the arena lives or is moved.
class text_arena {
public:
    std::string_view keep(std::string text) { return kept_.emplace_back(std::move(text)); }

private:
    std::deque<std::string> kept_;
};

// A member that the reading dialect has no name for. The key is as written, without its quotes.
struct extra_field {
    std::string_view key;
    json value;
    bool operator==(const extra_field&) const = default;
};
using extra_fields = std::vector<extra_field>;

// Who made a signature, an encrypted reasoning or a provider-native item, and alone can read it: "anthropic",
// "openai", "gemini", "cohere". Bedrock's Claude is "anthropic".
using family = std::string_view;

// --- parts of a message ----------------------------------------------------------------------------------------

struct text_part {
    json text;       // string
    json citations;  // array in the form of `from`: annotations or citations of an answer
    family from;     // of the citations
    bool operator==(const text_part&) const = default;
};

enum class media_kind : std::uint8_t { image, audio, document, video };

// Exactly one of base64, url, file_id and text is given.
struct media_part {
    media_kind what = media_kind::image;
    json_chars base64;      // the data, without a "data:" prefix
    json url;               // string; never a data: URL
    json file_id;           // string: a file that was uploaded to the provider `from`
    json text;              // string: a document that is plain text
    std::string_view mime;  // "image/png", not JSON; may be empty with url and file_id
    json name;              // string: file name or title
    json detail;            // string: how closely an image is looked at (OpenAI)
    family from;            // of file_id
    bool operator==(const media_part&) const = default;
};

struct tool_call {
    enum class kind : std::uint8_t {
        function,
        custom,  // OpenAI's tools that take free text: `arguments` is a string that is no JSON
    };
    kind what = kind::function;
    json id;               // string; empty: its dialect gives none (Gemini)
    json name;             // string
    json arguments;        // an object, or a string that holds one (OpenAI's form): see arguments_object()
    json item_id;          // string: the id of the item in OpenAI's Responses, which is not the call's
    json_chars signature;  // of the reasoning that led to the call (Gemini)
    family signed_by;
    bool operator==(const tool_call&) const = default;
};

struct part;

// What a tool answered. It is a part of a message of the user.
struct tool_result {
    tool_call::kind what = tool_call::kind::function;
    json call_id;  // string; empty: its dialect gives none (Gemini)
    json name;     // string: of the tool; often not given, see tool_name_of()
    std::vector<part> content;
    json structured;  // instead of content: an object (Gemini, Bedrock)
    bool is_error = false;
    bool operator==(const tool_result&) const;
};

// Thinking. A provider takes back only what it made itself, unchanged.
struct reasoning_part {
    json text;             // string; empty: hidden
    json_chars signature;  // proves that text is unchanged
    json_chars encrypted;  // the whole reasoning, for its maker only (redacted thinking, encrypted_content)
    json id;               // string: of OpenAI's reasoning item
    bool summary = false;  // text is a summary of the reasoning, not itself
    family from;           // of signature and encrypted
    bool operator==(const reasoning_part&) const = default;
};

struct refusal_part {
    json text;  // string
    bool operator==(const refusal_part&) const = default;
};

// What only one family has a form for (a provider's own tool call and its result, an item reference): carried through
// unchanged to the same dialect, refused by others.
struct native_part {
    json value;                // object
    std::string_view dialect;  // dialect::name() of the one that read it
    std::string_view type;     // what it is, for messages: "web_search_call"
    bool operator==(const native_part&) const = default;
};

struct part {
    std::variant<text_part, media_part, tool_call, tool_result, reasoning_part, refusal_part, native_part> value;
    // A prompt-cache marker behind this part, in Anthropic's form: {"type":"ephemeral","ttl":"5m"}.
    json cache_control = {};
    extra_fields extras = {};
    // Of the first part of a further message item in one turn (Responses): object, what that item is besides content.
    json item = {};
    bool operator==(const part&) const = default;
};

inline bool tool_result::operator==(const tool_result&) const = default;

enum class role : std::uint8_t { system, developer, user, assistant };

// System messages stand where their dialect has them; a dialect with one place for all collects them there.
// Results of tools are parts of user messages. Neighbours of one role may follow each other: a dialect that wants them
// to alternate joins them.
struct message {
    role who = role::user;
    std::vector<part> content;
    json name;  // string: of the participant
    json id;    // string: of the item (Responses)
    extra_fields extras;
    bool operator==(const message&) const = default;
};

// --- what may be called ------------------------------------------------------------------------------------------

struct tool {
    enum class kind : std::uint8_t {
        function,
        custom,  // takes free text; `parameters` is its format object or empty
        native,  // the provider's own (web search, code execution, ...): `definition`
    };
    kind what = kind::function;
    json name;                 // string
    json description;          // string
    json parameters;           // object: JSON Schema; empty: none given
    json strict;               // boolean
    json definition;           // native: the whole object
    std::string_view dialect;  // native: dialect::name() of the one that read it
    json cache_control;
    extra_fields extras;
    bool operator==(const tool&) const = default;
};

struct tool_choice {
    enum class mode : std::uint8_t { unset, automatic, none, required, named };
    mode how = mode::unset;
    json name;                     // named: string
    std::vector<json> allowed;     // automatic, required: only these (strings); empty: all
    std::optional<bool> parallel;  // several calls in one answer
    bool operator==(const tool_choice&) const = default;
};

// --- how the answer shall be -----------------------------------------------------------------------------------

struct response_format {
    enum class kind : std::uint8_t { unset, text, json_object, json_schema };
    kind what = kind::unset;
    json schema;             // object
    json name, description;  // strings
    json strict;             // boolean
    bool operator==(const response_format&) const = default;
};

struct reasoning_options {
    enum class mode : std::uint8_t { unset, off, on };
    mode how = mode::unset;
    std::string_view effort;             // "none", "minimal", "low", "medium", "high", "xhigh", "max"; empty: not said
    std::optional<std::int64_t> budget;  // tokens; -1: as the model sees fit
    std::optional<bool> show;            // thoughts, or a summary of them, in the answer
    std::string_view summary;            // OpenAI: "auto", "concise", "detailed"
    bool operator==(const reasoning_options&) const = default;
};

// Numbers are JSON texts: 0.10 stays 0.10.
struct sampling_options {
    json temperature, top_p, top_k, min_p;
    json presence_penalty, frequency_penalty, repetition_penalty;
    json seed;
    json logprobs;      // boolean
    json top_logprobs;  // number
    json logit_bias;    // object
    json candidates;    // n: how many answers
    std::optional<std::int64_t> tokens_max;
    std::vector<json> stop;  // strings
    bool operator==(const sampling_options&) const = default;
};

struct conversation {
    json model;  // string, as the client wrote it; empty where it stands in the path
    std::vector<message> messages;
    std::vector<tool> tools;
    tool_choice choice;
    response_format format;
    reasoning_options reasoning;
    sampling_options sampling;
    bool stream = false;
    bool stream_usage = false;  // the client asked for the usage at a stream's end (OpenAI chat)

    json user;                 // string: of the end user
    json metadata;             // object
    json service_tier;         // string
    json prompt_cache_key;     // string
    json safety_settings;      // array in Gemini's form
    json verbosity;            // string
    json modalities;           // array of strings: what the answer may be besides text
    json audio;                // object: OpenAI's voice and format
    json cache_control;        // marker for the whole prompt (Anthropic's top-level form)
    extra_fields extras;       // top-level fields that are none of the above
    std::string_view dialect;  // name() of the one that read it

    text_arena arena;  // owns what was made while reading
};

}  // namespace sluice::chat
