// The fields of a body for which there are rules, and the ways to write them so that a rule would miss them.
#pragma once

#include "stages/rewrite/rewrite_config.hpp"

#include <sluice/json.hpp>
#include <sluice/result.hpp>

#include <map>
#include <string>
#include <string_view>

namespace sluice::rewrite {

// Immutable.
class governed_fields {
public:
    explicit governed_fields(const rewrite_config& config);

    // Error (bad_request): a field whose name is written with escapes, or as one with rules but for the case of its
    // letters. To our comparison those are other fields; to an upstream's JSON reader they may be the same: escapes
    // to all, case to some (Go's encoding/json is one).
    result<void> check(const json_object& body) const;

private:
    std::map<std::string, std::string, std::less<>> by_folded_;  // as it compares without case: as it is written
};

}  // namespace sluice::rewrite
