#include "dialects/gemini/signatures.hpp"

#include "http/json_validator.hpp"

#include <cstdint>
#include <optional>

namespace sluice::chat::gemini {
namespace {

constexpr family own = "gemini";
constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string to_base64(std::string_view bytes) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::string_view three = bytes.substr(i, 3);
        std::uint32_t bits = 0;
        for (std::size_t k = 0; k < 3; ++k)
            bits = bits << 8 | (k < three.size() ? static_cast<unsigned char>(three[k]) : 0U);
        for (std::size_t k = 0; k < 4; ++k) out += k > three.size() ? '=' : alphabet[bits >> (18 - 6 * k) & 0x3f];
    }
    return out;
}

// Nothing for what is no base64 of either alphabet.
std::optional<std::string> from_base64(json_chars chars) {
    while (chars.ends_with('=')) chars.remove_suffix(1);
    std::string out;
    std::uint32_t bits = 0;
    unsigned held = 0;  // bits not yet written
    for (const char c : chars) {
        if (c == '\\') continue;  // of "\/"
        const auto digit = alphabet.find(c == '-' ? '+' : c == '_' ? '/' : c);
        if (digit == std::string_view::npos) return std::nullopt;
        bits = bits << 6 | static_cast<std::uint32_t>(digit);
        held += 6;
        if (held < 8) continue;
        held -= 8;
        out += static_cast<char>(bits >> held & 0xff);
    }
    return out;
}

}  // namespace

json_chars wrap_signature(json_chars secret, family from, text_arena& arena) {
    const json_chars tagged = tag_foreign(secret, from, own, arena);
    return tagged == secret ? secret : arena.keep(to_base64(http::unescape_json(tagged)));
}

std::pair<json_chars, family> unwrap_signature(json_chars signature, text_arena& arena) {
    // The longest tag is in the first 16 characters: Gemini's own signatures, which are long, are not decoded.
    const auto head = from_base64(signature.substr(0, 16));
    if (!head || untag(*head, own).second == own) return {signature, own};
    auto whole = from_base64(signature);
    if (!whole) return {signature, own};
    // Secrets are printable. Other bytes come from somebody else, and would not be the inside of a JSON string.
    for (const char c : *whole)
        if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e || c == '"' || c == '\\')
            return {signature, own};
    return untag(arena.keep(std::move(*whole)), own);
}

}  // namespace sluice::chat::gemini
