// All dialects there are, from both sides.
#pragma once

#include "dialects/dialect.hpp"

#include <vector>

namespace sluice::chat::test {

// A dialect that clients and upstreams both speak.
struct both_sides {
    const client_dialect* client;
    const upstream_dialect* upstream;
};

const std::vector<both_sides>& client_dialects();
const std::vector<const upstream_dialect*>& upstream_dialects();
const client_dialect& client_of(std::string_view name);
const upstream_dialect& upstream_of(std::string_view name);

}  // namespace sluice::chat::test
