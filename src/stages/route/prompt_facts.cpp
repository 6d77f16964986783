#include "stages/route/prompt_facts.hpp"

#include "routing/picker/prompt_slices.hpp"

#include <algorithm>
#include <array>

namespace sluice::route {
namespace {

std::int64_t number_of(const json_object& body, std::string_view key) {
    const auto v = body.find(key);
    return v ? std::max<std::int64_t>(0, v->integer().value_or(0)) : 0;
}

// Names that servers may understand, and clients must not set; inference gateways and llm-d.
constexpr std::array<std::string_view, 11> picker_headers{
    "x-gateway-destination-endpoint",
    "x-gateway-destination-endpoint-served",
    "x-gateway-destination-endpoint-subset",
    "x-gateway-destination-endpoint-scores",
    "x-gateway-destination-endpoint-fallback",
    "x-prefiller-host-port",
    "x-encoder-hosts-ports",
    "x-data-parallel-host-port",
    "x-kv-cache-source-host-port",
    "x-llm-d-model-name-rewrite",
    "x-gateway-model-name-rewrite",
};

}  // namespace

void strip_picker_headers(header_list& headers) {
    headers.remove_if([](const header_list::field& f) {
        return f.name.size() > 10 && (f.name[0] == 'x' || f.name[0] == 'X') &&
               std::any_of(picker_headers.begin(), picker_headers.end(),
                           [&](std::string_view name) { return iequals(name, f.name); });
    });
}

void prompt_facts::read_prompt(const picker::prefix_scope& scope) {
    picker::prefix_hasher hasher(scope);
    if (const json_object* body = x_.parsed_json()) {
        std::vector<picker::prompt_slice> slices;
        picker::find_prompt(*body, slices);
        for (const picker::prompt_slice& s : slices) {
            if (s.media) {
                hasher.add_media(s.bytes);
            } else {
                hasher.add(s.bytes);
            }
        }
    }
    prompt_bytes_ = hasher.bytes();
    blocks_ = hasher.finish();
}

void prompt_facts::read_limits() {
    limits_read_ = true;
    const json_object* const body = x_.parsed_json();
    if (body == nullptr) return;
    for (const std::string_view key : {"max_completion_tokens", "max_tokens", "max_output_tokens"}) {
        features_.output_tokens_max = std::max(features_.output_tokens_max, number_of(*body, key));
    }
}

const picker::request_features& prompt_facts::at(routing::pool_client& pool, std::string_view model,
                                                 const admission::request_class& what) {
    admission::promise(what, features_);
    if (!limits_read_) read_limits();
    const routing::pool_config& config = pool.config();
    features_.model = picker::name_hash(model);
    features_.adapter = pool.knows_adapter(features_.model) ? features_.model : 0;
    const json_object* const body = x_.parsed_json();
    features_.session = picker::name_hash(x_.request().headers.find(config.session_header).value_or(""));
    for (const std::string_view key : {"prompt_cache_key", "user"}) {
        if (features_.session != 0 || body == nullptr) break;
        if (const auto v = body->find(key); v && v->type == json_type::string)
            features_.session = picker::name_hash(v->raw);
    }
    if (!pool.wants_prompt()) {
        features_.blocks = {};
        features_.prompt_bytes = x_.collected_body().size();
        return features_;
    }
    picker::prefix_scope scope;
    scope.model = model;
    if (config.picking.isolation == routing::prefix_isolation::tenant) scope.tenant = x_.caller.tenant;
    if (body != nullptr) {
        if (const auto salt = body->find("cache_salt")) scope.cache_salt = salt->raw;
    }
    std::string wanted(scope.model);
    wanted.append("\n").append(scope.tenant);
    if (wanted != scope_) {
        read_prompt(scope);
        scope_ = std::move(wanted);
    }
    features_.blocks = blocks_;
    features_.prompt_bytes = prompt_bytes_;
    return features_;
}

}  // namespace sluice::route
