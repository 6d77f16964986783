// The upstream connections of one worker: kept alive, aged, and dropped as soon as the other side closes.
#pragma once

#include "net/buffer_pool.hpp"
#include "net/http1_link.hpp"
#include "pipeline/upstream.hpp"

#include <sluice/config.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace sluice::net {

// Makes a new connection to an endpoint: name resolved, connected, TLS done. One per worker.
class dialer {
public:
    virtual awaitable<result<std::unique_ptr<stream>>> dial(const upstream_endpoint& e) = 0;

protected:
    ~dialer() = default;
};

struct pool_limits {
    std::size_t idle_per_endpoint = 256;         // of one worker
    std::chrono::milliseconds idle_time{60000};  // then an unused connection closes
    std::chrono::milliseconds age{300000};       // then it is not reused: DNS may have changed
    int requests = 10000;                        // likewise
};

void read(config_reader& r, pool_limits& c);

class http1_pool final : public upstream_pool {
public:
    http1_pool(reactor& loop, buffer_pool& buffers, dialer& d, pool_limits limits);
    ~http1_pool();

    std::unique_ptr<upstream_connection> pooled(const upstream_endpoint& e) override;
    awaitable<result<std::unique_ptr<upstream_connection>>> open(const upstream_endpoint& e, reuse pooled) override;

    std::size_t idle() const { return idle_; }

private:
    class lease;
    friend http1_link& link_of(upstream_connection& c);
    class idle_link;
    using shelf = std::vector<std::unique_ptr<idle_link>>;  // the last in is the first out

    void give_back(std::unique_ptr<http1_link> link);
    void drop(idle_link& gone);
    bool too_old(const http1_link& link) const { return loop_.now() - link.born() >= limits_.age; }

    reactor& loop_;
    buffer_pool& buffers_;
    dialer& dialer_;
    pool_limits limits_;
    std::unordered_map<std::string, shelf> shelves_;
    std::size_t idle_ = 0;
};

// The link behind a connection that http1_pool handed out: for tunnels.
http1_link& link_of(upstream_connection& c);

}  // namespace sluice::net
