// Finds the token counts in a response as it passes, without reading the rest of it.
//
// The bytes `"usage"` followed by a colon can only be a key: inside a JSON string the quotes would be escaped.
// So the scanner searches for them at memory speed in a plain body or in SSE bytes alike, cut anywhere, and
// reads only the small object behind.
#pragma once

#include <sluice/exchange.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::http {

class usage_scanner {
public:
    static constexpr std::size_t object_bytes_max = 4096;  // a longer usage object is not read

    // The next bytes of the response, cut anywhere.
    void feed(std::string_view piece);

    // What was found so far, in the terms of token_usage: cached tokens are part of the input, reasoning
    // tokens part of the output. Anthropic counts cached input beside `input_tokens`, and Gemini thoughts
    // beside `candidatesTokenCount`: both are added here.
    //
    // Of several objects the last one counts. Anthropic's are merged field by field, because message_start
    // and message_delta each carry a part.
    token_usage usage() const;

private:
    enum class place : std::uint8_t { searching, in_key, behind_key, behind_colon, in_object };

    const char* search(const char* p, const char* end);
    void step_key(char c);
    const char* take_object(const char* p, const char* end);
    bool object_ends(const char*& p, const char* end);
    void read(std::string_view object);

    place place_ = place::searching;
    std::uint8_t matched_ = 0;      // bytes of the key that have been seen
    bool gemini_ = false;           // the key is "usageMetadata"
    bool after_backslash_ = false;  // the last byte was a backslash: a quote now would not open a key
    // Inside the object:
    unsigned depth_ = 0;
    bool in_string_ = false;
    bool escape_ = false;
    std::string held_;  // what came of the object in earlier pieces

    // As reported; -1: not yet.
    struct counts {
        std::int64_t input = -1, output = -1, cached = -1, reasoning = -1;
        // Reported beside input and output, to be added to them.
        std::int64_t cache_read = -1, more_input = -1, thoughts = -1;
    } counts_;
};

// Is this SSE payload of openai chat/completions the extra chunk that stream_options.include_usage asks for:
// `"choices":[]` and a usage object?
bool is_usage_only_chunk(std::string_view data);

}  // namespace sluice::http
