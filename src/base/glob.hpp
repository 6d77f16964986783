// Shell-style patterns over names from the configuration: `*` any run of characters, `?` one character.
#pragma once

#include <string_view>

namespace sluice {

// Does the whole of `text` match? Linear in practice, quadratic at worst; patterns come from operators.
bool glob_match(std::string_view pattern, std::string_view text);

}  // namespace sluice
