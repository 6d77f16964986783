#include "http/url.hpp"

#include "base/ascii.hpp"
#include "http/authority.hpp"
#include "http/field_list.hpp"

#include <algorithm>
#include <array>

namespace sluice::http {
namespace {

struct scheme_traits {
    std::string_view name;
    std::uint16_t port;
    bool tls;
};
constexpr std::array<scheme_traits, 4> schemes{{
    {"http", 80, false},
    {"https", 443, true},
    {"ws", 80, false},
    {"wss", 443, true},
}};

// RFC 3986: pchar, '/' and '?'. Escapes are checked apart.
constexpr ascii::byte_set path_byte{"-._~!$&'()*+,;=:@/?%"};

error bad(std::string_view what) {
    return error{error_kind::bad_request, std::string{what}, "url"};
}

bool valid_escapes(std::string_view s) {
    for (auto at = s.find('%'); at != std::string_view::npos; at = s.find('%', at + 3)) {
        if (at + 2 >= s.size() || ascii::hex_value(s[at + 1]) < 0 || ascii::hex_value(s[at + 2]) < 0) return false;
    }
    return true;
}

}  // namespace

result<url> parse_url(std::string_view text) {
    if (text.size() > url_bytes_max) return bad("the URL is too long");
    const auto colon = text.find("://");
    if (colon == std::string_view::npos) return bad("not an absolute URL: no \"://\"");
    const auto scheme = std::find_if(schemes.begin(), schemes.end(), [&](const scheme_traits& s) {
        return equals_lower(text.substr(0, colon), s.name);
    });
    if (scheme == schemes.end()) return bad("the scheme of a URL must be http, https, ws or wss");
    if (text.find('#') != std::string_view::npos) return bad("the URL must not have a fragment");

    const std::string_view rest = text.substr(colon + 3);
    const auto end = std::min(rest.find_first_of("/?"), rest.size());
    const std::string_view where = rest.substr(0, end);
    const std::string_view tail = rest.substr(end);
    if (where.find('@') != std::string_view::npos) return bad("the URL must not carry a user or password");
    const auto host = parse_authority(where);
    if (!host) return bad("the URL has no valid host and port");
    if (path_byte.span(tail) != tail.size()) return bad("the path of the URL has a character that must be escaped");
    if (!valid_escapes(tail)) return bad("the path of the URL has an incomplete percent-escape");

    url u;
    u.scheme = scheme->name;
    append_lower(u.host, host->host);
    u.port = host->port == 0 ? scheme->port : host->port;
    u.tls = scheme->tls;
    if (!tail.starts_with('/')) u.path_and_query = "/";
    u.path_and_query.append(tail);
    return u;
}

std::string url::authority() const {
    return write_authority(host, port == (tls ? 443 : 80) ? std::uint16_t{0} : port);
}

std::string url::text() const {
    return scheme + "://" + authority() + path_and_query;
}

}  // namespace sluice::http
