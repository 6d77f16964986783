// The admin API of pools: what an operator does to model servers while traffic runs.
//
//   GET    /pools                                   all pools
//   GET    /pools/{pool}/endpoints                  all endpoints of one, with state, load and what was learned
//   POST   /pools/{pool}/endpoints                  {"url": ..., "id"?, "labels"?, "weight"?, "max_requests"?,
//   "kv_tokens"?} GET    /pools/{pool}/endpoints/{id}             one of them PATCH  /pools/{pool}/endpoints/{id} the
//   same fields as POST, those given DELETE /pools/{pool}/endpoints/{id} POST   /pools/{pool}/endpoints/{id}:drain
//   ?timeout=30s: no new requests; offline once nothing is under way POST   /pools/{pool}/endpoints/{id}:offline     at
//   once; what is under way goes on POST   /pools/{pool}/endpoints/{id}:online      back into service
#pragma once

#include "routing/pools/endpoint_pool.hpp"

#include <sluice/exchange.hpp>
#include <sluice/stage.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::admin {

struct pool_sources {
    // The pools of the configuration in force. Called on the admin worker's thread.
    std::function<std::vector<std::shared_ptr<routing::endpoint_pool>>()> pools;
    // Keeps what was changed. False: there is no state_dir, or it could not be written.
    std::function<bool(const routing::endpoint_pool&)> keep;
};

class pool_stage final : public stage {
public:
    explicit pool_stage(pool_sources sources) : sources_(std::move(sources)) {}
    std::string_view name() const override { return "pools"; }
    awaitable<void> serve(exchange& x, next_stage next) override;

private:
    struct request_path {
        std::string pool, id, action;
        bool endpoints = false;
    };
    static std::optional<request_path> parse(std::string_view path);
    awaitable<void> serve_pool(exchange& x, routing::endpoint_pool& pool, const request_path& path);
    awaitable<void> serve_endpoint(exchange& x, routing::endpoint_pool& pool, const request_path& path);
    // Answers with the endpoint as it is now, after a change.
    awaitable<void> answer_changed(exchange& x, routing::endpoint_pool& pool, std::string_view id, int status);

    const pool_sources sources_;
};

}  // namespace sluice::admin
