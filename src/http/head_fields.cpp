#include "http/head_fields.hpp"

#include "base/ascii.hpp"
#include "http/field_list.hpp"

namespace sluice::http {
namespace {

// 1*DIGIT below 2^63. Nineteen digits always fit in 64 bits.
bool parse_length(std::string_view text, std::uint64_t& out) {
    if (text.empty() || text.size() > 19) return false;
    std::uint64_t n = 0;
    for (const char c : text) {
        if (!ascii::is_digit(c)) return false;
        n = n * 10 + static_cast<std::uint64_t>(c - '0');
    }
    out = n;
    return n <= static_cast<std::uint64_t>(INT64_MAX);
}

void note_length(std::string_view value, field_facts& f) {
    std::uint64_t n = 0;
    if (!parse_length(value, n)) f.length_bad = true;
    if (f.lengths > 0 && n != f.length) f.lengths_differ = true;
    if (f.lengths == 0) f.length = n;
    ++f.lengths;
}

void note_connection(std::string_view value, field_facts& f) {
    std::string_view option;
    while (next_element(value, option)) {
        ++f.options;
        if (equals_lower(option, "close")) f.close = true;
        if (equals_lower(option, "keep-alive")) f.keep_alive = true;
        if (equals_lower(option, "upgrade")) f.upgrade_option = true;
    }
}

// The size of a name tells nearly every other field apart at once.
void note(std::string_view name, std::string_view value, field_facts& f) {
    switch (name.size()) {
        case 4:
            if (!ascii::token_equals(name, "host")) return;
            ++f.hosts;
            f.host = value;
            return;
        case 6:
            if (!ascii::token_equals(name, "expect")) return;
            (equals_lower(value, "100-continue") ? f.expect_continue : f.expect_other) = true;
            return;
        case 7:
            if (ascii::token_equals(name, "upgrade")) f.upgrade_field = true;
            return;
        case 10:
            if (ascii::token_equals(name, "connection")) note_connection(value, f);
            return;
        case 14:
            if (ascii::token_equals(name, "content-length")) note_length(value, f);
            return;
        case 17:
            if (!ascii::token_equals(name, "transfer-encoding")) return;
            ++f.codings;
            f.coding = value;
            return;
        default:
            return;
    }
}

refusal bad(std::string_view reason) {
    return {400, reason, error_kind::bad_request};
}

}  // namespace

refusal parse_fields(std::string_view lines, std::size_t fields_max, header_list& out, field_facts& facts) {
    // Every loop below stops at a CR at the latest, and the last two bytes are CRLF.
    const char* const begin = lines.data();
    const char* const end = begin + lines.size();
    const char* p = begin;
    const auto offset = [begin](const char* q) { return static_cast<std::uint32_t>(q - begin); };

    out.adopt(lines);
    while (*p != '\r') {
        const char* const name = p;
        p = ascii::find_token_end(p, end);
        const char* const name_end = p;
        if (*p != ':' || name_end == name) {
            if (name_end == name && ascii::is_blank(*p)) return bad("folded_line");
            return bad("field_name");
        }
        ++p;
        if (*p == ' ') ++p;  // nearly always one space and no more
        while (ascii::is_blank(*p)) ++p;
        const char* const value = p;
        p = ascii::find_control(p, end);
        if (*p != '\r') return bad("field_value");
        if (p[1] != '\n') return bad("bare_cr");
        const char* value_end = p;
        while (value_end != value && ascii::is_blank(value_end[-1])) --value_end;
        p += 2;

        if (out.size() == fields_max) return {431, "too_many_fields", error_kind::headers_too_large};
        out.place(offset(name), offset(name_end) - offset(name), offset(value), offset(value_end) - offset(value));
        note({name, name_end}, {value, value_end}, facts);
    }
    if (p + 2 != end) return bad("bare_cr");
    if (facts.options > connection_options_max) return bad("connection_options");
    return {};
}

coding_verdict judge_coding(std::string_view value) {
    if (equals_lower(value, "chunked")) return coding_verdict::chunked;
    std::string_view coding;
    int codings = 0;
    bool chunked = false;
    while (next_element(value, coding)) {
        ++codings;
        if (chunked) return coding_verdict::malformed;  // something behind chunked
        chunked = equals_lower(coding, "chunked");
        // identity was a coding once and delimits nothing.
        if (equals_lower(coding, "identity")) return coding_verdict::malformed;
        const std::string_view bare = ascii::trim(coding.substr(0, coding.find(';')));
        if (bare.empty() || ascii::token.span(bare) != bare.size()) return coding_verdict::malformed;
        if (bare.size() != coding.size() && equals_lower(bare, "chunked")) return coding_verdict::malformed;
    }
    // No coding at all, or "chunked" dressed up with empty elements.
    if (codings == 0 || (codings == 1 && chunked)) return coding_verdict::malformed;
    return coding_verdict::unknown;
}

}  // namespace sluice::http
