// The models that are known, found by any name they go by.
#pragma once

#include "config/load.hpp"
#include "governance/catalogue/catalogue_config.hpp"
#include "governance/catalogue/model_info.hpp"

#include <sluice/result.hpp>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sluice::catalogue {

// Immutable once built: any thread may ask, and a reload swaps the whole.
class model_catalogue {
public:
    // Each of `overrides` is laid over the model of its name, field by field, or added when there is none:
    //   - a number, text or price that it has replaces the model's, one that it lacks leaves it;
    //   - capabilities likewise, one by one;
    //   - a list (aliases, tiers) that is not empty replaces the list.
    // Error (bad_request): two models claim one name; param is the place among the overrides ("models[2].aliases").
    // Where both claimants are of `models`, which the reader has refused already, it is "models".
    static result<std::shared_ptr<const model_catalogue>> build(std::vector<model_info> models,
                                                                const std::vector<model_info>& overrides);

    // By name, else by an alias without wildcards, else by the longest glob that matches (the first of equally long
    // ones). Nothing for a model that is not known. Valid as long as the catalogue. Constant time for names and
    // aliases; a name that only a glob matches, or nothing, is held against every glob.
    const model_info* find(std::string_view name) const;

    const std::vector<model_info>& models() const { return models_; }

private:
    struct text_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
    };
    struct glob {
        std::string pattern;
        std::size_t model;
    };

    std::vector<model_info> models_;
    std::unordered_map<std::string, std::size_t, text_hash, std::equal_to<>> exact_;  // names and plain aliases
    std::vector<glob> globs_;                                                         // longest first
};

struct catalogue_load {
    std::shared_ptr<const model_catalogue> made;  // null if anything below is wrong
    config::load_report report;                   // of the file; empty without one
    std::optional<error> conflict;                // param: the place below `catalogue`
};

// Reads the file, if any, and lays the configuration's own models over it. A relative path starts at `folder`.
// Blocks on the file system.
catalogue_load load(const catalogue_config& config, const std::filesystem::path& folder);

}  // namespace sluice::catalogue
