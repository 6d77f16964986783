// HTTP/2 to upstreams: the connections of one worker, each shared by many requests at once.
//
// A request goes over a connection that has room: fewer requests than the peer takes, and than a limit of ours, after
// which another connection is made; while one is being made those that come wait for it. A connection that is old, or
// was told to go away, serves what it has and gets nothing more. A request that the peer says it has not looked at
// (REFUSED_STREAM, or above the last stream of a GOAWAY) counts as one that a stale connection did not take.
#pragma once

#include "net/upstream_pool.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace sluice::net {

class h2_pool final : public upstream_pool {
public:
    static constexpr std::size_t requests_at_once_max = 100;  // on one connection; RFC 9113 advises no less

    h2_pool(reactor& loop, dialer& d, pool_limits limits);
    ~h2_pool();  // breaks what is open
    h2_pool(const h2_pool&) = delete;
    h2_pool& operator=(const h2_pool&) = delete;

    std::unique_ptr<upstream_connection> pooled(const upstream_endpoint& e) override;
    awaitable<result<std::unique_ptr<upstream_connection>>> open(const upstream_endpoint& e, reuse which) override;

    std::size_t connections() const;

private:
    class link;
    class call;
    class dialling;
    class wait_scope;
    using links = std::vector<std::shared_ptr<link>>;

    std::shared_ptr<link> with_room(const upstream_endpoint& e, reuse which);
    void forget(link& gone);

    reactor& loop_;
    dialer& dialer_;
    const pool_limits limits_;
    std::unordered_map<std::string, links> links_;  // by pool_key
};

// What a worker's stages get: each endpoint by the version that is spoken there.
class versioned_pool final : public upstream_pool {
public:
    versioned_pool(http1_pool& one, h2_pool& two) : one_(one), two_(two) {}
    std::unique_ptr<upstream_connection> pooled(const upstream_endpoint& e) override { return of(e).pooled(e); }
    awaitable<result<std::unique_ptr<upstream_connection>>> open(const upstream_endpoint& e, reuse which) override {
        return of(e).open(e, which);
    }

private:
    upstream_pool& of(const upstream_endpoint& e) {
        if (e.h2) return two_;
        return one_;
    }
    http1_pool& one_;
    h2_pool& two_;
};

}  // namespace sluice::net
