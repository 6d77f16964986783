#include "mcp/serve/session_token.hpp"

#include <charconv>

namespace sluice::mcp {
namespace {
constexpr std::string_view purpose = "session";
}

std::string write_session(const sealer& key, const session_facts& s, std::string_view principal,
                          std::chrono::system_clock::time_point expires) {
    const std::string text =
        std::string(to_string(s.client.speaks)) + ' ' + std::to_string(s.client.can.bits) + ' ' + s.id;
    return key.seal(purpose, principal, text, expires);
}

std::optional<session_facts> read_session(const sealer& key, std::string_view token, std::string_view principal,
                                          std::chrono::system_clock::time_point now) {
    const auto text = key.open(purpose, principal, token, now);
    if (!text) return std::nullopt;
    const std::size_t first = text->find(' '), second = text->find(' ', first + 1);
    if (first == std::string::npos || second == std::string::npos) return std::nullopt;
    const std::string_view all = *text;
    const auto speaks = parse_version(all.substr(0, first));
    unsigned bits = 0;
    const std::string_view digits = all.substr(first + 1, second - first - 1);
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (!speaks || failed != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    session_facts s;
    s.id = all.substr(second + 1);
    s.client.speaks = *speaks;
    s.client.can.bits = static_cast<std::uint8_t>(bits);
    return s;
}

std::string principal_of(const identity& caller) {
    if (caller.anonymous) return {};
    return caller.tenant + '\0' + caller.key_id;
}

}  // namespace sluice::mcp
