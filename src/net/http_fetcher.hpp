// Small HTTP calls of the gateway itself, over the worker's upstream pool.
#pragma once

#include "net/reactor.hpp"
#include "pipeline/upstream.hpp"

#include <sluice/fetch.hpp>

#include <memory>

namespace sluice::net {

class http_fetcher final : public fetcher {
public:
    // The transports (opaque connect options) for calls that may, or may not, reach private addresses.
    http_fetcher(reactor& loop, upstream_pool& pool, std::shared_ptr<const void> anywhere,
                 std::shared_ptr<const void> public_only)
        : loop_(loop), pool_(pool), anywhere_(std::move(anywhere)), public_only_(std::move(public_only)) {}

    awaitable<result<fetch_reply>> fetch(fetch_request request) override;

private:
    reactor& loop_;
    upstream_pool& pool_;
    std::shared_ptr<const void> anywhere_, public_only_;
};

}  // namespace sluice::net
