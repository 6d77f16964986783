#include "app/pool_service.hpp"

#include "routing/credentials.hpp"
#include "routing/pools/pool_client.hpp"
#include "telemetry/log.hpp"

#include <chrono>

namespace sluice::app {
namespace {

// What checks carry: the pool's headers and its first credential, where that is a header.
header_list headers_of(const routing::provider& p, services& s) {
    header_list common;
    for (const auto& [name, value] : p.config.headers) common.add(name, value);
    if (p.config.credentials.empty()) return common;
    return routing::make_credential(p.config.credentials.front(), common, p.config.name, s).headers;
}

}  // namespace

void pool_service::restore(routing::endpoint_pool& pool) {
    if (!store_) return;
    const auto text = store_->load(pool.name());
    if (!text) return log::error("pool {}: {}", pool.name(), text.error().message);
    if (!*text) return;
    const auto done = pool.restore(**text, std::chrono::steady_clock::now());
    if (!done) log::error("pool {}: what was kept of it: {}", pool.name(), done.error().message);
}

void pool_service::install(const generation& g) {
    const auto now = std::chrono::steady_clock::now();
    const std::lock_guard lock(mutex_);
    store_.reset();
    if (!g.config.state_dir.empty()) store_.emplace(g.config.state_dir);
    std::map<std::string, looked_after> next;
    for (const auto& p : g.models->providers()) {
        if (!p->pool) continue;
        const std::string& name = p->config.name;
        looked_after& l = next[name];
        l.pool = routing::pool_of(*p, keeper_.common());
        const auto file = g.endpoint_files.find(name);
        const auto problems = l.pool->configure(
            *p->pool, p->address,
            file == g.endpoint_files.end() ? std::span<const routing::endpoint_config>{} : file->second, now);
        for (const std::string& problem : problems) log::error("pool {}: {}", name, problem);
        const auto known = pools_.find(name);
        const bool fresh = known == pools_.end();
        if (fresh) restore(*l.pool);
        l.by = fresh ? std::make_shared<routing::pool_keeper>(l.pool, keeper_.common(), keeper_.names())
                     : known->second.by;
        keeper_.post([by = l.by, fresh, config = *p->pool, headers = headers_of(*p, keeper_.common())] {
            by->configure(config, headers);
            if (fresh) by->start();
        });
    }
    for (auto& [name, l] : pools_) {
        if (!next.contains(name)) keeper_.post([by = l.by] { by->stop(); });
    }
    pools_ = std::move(next);
}

void pool_service::stop() {
    const std::lock_guard lock(mutex_);
    for (auto& [name, l] : pools_) keeper_.post([by = l.by] { by->stop(); });
}

std::vector<std::shared_ptr<routing::endpoint_pool>> pool_service::pools() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<routing::endpoint_pool>> all;
    for (const auto& [name, l] : pools_) all.push_back(l.pool);
    return all;
}

bool pool_service::keep(const routing::endpoint_pool& pool) const {
    const std::lock_guard lock(mutex_);
    if (!store_) return false;
    const auto done = store_->save(pool.name(), pool.saved());
    if (!done) log::error("pool {}: {}", pool.name(), done.error().message);
    return done.has_value();
}

}  // namespace sluice::app
