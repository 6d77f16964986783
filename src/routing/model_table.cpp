#include "routing/model_table.hpp"

#include "base/nearest.hpp"
#include "http/url.hpp"
#include "net/dialer.hpp"
#include "routing/dialects.hpp"
#include "routing/ext_proc/processor_address.hpp"

#include <algorithm>

namespace sluice::routing {
namespace {

// Names how a provider is reached, by hash: who has another certificate, proxy or address guard shares no connection.
std::string transport_name(const provider_config& config) {
    std::size_t h = 0;
    const auto mix = [&](std::string_view text) {
        h = (h ^ std::hash<std::string_view>{}(text)) * 0x9e3779b97f4a7c15 + 1;
    };
    const auto number = [&](std::int64_t n) { mix(std::to_string(n)); };
    const net::tls_client_config& tls = config.tls;
    for (const std::string& text : {tls.ca_file, tls.server_name, tls.cert_file, tls.key_file}) mix(text);
    number(static_cast<std::int64_t>(tls.min_version) * 2 + static_cast<std::int64_t>(tls.insecure_skip_verify));
    number(static_cast<std::int64_t>(config.http));
    const net::connect_config& connect = config.connect;
    number(static_cast<std::int64_t>(connect.addresses.allow_private));
    for (const auto* list : {&connect.addresses.allow, &connect.addresses.deny}) {
        number(static_cast<std::int64_t>(list->size()));
        for (const std::string& block : *list) mix(block);
    }
    if (connect.proxy) {
        for (const std::string& text : {connect.proxy->host, connect.proxy->user}) mix(text);
        number(connect.proxy->port);
        mix(connect.proxy->password.reveal());
        for (const std::string& host : connect.proxy->bypass) mix(host);
    }
    return std::to_string(h);
}

result<std::unique_ptr<provider>> build_provider(const provider_config& config, net::tls_trust& trust) {
    auto p = std::make_unique<provider>();
    p->config = config;
    p->dialect = make_upstream_dialect(config);
    auto options = net::endpoint_options::make(config.connect);
    if (!options) return options.error();
    auto tls = net::tls_client_context::make(config.tls, trust);
    if (!tls) return tls.error();
    const auto transport = std::make_shared<const net::transport>(net::transport{std::move(*options), std::move(*tls)});
    p->address.provider = config.name;
    p->address.pool_key = config.name + " " + transport_name(config);  // a provider's connections are its own
    p->address.connect_options = transport;
    p->address.timeouts = config.timeouts.values;
    p->address.h2 = config.http == http_version::two;
    for (const std::string& text : config.base_urls) {
        const auto url = http::parse_url(text);
        if (!url) return url.error();
        upstream_endpoint e = p->address;
        e.name = url->authority();
        e.tls = url->tls;
        e.host = url->host;
        e.port = url->port;
        e.host_header = url->authority();
        e.base_path = url->path_and_query;
        while (e.base_path.ends_with('/')) e.base_path.pop_back();
        e.pool_key += " " + url->scheme + "://" + e.host_header;
        p->endpoints.push_back(std::move(e));
    }
    return p;
}

}  // namespace

result<std::shared_ptr<const model_table>> model_table::build(const routing_config& config) {
    auto table = std::make_shared<model_table>();
    net::tls_trust trust;
    for (std::size_t i = 0; i < config.providers.size(); ++i) {
        auto p = build_provider(config.providers[i], trust);
        if (!p) return error{error_kind::bad_request, p.error().message, "providers[" + std::to_string(i) + "]"};
        table->providers_.push_back(std::move(*p));
    }
    for (std::size_t i = 0; i < config.pools.size(); ++i) {
        auto p = build_provider(config.pools[i].server, trust);
        if (!p) return error{error_kind::bad_request, p.error().message, "pools[" + std::to_string(i) + "]"};
        (*p)->pool = config.pools[i].pool;
        if (config.pools[i].pool.service) {
            const picker_service_config& service = *config.pools[i].pool.service;
            auto picker = ext_proc::processor_address(config.pools[i].server.name, service.address, service.tls, trust,
                                                      service.session.first_response);
            if (!picker) {
                return error{error_kind::bad_request, picker.error().message,
                             "pools[" + std::to_string(i) + "].picker_service"};
            }
            (*p)->picker = std::move(*picker);
        }
        table->providers_.push_back(std::move(*p));
    }
    for (const model_config& from : config.models) {
        auto m = std::make_unique<model>();
        m->config = from;
        for (const target_config& t : from.targets) {
            for (std::size_t i = 0; i < table->providers_.size(); ++i) {
                if (table->providers_[i]->config.name == t.provider)
                    m->targets.push_back({table->providers_[i].get(), i, t});
            }
        }
        table->models_.push_back(std::move(m));
    }
    for (auto& m : table->models_) {
        for (const std::string& name : m->config.fallback) {
            for (auto& other : table->models_) {
                if (other->config.name == name) m->fallback.push_back(other.get());
            }
        }
        if (m->config.name.find('*') != std::string::npos) {
            table->patterns_.push_back(m.get());
        } else {
            table->by_name_.emplace(m->config.name, m.get());
        }
        for (const std::string& alias : m->config.aliases) table->by_name_.emplace(alias, m.get());
    }
    std::sort(table->patterns_.begin(), table->patterns_.end(), [](const model* a, const model* b) {
        const auto before = [](const model* m) { return m->config.name.find('*'); };
        return before(a) != before(b) ? before(a) > before(b) : a->config.name < b->config.name;
    });
    return std::shared_ptr<const model_table>(std::move(table));
}

found_model model_table::find(std::string_view name) const {
    if (const auto exact = by_name_.find(name); exact != by_name_.end()) return {exact->second, {}};
    for (const model* m : patterns_) {
        const std::string_view pattern = m->config.name;
        const auto star = pattern.find('*');
        const std::string_view before = pattern.substr(0, star), behind = pattern.substr(star + 1);
        if (name.size() >= before.size() + behind.size() && name.starts_with(before) && name.ends_with(behind)) {
            return {m, name.substr(before.size(), name.size() - before.size() - behind.size())};
        }
    }
    return {};
}

const provider* model_table::find_provider(std::string_view name) const {
    for (const auto& p : providers_) {
        if (p->config.name == name) return p.get();
    }
    return nullptr;
}

std::vector<std::string> model_table::suggestions(std::string_view name, const identity& caller) const {
    std::vector<std::pair<std::size_t, std::string>> close;
    const std::size_t limit = std::max<std::size_t>(3, name.size() / 3);
    for (const auto& [known, m] : by_name_) {
        if (!caller.may_use(known) || !may_see(m->config.life, caller)) continue;
        const std::size_t distance = edit_distance(name, known, limit);
        const bool kin = !name.empty() && (known.starts_with(name) || name.starts_with(known));
        if (distance <= limit || kin) close.emplace_back(distance, std::string(known));
    }
    std::sort(close.begin(), close.end());
    std::vector<std::string> names;
    for (auto& [distance, text] : close) {
        if (names.size() == 3) break;
        names.push_back(std::move(text));
    }
    return names;
}

}  // namespace sluice::routing
