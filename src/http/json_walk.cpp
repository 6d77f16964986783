// Walks over text that was validated before: to values inside it, to the place of an error, to plain text.
#include "http/json_scan.hpp"
#include "http/json_validator.hpp"

#include <algorithm>
#include <cstring>

namespace sluice::http {
namespace {

unsigned hex4(const char* p) {
    unsigned unit = 0;
    for (int i = 0; i < 4; ++i) {
        const auto c = static_cast<unsigned>(static_cast<unsigned char>(p[i]));
        unit = unit << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return unit;
}

void append_utf8(std::string& out, unsigned code) {
    const auto put = [&out](unsigned byte) { out.push_back(static_cast<char>(byte)); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xc0 | code >> 6);
        put(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        put(0xe0 | code >> 12);
        put(0x80 | (code >> 6 & 0x3f));
        put(0x80 | (code & 0x3f));
    } else {
        put(0xf0 | code >> 18);
        put(0x80 | (code >> 12 & 0x3f));
        put(0x80 | (code >> 6 & 0x3f));
        put(0x80 | (code & 0x3f));
    }
}

char plain_escape(char c) {
    switch (c) {
        case 'n':
            return '\n';
        case 't':
            return '\t';
        case 'r':
            return '\r';
        case 'b':
            return '\b';
        case 'f':
            return '\f';
        default:
            return c;  // quote, backslash, slash
    }
}

// Reads the four digits at `p` (behind "\u") and the second half of a pair; returns behind them.
const char* append_unicode_escape(std::string& out, const char* p, const char* end) {
    if (end - p < 4) return end;
    unsigned code = hex4(p);
    p += 4;
    if (code >= 0xd800 && code < 0xdc00 && end - p >= 6) {
        code = 0x10000 + ((code - 0xd800) << 10) + (hex4(p + 2) - 0xdc00);
        p += 6;
    }
    append_utf8(out, code);
    return p;
}

// An open array or object on the way to a place.
struct level {
    bool object = false;
    std::string_view key;  // of the member being read
    std::size_t index = 0;
};

std::string render(const std::vector<level>& path) {
    std::string pointer;
    for (const level& l : path) {
        pointer += '/';
        if (!l.object) {
            pointer += std::to_string(l.index);
        } else {
            for (const char c : l.key) {
                if (c == '~') {
                    pointer += "~0";
                } else if (c == '/') {
                    pointer += "~1";
                } else {
                    pointer += c;
                }
            }
        }
        if (pointer.size() > 256) return {};
    }
    return pointer;
}

}  // namespace

json_type json_type_of(char first) {
    switch (first) {
        case '{':
            return json_type::object;
        case '[':
            return json_type::array;
        case '"':
            return json_type::string;
        case 't':
        case 'f':
            return json_type::boolean;
        case 'n':
            return json_type::null;
        default:
            return json_type::number;
    }
}

const char* skip_json_space(const char* p, const char* end) {
    while (p != end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) ++p;
    return p;
}

const char* skip_valid_string(const char* p, const char* end, bool& escaped) {
    escaped = false;
    ++p;
    if (const char* const quote = short_string_end(p, end)) return quote + 1;
    while (true) {
        const json_text_run run = skip_string_text(p, end);
        p = run.stop;
        escaped = escaped || run.escaped;
        if (p == end) return end;
        if (*p == '"') return p + 1;
        escaped = escaped || *p == '\\';
        p += *p == '\\' && end - p >= 2 ? 2 : 1;
    }
}

const char* skip_valid_json(const char* p, const char* end) {
    bool escaped = false;
    std::size_t depth = 0;
    while (p != end) {
        switch (*p) {
            case '"':
                p = skip_valid_string(p, end, escaped);
                break;
            case '{':
            case '[':
                ++depth;
                ++p;
                continue;
            case '}':
            case ']':
                if (depth == 0) return p;
                --depth;
                ++p;
                break;
            case ',':
                if (depth == 0) return p;
                [[fallthrough]];
            case ':':
                ++p;
                continue;
            default:
                p = skip_json_space(p, end);
                // A number or literal: up to what can stand behind one.
                if (p != end && std::memchr(",:]}[{\" \n\r\t", *p, 11) != nullptr) continue;
                while (p != end && std::memchr(",:]}[{\" \n\r\t", *p, 11) == nullptr) ++p;
        }
        if (depth == 0) return p;
    }
    return end;
}

std::string json_pointer_at(std::string_view text, std::size_t offset) {
    std::vector<level> path;
    const char* p = text.data();
    const char* const end = p + std::min(offset, text.size());
    bool key_next = false;
    while (p != end) {
        const char c = *p;
        if (c == '"') {
            bool escaped = false;
            const char* const behind = skip_valid_string(p, end, escaped);
            if (key_next && behind - p >= 2 && behind[-1] == '"') {
                path.back().key = {p + 1, static_cast<std::size_t>(behind - p - 2)};
                key_next = false;
            }
            p = behind;
            continue;
        }
        if (c == '{' || c == '[') {
            if (path.size() == json_depth_max) return {};
            path.push_back({c == '{', {}, 0});
            key_next = c == '{';
        } else if ((c == '}' || c == ']') && !path.empty()) {
            path.pop_back();
            key_next = false;
        } else if (c == ',' && !path.empty()) {
            ++path.back().index;
            key_next = path.back().object;
        }
        ++p;
    }
    // Where a key was expected, the object itself is the place.
    if (key_next && !path.empty()) path.pop_back();
    return render(path);
}

std::string unescape_json(std::string_view inside) {
    std::string out;
    const char* p = inside.data();
    const char* const end = p + inside.size();
    out.reserve(inside.size());
    while (p != end) {
        const auto* slash = static_cast<const char*>(std::memchr(p, '\\', static_cast<std::size_t>(end - p)));
        if (slash == nullptr || end - slash < 2) {
            out.append(p, end);
            break;
        }
        out.append(p, slash);
        p = slash + 2;
        if (slash[1] == 'u') {
            p = append_unicode_escape(out, p, end);
        } else {
            out.push_back(plain_escape(slash[1]));
        }
    }
    return out;
}

}  // namespace sluice::http
