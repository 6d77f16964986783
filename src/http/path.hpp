// Paths and queries of request targets: escapes, dot segments, parameters.
#pragma once

#include <sluice/result.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace sluice::http {

// Turns every %XX into its byte; anything may come out, NUL and slashes included. '+' stays. Error: bad_request
// for a '%' without two hexadecimal digits.
result<std::string> percent_decode(std::string_view text);
// Appends `text` with everything escaped but letters, digits and "-._~".
void percent_encode(std::string& out, std::string_view text);

// A path as routes compare it, so that one resource has one spelling: escapes of unreserved characters are
// decoded ("%61" and "%2e" are "a" and "."), the others written in upper case and kept (%2F never becomes
// a separator), then dot segments removed (RFC 3986 5.2.4; ".." above the root stays at the root). Doubled
// slashes stay: to many services they mean something. Applying it twice changes nothing more.
// Error: bad_request for an invalid escape, %00, or a path without its first slash ("*" of OPTIONS is passed).
//
// The first form returns `path` itself when there is nothing to do and else a view into `scratch`: no
// allocation once that has grown.
result<std::string_view> normalise_path(std::string_view path, std::string& scratch);
result<std::string> normalise_path(std::string_view path);

// The value of the first parameter of that name in a query without its '?', decoded as forms are ('+' is a
// space). Nothing if there is none or its escapes are invalid; "" for a name without '='.
std::optional<std::string> query_parameter(std::string_view query, std::string_view name);

// The query with one parameter of that name and no other, the last one; all else stays as written. Parameters with
// invalid escapes go: who reads them otherwise than we do might take them for this one.
std::string query_with(std::string_view query, std::string_view name, std::string_view value);

// Adds "?name=value", or "&name=value" if there is a query already, escaping both.
void append_query(std::string& target, std::string_view name, std::string_view value);

}  // namespace sluice::http
