// Finding the bytes that matter inside JSON strings, 16 or 32 at a time.
//
// Most of a chat body is the inside of long strings. These functions decide how fast it is validated; they
// know nothing of JSON's grammar. SSE2 is part of x86-64; AVX2 is taken when the processor has it.
#pragma once

#include <string_view>

namespace sluice::http {

struct json_run {
    const char* stop;  // the first '"', '\\' or byte < 0x20; `end` when there is none
    bool ascii;        // no byte of [begin, stop) has its high bit set
};

// Reads [begin, end) only.
json_run skip_string_bytes(const char* begin, const char* end);

struct json_text_run {
    const char* stop;  // the closing quote, a byte < 0x20, a backslash that begins no escape of two bytes, or `end`
    bool ascii;        // no byte of [begin, stop) has its high bit set
    bool escaped;      // [begin, stop) holds escapes
};

// Reads on from inside a string, past \n, \" and the other escapes of two bytes: in code and in prose they follow
// each other so closely that stopping at each would cost more than all the rest.
json_text_run skip_string_text(const char* begin, const char* end);

// How many bytes of `text` are well-formed UTF-8 from its start (RFC 3629: no surrogates, no overlong
// forms). Exact but slow: for the place in an error message and for repairs.
std::size_t valid_utf8_prefix(std::string_view text);

}  // namespace sluice::http
