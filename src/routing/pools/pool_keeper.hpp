// Looks after the endpoints of one pool, beside the traffic: are they well, what do they say of their load, which
// addresses does its name have.
//
// Lives on one thread, the admin listener's, whose fetcher it uses: what it costs is never on the way of a request.
#pragma once

#include "net/dns_resolver.hpp"
#include "routing/model_table.hpp"
#include "routing/pools/endpoint_pool.hpp"

#include <sluice/awaitable.hpp>
#include <sluice/fetch.hpp>
#include <sluice/services.hpp>

#include <boost/asio/steady_timer.hpp>

#include <map>
#include <memory>
#include <string>

namespace sluice::routing {

class pool_keeper : public std::enable_shared_from_this<pool_keeper> {
public:
    // `s` and `names` outlive every call of it.
    pool_keeper(std::shared_ptr<endpoint_pool> pool, services& s, net::resolver& names);

    // All on the keeper's thread.
    void start();
    void stop();
    // The pool as a configuration has it: its rules and what its requests carry.
    void configure(const pool_config& config, const header_list& headers);

private:
    using time_point = endpoint_pool::time_point;
    using member_ptr = std::shared_ptr<const pool_member>;
    struct schedule {
        time_point check_at{}, poll_at{};
        bool checking = false, polling = false;
        bool seen = false;  // in this round
    };

    awaitable<void> run();
    void look_round(time_point now);
    time_point after(std::chrono::milliseconds d, time_point now);
    fetch_request request(const pool_member& m, std::string path, std::chrono::milliseconds timeout) const;
    awaitable<void> check(member_ptr m);
    awaitable<void> poll(member_ptr m);
    awaitable<void> poll_cluster(member_ptr m);
    awaitable<void> resolve();
    void show();

    const std::shared_ptr<endpoint_pool> pool_;
    services& services_;
    net::resolver& names_;
    boost::asio::steady_timer timer_;
    pool_config config_;
    header_list headers_;
    std::map<std::string, schedule> schedules_;  // by id
    time_point resolve_at_{}, tick_at_{};
    bool resolving_ = false, stopped_ = false;
};

}  // namespace sluice::routing
