// The pools of model servers as the process runs them: brings them in line with a configuration, keeps what operators
// change, and has each looked after.
#pragma once

#include "app/generation.hpp"
#include "app/worker.hpp"
#include "routing/pools/pool_keeper.hpp"
#include "routing/pools/pool_store.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace sluice::app {

class pool_service {
public:
    // `keeper` is the worker whose thread looks after the pools; it outlives this.
    explicit pool_service(worker& keeper) : keeper_(keeper) {}

    // Control thread, once the configuration is certain to come into force; before its stages serve.
    void install(const generation& g);
    void stop();

    // The keeper's thread: the admin API.
    std::vector<std::shared_ptr<routing::endpoint_pool>> pools() const;
    bool keep(const routing::endpoint_pool& pool) const;

private:
    struct looked_after {
        std::shared_ptr<routing::endpoint_pool> pool;
        std::shared_ptr<routing::pool_keeper> by;
    };
    void restore(routing::endpoint_pool& pool);

    worker& keeper_;
    mutable std::mutex mutex_;  // guards the rest
    std::optional<routing::pool_store> store_;
    std::map<std::string, looked_after> pools_;
};

}  // namespace sluice::app
