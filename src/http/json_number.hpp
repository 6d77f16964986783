// Numbers of JSON texts: grammar and range.
#pragma once

#include <string_view>

namespace sluice::http {

struct json_number_scan {
    const char* stop;         // behind the number, or where its grammar broke
    const char* problem;      // nullptr: a number
    bool whole_text = false;  // neither fraction nor exponent
};

// Reads the number that begins at `begin` (RFC 8259 section 6). Refused too: a magnitude above the
// largest double, which readers turn into infinity or into an error. What rounds to zero is fine.
json_number_scan scan_json_number(const char* begin, const char* end);

}  // namespace sluice::http
