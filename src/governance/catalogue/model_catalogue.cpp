#include "governance/catalogue/model_catalogue.hpp"

#include "base/glob.hpp"

#include <algorithm>
#include <tuple>

namespace sluice::catalogue {
namespace {

void overlay(price& base, const price& over) {
    if (over) base = over;
}

void overlay(std::string& base, const std::string& over) {
    if (!over.empty()) base = over;
}

void overlay(std::int64_t& base, std::int64_t over) {
    if (over != 0) base = over;
}

template <class T>
void overlay(std::vector<T>& base, const std::vector<T>& over) {
    if (!over.empty()) base = over;
}

void overlay(token_prices& base, const token_prices& over) {
    overlay(base.input, over.input);
    overlay(base.cached_input, over.cached_input);
    overlay(base.cache_write, over.cache_write);
    overlay(base.cache_write_1h, over.cache_write_1h);
    overlay(base.output, over.output);
    overlay(base.reasoning, over.reasoning);
    overlay(base.audio_input, over.audio_input);
    overlay(base.audio_output, over.audio_output);
}

void overlay(model_info& base, const model_info& over) {
    overlay(base.provider, over.provider);
    overlay(base.family, over.family);
    overlay(base.aliases, over.aliases);
    overlay(base.context_tokens, over.context_tokens);
    overlay(base.output_tokens_max, over.output_tokens_max);
    if (over.counts_with != tokenizer::unknown) base.counts_with = over.counts_with;
    base.can.overlay(over.can);
    overlay(base.prices.base, over.prices.base);
    overlay(base.prices.tiers, over.prices.tiers);
    overlay(base.prices.per_request, over.prices.per_request);
    overlay(base.prices.per_image, over.prices.per_image);
    overlay(base.prices.batch_millionths, over.prices.batch_millionths);
}

bool is_glob(std::string_view alias) {
    return alias.find_first_of("*?") != alias.npos;
}

error conflict(std::string message, std::string place) {
    return error{error_kind::bad_request, std::move(message), std::move(place)};
}

// Where among the overrides a model was named.
std::string place_of(const std::vector<model_info>& overrides, std::string_view model, std::string_view field) {
    for (std::size_t i = 0; i < overrides.size(); ++i) {
        if (overrides[i].name == model) return "models[" + std::to_string(i) + "]." + std::string{field};
    }
    return {};
}

// The override's place if one of the two models has one, since the file was checked when it was read.
error clash(const std::vector<model_info>& overrides, const model_info& later, const model_info& earlier,
            const std::string& name, std::string_view field) {
    std::string place = place_of(overrides, later.name, field);
    if (place.empty()) place = place_of(overrides, earlier.name, earlier.name == name ? "name" : "aliases");
    if (place.empty()) place = "models";
    return conflict("\"" + name + "\" is a name of both \"" + earlier.name + "\" and \"" + later.name + "\"", place);
}

}  // namespace

result<std::shared_ptr<const model_catalogue>> model_catalogue::build(std::vector<model_info> models,
                                                                      const std::vector<model_info>& overrides) {
    auto made = std::make_shared<model_catalogue>();
    std::unordered_map<std::string, std::size_t> by_name;
    for (std::size_t i = 0; i < models.size(); ++i) by_name.emplace(models[i].name, i);
    for (const model_info& over : overrides) {
        const auto [at, fresh] = by_name.emplace(over.name, models.size());
        if (fresh) {
            models.push_back(over);
        } else {
            overlay(models[at->second], over);
        }
    }
    made->models_ = std::move(models);

    std::unordered_map<std::string, std::size_t> patterns;
    for (std::size_t i = 0; i < made->models_.size(); ++i) {
        const model_info& m = made->models_[i];
        const auto [at, fresh] = made->exact_.emplace(m.name, i);
        if (!fresh) return clash(overrides, m, made->models_[at->second], m.name, "name");
    }
    for (std::size_t i = 0; i < made->models_.size(); ++i) {
        const model_info& m = made->models_[i];
        for (const std::string& alias : m.aliases) {
            const bool wild = is_glob(alias);
            std::size_t owner = i;
            const bool fresh = wild ? patterns.emplace(alias, i).second : made->exact_.emplace(alias, i).second;
            if (!fresh) {
                owner = wild ? patterns.find(alias)->second : made->exact_.find(alias)->second;
                return clash(overrides, m, made->models_[owner], alias, "aliases");
            }
            if (wild) made->globs_.push_back({alias, i});
        }
    }
    std::sort(made->globs_.begin(), made->globs_.end(), [](const glob& a, const glob& b) {
        if (a.pattern.size() != b.pattern.size()) return a.pattern.size() > b.pattern.size();
        return std::tie(a.model, a.pattern) < std::tie(b.model, b.pattern);
    });
    return std::shared_ptr<const model_catalogue>(std::move(made));
}

const model_info* model_catalogue::find(std::string_view name) const {
    if (const auto at = exact_.find(name); at != exact_.end()) return &models_[at->second];
    for (const glob& g : globs_) {
        if (glob_match(g.pattern, name)) return &models_[g.model];
    }
    return nullptr;
}

catalogue_load load(const catalogue_config& config, const std::filesystem::path& folder) {
    catalogue_load out;
    catalogue_file file;
    if (!config.file.empty()) {
        // An absolute path replaces the folder.
        out.report = config::load((folder / config.file).string(), [&](config_reader& r) { read(r, file); });
        if (!out.report.ok()) return out;
    }
    auto made = model_catalogue::build(std::move(file.models), config.models);
    if (made) {
        out.made = std::move(*made);
    } else {
        out.conflict = made.error();
    }
    return out;
}

}  // namespace sluice::catalogue
