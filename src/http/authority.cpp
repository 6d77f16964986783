#include "http/authority.hpp"

#include "base/ascii.hpp"

#include <arpa/inet.h>

#include <array>
#include <cstring>

namespace sluice::http {
namespace {

constexpr std::size_t host_bytes_max = 255;

bool valid_ipv6(std::string_view text) {
    std::array<char, INET6_ADDRSTRLEN> copy{};
    if (text.size() >= copy.size()) return false;
    text.copy(copy.data(), text.size());
    in6_addr address{};
    return inet_pton(AF_INET6, copy.data(), &address) == 1;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
    if (text.empty() || text.size() > 5) return std::nullopt;
    unsigned n = 0;
    for (const char c : text) {
        if (!ascii::is_digit(c)) return std::nullopt;
        n = n * 10 + static_cast<unsigned>(c - '0');
    }
    if (n == 0 || n > 65535) return std::nullopt;
    return static_cast<std::uint16_t>(n);
}

}  // namespace

std::optional<authority> parse_authority(std::string_view text) {
    authority a;
    std::string_view rest;
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos) return std::nullopt;
        a.host = text.substr(1, close - 1);
        a.ipv6 = true;
        rest = text.substr(close + 1);
        // inet_pton reads up to a NUL: only what is in the text may count.
        if (a.host.find('\0') != std::string_view::npos || !valid_ipv6(a.host)) return std::nullopt;
    } else {
        const std::size_t n = ascii::unreserved.span(text);
        if (n == 0 || n > host_bytes_max) return std::nullopt;
        a.host = text.substr(0, n);
        rest = text.substr(n);
    }
    if (rest.empty()) return a;
    if (rest.front() != ':') return std::nullopt;
    const auto port = parse_port(rest.substr(1));
    if (!port) return std::nullopt;
    a.port = *port;
    return a;
}

std::string write_authority(std::string_view host, std::uint16_t port) {
    const bool bare_ipv6 = host.find(':') != std::string_view::npos && !host.starts_with('[');
    std::string text;
    if (bare_ipv6) text += '[';
    text += host;
    if (bare_ipv6) text += ']';
    if (port != 0) text.append(1, ':').append(std::to_string(port));
    return text;
}

void append_lower(std::string& out, std::string_view text) {
    const std::size_t begin = out.size();
    out.append(text);
    char* p = out.data() + begin;
    char* const end = out.data() + out.size();
    for (; end - p >= 8; p += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, p, 8);
        word = ascii::lower(word);
        std::memcpy(p, &word, 8);
    }
    for (; p != end; ++p) *p = ascii::lower(*p);
}

}  // namespace sluice::http
