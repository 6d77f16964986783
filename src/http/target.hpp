// Which bytes a request target may have.
#pragma once

#include "base/ascii.hpp"

namespace sluice::http {

// Visible ASCII but '#'. More than RFC 3986 allows ('{', '|', '"', ...), since clients send those unescaped;
// what could end a target, split a head or start a fragment is not among them.
inline constexpr ascii::byte_set target_byte{"!\"$%&'()*+,-./:;<=>?@[\\]^_`{|}~"};

}  // namespace sluice::http
