#include "config/json_text.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace sluice::config {

std::string quote_json(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        switch (c) {
            case '"':
                out += "\\\"";
                break;
            case '\\':
                out += "\\\\";
                break;
            case '\n':
                out += "\\n";
                break;
            case '\r':
                out += "\\r";
                break;
            case '\t':
                out += "\\t";
                break;
            default:
                if (static_cast<unsigned char>(c) < 0x20) {
                    out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
                } else {
                    out += c;
                }
        }
    }
    return out += '"';
}

std::string number_json(double n) {
    std::array<char, 32> digits{};
    // Whole numbers without exponent: a schema says 100000, not 1e+05.
    const bool whole = n >= -1e15 && n <= 1e15 && n == static_cast<double>(static_cast<long long>(n));
    const auto end = whole ? std::to_chars(digits.data(), digits.data() + digits.size(), static_cast<long long>(n)).ptr
                           : std::to_chars(digits.data(), digits.data() + digits.size(), n).ptr;
    return {digits.data(), end};
}

std::string indent_json(std::string_view compact) {
    std::string out;
    std::size_t depth = 0;
    bool in_string = false;
    const auto new_line = [&] { out.append("\n").append(2 * depth, ' '); };
    for (std::size_t i = 0; i < compact.size(); ++i) {
        const char c = compact[i];
        if (in_string) {
            out += c;
            if (c == '\\') out += compact[++i];
            if (c == '"') in_string = false;
        } else if (c == '{' || c == '[') {
            out += c;
            const bool empty = i + 1 < compact.size() && (compact[i + 1] == '}' || compact[i + 1] == ']');
            ++depth;
            if (!empty) new_line();
        } else if (c == '}' || c == ']') {
            --depth;
            if (compact[i - 1] != '{' && compact[i - 1] != '[') new_line();
            out += c;
        } else if (c == ',') {
            out += c;
            new_line();
        } else {
            out += c;
            if (c == ':') out += ' ';
            in_string = c == '"';
        }
    }
    return out;
}

}  // namespace sluice::config
