// What the catalogue knows of the models that targets ask for.
#pragma once

#include "governance/catalogue/model_catalogue.hpp"
#include "governance/tokens/token_counters.hpp"
#include "routing/model_table.hpp"

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

namespace sluice::route {

// The model's name at the provider: its own by default, with what the `*` of the configured name stood for.
std::string upstream_name(const routing::model& m, const routing::target& t, std::string_view star);

class known_models {
public:
    known_models() = default;
    // Either may be null.
    known_models(std::shared_ptr<const catalogue::model_catalogue> models,
                 std::shared_ptr<const tokens::token_counters> counters);

    // By its name at a provider; null: nothing is known of it. Lives as long as this.
    const catalogue::model_info* find(std::string_view upstream_name) const;
    // What counts its tokens exactly; null: nothing that is installed.
    const tokens::bpe_counter* counter(const catalogue::model_info* model) const;
    // Does the catalogue know any model at all?
    bool any() const { return models_ != nullptr && !models_->models().empty(); }
    // Of all windows the catalogue has, in tokens; the largest number there is where it has none.
    std::int64_t smallest_window() const { return smallest_window_; }

private:
    std::shared_ptr<const catalogue::model_catalogue> models_;
    std::shared_ptr<const tokens::token_counters> counters_;
    std::int64_t smallest_window_ = std::numeric_limits<std::int64_t>::max();
};

}  // namespace sluice::route
