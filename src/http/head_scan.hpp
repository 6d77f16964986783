// Finds where a head ends.
#pragma once

#include "http/head_limits.hpp"

#include <string_view>

namespace sluice::http {

struct head_end {
    progress state = progress::need_more;
    std::size_t size = 0;  // with done: bytes up to and with the empty line
};

// Looks for the empty line that ends a head, from bytes[scanned] on, and moves `scanned` to where the next
// call shall go on: a peer that sends byte by byte costs one look per byte. bad means a line that ends in LF
// without CR: we refuse it here rather than let two parsers disagree about where a line ends.
head_end find_head_end(std::string_view bytes, std::size_t& scanned);

// The same end, found faster in a head that came whole: the size of what the first LF CR LF ends, 0 if there is
// none. LFs without CR before it are not noticed, so whoever uses it must refuse those by itself.
std::size_t find_empty_line(std::string_view bytes);

}  // namespace sluice::http
