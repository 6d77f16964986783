#include "dialects/anthropic/base64.hpp"

#include <array>
#include <cstdint>

namespace sluice::chat::anthropic {
namespace {

constexpr std::uint8_t no_digit = 0xff;

constexpr std::array<std::uint8_t, 256> make_digits() {
    std::array<std::uint8_t, 256> table{};
    table.fill(no_digit);
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (std::size_t i = 0; i < alphabet.size(); ++i)
        table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
    return table;
}

constexpr auto digits = make_digits();

}  // namespace

bool decode_base64(std::string_view chars, std::string& out) {
    out.reserve(out.size() + chars.size() / 4 * 3 + 3);
    while (!chars.empty() && chars.back() == '=') chars.remove_suffix(1);
    std::uint32_t bits = 0;
    unsigned held = 0;  // digits in `bits`
    for (std::size_t i = 0; i < chars.size(); ++i) {
        if (chars[i] == '\\' && i + 1 < chars.size() && chars[i + 1] == '/') continue;
        const std::uint8_t digit = digits[static_cast<unsigned char>(chars[i])];
        if (digit == no_digit) return false;
        bits = bits << 6 | digit;
        if (++held < 4) continue;
        out += static_cast<char>(bits >> 16 & 0xff);
        out += static_cast<char>(bits >> 8 & 0xff);
        out += static_cast<char>(bits & 0xff);
        held = 0;
        bits = 0;
    }
    if (held == 1) return false;
    if (held >= 2) out += static_cast<char>(bits >> (held == 2 ? 4 : 10) & 0xff);
    if (held == 3) out += static_cast<char>(bits >> 2 & 0xff);
    return true;
}

}  // namespace sluice::chat::anthropic
