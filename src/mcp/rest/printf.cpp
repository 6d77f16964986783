#include "mcp/rest/printf.hpp"

#include <sluice/json.hpp>

#include "base/ascii.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::mcp::rest {

namespace {

struct verb {
    bool left = false, plus = false, zero = false, space = false;
    int width = 0;
    int precision = -1;
    char letter = '\0';
};

// Reads behind '%'. Nothing when the format ends first.
std::optional<verb> read_verb(std::string_view format, std::size_t& at) {
    verb v;
    for (; at < format.size(); ++at) {
        if (format[at] == '-')
            v.left = true;
        else if (format[at] == '+')
            v.plus = true;
        else if (format[at] == '0')
            v.zero = true;
        else if (format[at] == ' ')
            v.space = true;
        else if (format[at] != '#')
            break;
    }
    const auto number = [&] {
        int n = 0;
        for (; at < format.size() && ascii::is_digit(format[at]); ++at) n = std::min(1000, n * 10 + (format[at] - '0'));
        return n;
    };
    v.width = number();
    if (at < format.size() && format[at] == '.') {
        ++at;
        v.precision = number();
    }
    if (at == format.size()) return std::nullopt;
    v.letter = format[at++];
    return v;
}

std::string mismatch(const verb& v, const value& arg) {
    return fmt::format("%!{}({})", v.letter, arg.text(64));
}

std::string signed_text(const verb& v, std::string digits) {
    if (!digits.starts_with('-') && (v.plus || v.space)) digits.insert(0, v.plus ? "+" : " ");
    return digits;
}

std::string hex(const verb& v, const value& arg, std::size_t bytes_max) {
    const bool upper = v.letter == 'X';
    if (arg.is(value::kind::number)) {
        const auto n = arg.to_integer();
        if (!n) return mismatch(v, arg);
        return upper ? fmt::format("{:X}", *n) : fmt::format("{:x}", *n);
    }
    std::string out;
    for (const char c : arg.text(bytes_max / 2)) {
        const auto u = static_cast<unsigned char>(c);
        out += upper ? fmt::format("{:02X}", u) : fmt::format("{:02x}", u);
    }
    return out;
}

std::string converted(const verb& v, const value& arg, std::size_t bytes_max) {
    switch (v.letter) {
        case 's':
        case 'v': {
            std::string text = arg.text(bytes_max);
            if (v.precision >= 0 && v.letter == 's') text.resize(std::min(text.size(), std::size_t(v.precision)));
            return text;
        }
        case 'd': {
            const auto n = arg.is(value::kind::string) ? std::nullopt : arg.to_integer();
            return n ? signed_text(v, std::to_string(*n)) : mismatch(v, arg);
        }
        case 'q':
            return to_json_string(arg.text(bytes_max));
        case 't':
            return arg.is(value::kind::boolean) ? arg.text(8) : mismatch(v, arg);
        case 'x':
        case 'X':
            return hex(v, arg, bytes_max);
        case 'c': {
            const auto n = arg.to_integer();
            return n && *n > 0 && *n < 128 ? std::string(1, static_cast<char>(*n)) : mismatch(v, arg);
        }
        case 'f':
        case 'F':
        case 'e':
        case 'g': {
            const auto n = arg.is(value::kind::number) ? arg.to_number() : std::nullopt;
            if (!n) return mismatch(v, arg);
            const int digits = v.precision >= 0 ? v.precision : 6;
            if (v.letter == 'e') return signed_text(v, fmt::format("{:.{}e}", *n, digits));
            if (v.letter == 'g') {
                return signed_text(v, v.precision < 0 ? fmt::format("{}", *n) : fmt::format("{:.{}g}", *n, digits));
            }
            return signed_text(v, fmt::format("{:.{}f}", *n, digits));
        }
        default:
            return mismatch(v, arg);
    }
}

// Width counts characters.
void pad(std::string& text, const verb& v) {
    std::size_t shown = 0;
    for (const char c : text) shown += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0;
    const auto width = static_cast<std::size_t>(v.width);
    if (shown >= width) return;
    const bool number = std::string_view{"dfFegxX"}.find(v.letter) != std::string_view::npos;
    if (v.left) {
        text.append(width - shown, ' ');
    } else if (v.zero && number) {
        const bool sign = text.starts_with('-') || text.starts_with('+') || text.starts_with(' ');
        text.insert(sign ? 1 : 0, width - shown, '0');
    } else {
        text.insert(0, width - shown, ' ');
    }
}

}  // namespace

result<std::string> format_go(std::string_view format, std::span<const value> args, std::size_t bytes_max) {
    std::string out;
    std::size_t next = 0;
    for (std::size_t at = 0; at < format.size();) {
        if (out.size() > bytes_max) return error{error_kind::payload_too_large, "printf makes too long a text"};
        if (format[at] != '%') {
            out += format[at++];
            continue;
        }
        ++at;
        const auto v = read_verb(format, at);
        if (!v) {
            out += "%!(NOVERB)";
        } else if (v->letter == '%') {
            out += '%';
        } else if (next >= args.size()) {
            out += fmt::format("%!{}(MISSING)", v->letter);
        } else {
            std::string text = converted(*v, args[next++], bytes_max);
            pad(text, *v);
            out += text;
        }
    }
    return out;
}

}  // namespace sluice::mcp::rest
