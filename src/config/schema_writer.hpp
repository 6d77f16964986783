// The JSON Schema (draft 2020-12) of whatever a read() function reads.
//
// The same calls that load a file are run against a writer, so that the schema cannot drift from the loader:
// descriptions, defaults, bounds, names of enumerations and required keys come from the fields themselves. A
// type that holds itself becomes a $ref.
//
// Reader and schema judge alike, with three exceptions that JSON Schema cannot express: bounds of durations and
// sizes stand in the description, the value of a ${reference} is checked by the reader only, and so is
// what read() itself reports by problem().
#pragma once

#include <sluice/config.hpp>

#include <functional>
#include <string>

namespace sluice::config {

// Indented JSON. `read_root` is run once, on default values; what it read is discarded. The top level
// also allows `include`.
std::string write_schema(const std::function<void(config_reader&)>& read_root);

}  // namespace sluice::config
