#include "http/json_scan.hpp"

#include <sluice/json.hpp>

#include <simdjson.h>

namespace sluice {
namespace {

void append_escaped(std::string& out, char c) {
    switch (c) {
        case '"':
            out += "\\\"";
            return;
        case '\\':
            out += "\\\\";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        default:
            break;
    }
    constexpr char digits[] = "0123456789abcdef";
    out += "\\u00";
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[c & 15];
}

// Well-formed text as it is, each broken byte as U+FFFD.
void append_repaired(std::string& out, std::string_view text) {
    while (true) {
        const std::size_t good = http::valid_utf8_prefix(text);
        out += text.substr(0, good);
        if (good == text.size()) return;
        out += "\xef\xbf\xbd";
        text.remove_prefix(good + 1);
    }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    const char* p = text.data();
    const char* const end = p + text.size();
    while (p != end) {
        const http::json_run run = http::skip_string_bytes(p, end);
        const std::string_view plain{p, static_cast<std::size_t>(run.stop - p)};
        if (run.ascii || simdjson::validate_utf8(plain)) {
            out += plain;
        } else {
            append_repaired(out, plain);
        }
        p = run.stop;
        if (p != end) append_escaped(out, *p++);
    }
    out += '"';
}

std::string to_json_string(std::string_view text) {
    std::string out;
    out.reserve(text.size() + 2);
    append_json_string(out, text);
    return out;
}

}  // namespace sluice
