// Forms as multipart/form-data (RFC 7578, RFC 2046 5.1), for bodies that were collected whole.
//
// Strict, because an upstream reads the same bytes again and must see the same fields: CRLF only, nothing
// before the first boundary or behind the last one, one Content-Disposition per part, no transfer encodings.
// What is not so is refused with bad_request.
#pragma once

#include <sluice/result.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::http {

inline constexpr std::size_t multipart_parts_max = 64;
inline constexpr std::size_t multipart_head_bytes_max = 8192;  // of one part

struct multipart_part {
    std::string name;               // quoted pairs resolved; percent escapes as sent
    std::string filename;           // as sent by the client: never to be used as a path
    bool is_file = false;           // a filename was given, though it may be empty
    std::string_view content_type;  // empty: none, which means text/plain
    std::string_view value;
};

// The boundary in a Content-Type. Error: unsupported_media_type when it is not multipart/form-data,
// bad_request when the boundary is absent or not one of RFC 2046.
result<std::string> multipart_boundary(std::string_view content_type);

// All parts in order; views into `body`.
result<std::vector<multipart_part>> parse_multipart(std::string_view body, std::string_view content_type);

// The value of the field `name`. Error: also when it is absent, there more than once (a second reader could take
// the other) or a file; `param` is its name.
result<std::string> multipart_field(std::string_view body, std::string_view content_type, std::string_view name);

// The body with the value of one field replaced, as three pieces: views into `body`, `value`, `body`. The
// Content-Type stays as it is. Error: as multipart_field, and when `value` holds the boundary.
result<std::array<std::string_view, 3>> replace_multipart_field(std::string_view body, std::string_view content_type,
                                                                std::string_view name, std::string_view value);

}  // namespace sluice::http
