#include "routing/ext_proc/endpoint_list.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace sluice::ext_proc {
namespace {

std::string_view trim(std::string_view s) {
    while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
    while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
    return s;
}

bool is_port(std::string_view s) {
    std::uint16_t port = 0;
    const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), port);
    return ec == std::errc{} && end == s.data() + s.size() && port != 0;
}

bool is_endpoint(std::string_view s) {
    const std::size_t colon = s.rfind(':');
    if (colon == std::string_view::npos || colon == 0 || !is_port(s.substr(colon + 1))) return false;
    std::string_view host = s.substr(0, colon);
    const bool six = host.front() == '[' && host.back() == ']' && host.size() > 2;
    if (six) host = host.substr(1, host.size() - 2);
    std::array<unsigned char, 16> address;
    const std::string text{host};
    // An embedded zero would end the text early for inet_pton.
    if (text.find('\0') != std::string::npos) return false;
    return ::inet_pton(six ? AF_INET6 : AF_INET, text.c_str(), address.data()) == 1;
}

}  // namespace

result<std::vector<std::string>> parse_endpoint_list(std::string_view text, std::size_t endpoints_max) {
    std::vector<std::string> found;
    for (;;) {
        const std::size_t comma = text.find(',');
        const std::string_view part = trim(text.substr(0, comma));
        if (!is_endpoint(part)) {
            return error{error_kind::upstream_protocol, "The processor named an endpoint that is no ip:port."};
        }
        if (std::ranges::find(found, part) == found.end()) {
            if (found.size() == endpoints_max) {
                return error{error_kind::upstream_protocol, "The processor named too many endpoints."};
            }
            found.emplace_back(part);
        }
        if (comma == std::string_view::npos) return found;
        text.remove_prefix(comma + 1);
    }
}

}  // namespace sluice::ext_proc
