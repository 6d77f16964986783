// The little JSON this room writes: values kept as JSON text, and the schema.
#pragma once

#include <string>
#include <string_view>

namespace sluice::config {

// `text` (valid UTF-8) as a JSON string with its quotes.
std::string quote_json(std::string_view text);
// The shortest text that reads back as the same double; never infinite or NaN.
std::string number_json(double n);
// A valid compact JSON text, with line breaks and two spaces per level.
std::string indent_json(std::string_view compact);

}  // namespace sluice::config
