// Any bytes, as a URL, a path and a query: what is accepted is printable, means the same when written out, and
// is normal after being made normal once.
#include "http/url.hpp"
#include "http/authority.hpp"
#include "http/path.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace sluice::http;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

bool printable(std::string_view s) {
    return std::all_of(s.begin(), s.end(), [](char c) { return c > ' ' && c < '\x7f' && c != '#'; });
}

void check_url(std::string_view text) {
    const auto u = parse_url(text);
    if (!u) return;
    require(printable(u->path_and_query) && u->path_and_query.starts_with('/'));
    require(!u->host.empty() && printable(u->host) && u->host.find_first_of("/?@[]") == std::string::npos);
    require(u->port > 0 && parse_authority(u->authority()));
    const auto again = parse_url(u->text());
    require(again.has_value() && again->text() == u->text() && again->host == u->host && again->port == u->port);
}

void check_path(std::string_view path) {
    std::string scratch;
    const auto once = normalise_path(path, scratch);
    if (!once) return;
    require(once->size() <= path.size());
    std::string scratch_again;
    const auto twice = normalise_path(*once, scratch_again);
    require(twice.has_value() && *twice == *once);
    const std::string bounded = std::string{*once} + '/';
    require(bounded.find("/../") == std::string::npos && bounded.find("/./") == std::string::npos);
}

void check_escapes(std::string_view text) {
    std::string encoded;
    percent_encode(encoded, text);
    require(printable(encoded) && percent_decode(encoded).value() == text);
    std::string target{"/?a=b"};
    append_query(target, text, text);
    if (text != "a") require(query_parameter(std::string_view{target}.substr(2), text) == text);
    (void)query_parameter(text, "a");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    check_url(text);
    check_path(text);
    check_escapes(text);
    return 0;
}
