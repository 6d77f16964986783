#pragma once
// A JSON value that satisfies a JSON Schema of the simple kind that tools and response formats use.

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::sim {

// Understood: type (also a list), properties, items, enum, const, anyOf/oneOf/allOf (the first), $ref inside
// the document, minimum, maximum, minLength, maxLength, minItems, format date, date-time, email, uuid, uri.
// Every property is present, required or not. Equal schema and seed give equal values. What is not
// understood becomes a short string; a schema that is not JSON becomes {}.
std::string value_for_schema(std::string_view schema, std::uint64_t seed);

}  // namespace sluice::sim
