#include "sim/json_out.hpp"

#include <array>

namespace sluice::sim {
namespace {

constexpr auto needs_escape = [] {
    std::array<bool, 256> t{};
    for (std::size_t i = 0; i < 0x20; ++i) t[i] = true;
    t['"'] = t['\\'] = true;
    return t;
}();

void put_escape(std::string& out, unsigned char c) {
    static constexpr char hex[] = "0123456789abcdef";
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
            out += "\\u00";
            out += hex[c >> 4];
            out += hex[c & 15];
    }
}

}  // namespace

void put_one(std::string& out, quoted q) {
    out += '"';
    std::size_t begin = 0;
    for (std::size_t i = 0; i < q.text.size(); ++i) {
        const auto c = static_cast<unsigned char>(q.text[i]);
        if (!needs_escape[c]) continue;
        out.append(q.text, begin, i - begin);
        put_escape(out, c);
        begin = i + 1;
    }
    out.append(q.text, begin);
    out += '"';
}

void put_one(std::string& out, double number) {
    char digits[40];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    out.append(digits, end);
}

}  // namespace sluice::sim
