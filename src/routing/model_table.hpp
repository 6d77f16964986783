// Models and providers compiled from the configuration: what a request's model name leads to. Immutable and
// shared by all workers; what is learned at run time lives in upstream_state.
#pragma once

#include "dialects/dialect.hpp"
#include "routing/routing_config.hpp"

#include <sluice/exchange.hpp>
#include <sluice/result.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sluice::routing {

// A provider's addresses and credentials; or a pool's.
struct provider {
    provider_config config;
    std::vector<upstream_endpoint> endpoints;  // none of a pool's: they come and go
    std::optional<pool_config> pool;
    std::optional<upstream_endpoint> picker;  // of a pool: the outside picker's address
    upstream_endpoint address;                // what all its endpoints have in common: transport, timeouts, names
    std::shared_ptr<const chat::upstream_dialect> dialect;  // writes what clients of other dialects ask
};

struct model;

struct target {
    const provider* at = nullptr;
    std::size_t provider_index = 0;
    target_config config;
};

struct model {
    model_config config;
    std::vector<target> targets;
    std::vector<const model*> fallback;
};

// A model that was found by a name, and what its `*` stood for.
struct found_model {
    const model* which = nullptr;  // null: there is none
    std::string_view star;         // view of the name that was looked up
};

class model_table {
public:
    // Error: bad_request whose param is the path in the configuration: a CA file that cannot be read, ...
    static result<std::shared_ptr<const model_table>> build(const routing_config& config);

    // By name, by alias, else by the pattern with the longest text before its star.
    found_model find(std::string_view name) const;
    const std::vector<std::unique_ptr<model>>& models() const { return models_; }
    const std::vector<std::unique_ptr<provider>>& providers() const { return providers_; }
    const provider* find_provider(std::string_view name) const;

    // Names that are close to `name` and that the caller may use, nearest first, at most 3.
    std::vector<std::string> suggestions(std::string_view name, const identity& caller) const;

private:
    std::vector<std::unique_ptr<provider>> providers_;
    std::vector<std::unique_ptr<model>> models_;
    std::unordered_map<std::string_view, const model*> by_name_;  // keys live in the models' configs
    std::vector<const model*> patterns_;                          // longest prefix first
};

}  // namespace sluice::routing
