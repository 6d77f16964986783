// What GET /v1/models of a model server says: models, and LoRA adapters on top of them.
#pragma once

#include <sluice/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::signals {

struct served_models {
    std::vector<std::string> base;
    std::vector<std::string> adapters;  // those that name a parent
    std::int64_t context_max = 0;       // tokens, of the largest; 0: not said
    bool operator==(const served_models&) const = default;
};

// At most 4096 names of at most 512 bytes; what is no model is passed over. Error: bad_request.
result<served_models> read_model_list(std::string_view body);

}  // namespace sluice::signals
