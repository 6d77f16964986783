#include "stages/route/known_models.hpp"

#include <algorithm>
#include <utility>

namespace sluice::route {

std::string upstream_name(const routing::model& m, const routing::target& t, std::string_view star) {
    // Without a name of its own a target is asked for its model by the model's name, not by an alias.
    std::string name = t.config.model.empty() ? m.config.name : t.config.model;
    if (const auto at = name.find('*'); at != std::string::npos) name.replace(at, 1, star);
    return name;
}

known_models::known_models(std::shared_ptr<const catalogue::model_catalogue> models,
                           std::shared_ptr<const tokens::token_counters> counters)
    : models_(std::move(models)), counters_(std::move(counters)) {
    if (models_ == nullptr) return;
    for (const catalogue::model_info& m : models_->models()) {
        if (m.context_tokens > 0) smallest_window_ = std::min(smallest_window_, m.context_tokens);
    }
}

const catalogue::model_info* known_models::find(std::string_view upstream_name) const {
    return models_ != nullptr ? models_->find(upstream_name) : nullptr;
}

const tokens::bpe_counter* known_models::counter(const catalogue::model_info* model) const {
    if (model == nullptr || counters_ == nullptr) return nullptr;
    switch (model->counts_with) {
        case catalogue::tokenizer::o200k_base:
            return counters_->find(tokens::encoding::o200k_base);
        case catalogue::tokenizer::cl100k_base:
            return counters_->find(tokens::encoding::cl100k_base);
        default:
            return nullptr;
    }
}

}  // namespace sluice::route
