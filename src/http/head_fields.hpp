// The field lines of a head: read into a header_list, with what framing and connection need noted on the way.
//
// Shared by requests and responses. The rules on syntax are the same for both; what the facts mean is
// decided by request_parser and response_parser.
#pragma once

#include "http/head_limits.hpp"

#include <sluice/message.hpp>

#include <cstdint>
#include <string_view>

namespace sluice::http {

// Views point into the bytes that were parsed.
struct field_facts {
    unsigned hosts = 0;  // how many Host fields, and the last one's value
    std::string_view host;
    unsigned lengths = 0;     // how many Content-Length fields
    bool length_bad = false;  // one of them is not 1*DIGIT below 2^63
    bool lengths_differ = false;
    std::uint64_t length = 0;  // of the first good one
    unsigned codings = 0;      // how many Transfer-Encoding fields, and the last one's value
    std::string_view coding;
    std::size_t options = 0;                                         // elements of all Connection fields
    bool close = false, keep_alive = false, upgrade_option = false;  // those we know
    bool upgrade_field = false;
    bool expect_continue = false;
    bool expect_other = false;  // an expectation nobody can meet
};

// Reads field lines from `lines`: everything behind the start line, up to and with the empty line. Refuses
// (status 400, or 431 for too many) empty and non-token names, space before the colon, folded lines, bare
// CR and other control bytes. A status of 0 means all went into `out`.
refusal parse_fields(std::string_view lines, std::size_t fields_max, header_list& out, field_facts& facts);

// What a single Transfer-Encoding value says.
enum class coding_verdict : std::uint8_t {
    chunked,    // exactly that
    unknown,    // a well-formed list of codings we do not have: 501
    malformed,  // cannot delimit a body: empty, quoted, with parameters, chunked not last: 400
};
coding_verdict judge_coding(std::string_view value);

}  // namespace sluice::http
