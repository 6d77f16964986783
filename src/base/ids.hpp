// Identifiers of requests, traces and spans, and the hexadecimal text they travel in.
#pragma once

#include "base/random.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

// 16 bytes that name a trace (W3C Trace Context). All zero means none.
struct trace_id {
    std::uint64_t high = 0, low = 0;
    bool valid() const { return (high | low) != 0; }
    bool operator==(const trace_id&) const = default;
};

// 8 bytes that name a span within a trace. Zero means none.
struct span_id {
    std::uint64_t value = 0;
    bool valid() const { return value != 0; }
    bool operator==(const span_id&) const = default;
};

// New and never zero.
trace_id new_trace_id(random_source& random);
span_id new_span_id(random_source& random);
// 32 hexadecimal digits, as they appear in x-request-id.
std::string new_request_id(random_source& random);

// May an id that a client sent be taken over, into headers and logs? 1 to 128 of A-Z a-z 0-9 . _ : / @ + -
bool acceptable_request_id(std::string_view text);

// --- hexadecimal, lower case ----------------------------------------------------------------------
// Writes the 16 digits of `value` at `out`, most significant first. No terminator.
void write_hex(std::uint64_t value, char* out);
void append_hex(std::string& out, trace_id id);
void append_hex(std::string& out, span_id id);
std::string to_hex(trace_id id);
std::string to_hex(span_id id);
// Two digits for each byte.
std::string to_hex(std::string_view bytes);

// Reads at most 16 digits. Nothing for an empty text or any other character; capitals do not count.
std::optional<std::uint64_t> parse_lower_hex(std::string_view digits);
// The id in exactly 32 or 16 digits, zero included. For text of our own, such as an exchange's fields.
std::optional<trace_id> parse_trace_id(std::string_view digits);
std::optional<span_id> parse_span_id(std::string_view digits);

}  // namespace sluice
