// A pool's outside picker, asked about one request.
#pragma once

#include "routing/ext_proc/processor_client.hpp"
#include "routing/pools/pool_client.hpp"

#include <sluice/exchange.hpp>

#include <optional>
#include <string>
#include <vector>

namespace sluice::route {

class outside_pick {
public:
    enum class outcome : std::uint8_t {
        listed,  // endpoints, best first
        native,  // the pool's own balancer shall choose
        denied,  // x has failed, by the picker's own words or because it failed
    };

    // All outlive it. `more`: headers that the picker sees beside the request's.
    outside_pick(exchange& x, routing::pool_client& pool, header_list more)
        : x_(x), pool_(pool), more_(std::move(more)), original_(x.request().headers) {}
    ~outside_pick() { x_.request_to_change().headers = std::move(original_); }
    outside_pick(const outside_pick&) = delete;
    outside_pick& operator=(const outside_pick&) = delete;

    const routing::pool_client& of() const { return pool_; }
    // Asks once, with the request as it stands: x.target's path, edits and outgoing body. Then what came out.
    awaitable<outcome> ask();
    // The same by HTTP.
    awaitable<outcome> ask_callout(const picker::request_features& f, std::string_view model);
    // May the pool's balancer choose when the list is spent? Of a callout it is advice.
    bool advises() const { return pool_.service() == nullptr; }
    outcome decided() const { return *decided_; }

    // The first endpoint of the list that was not tried; null: there is none.
    std::shared_ptr<const routing::pool_member> next(const picker::slot_set& tried) const;
    // Puts what the picker made of the request into it, for an attempt.
    void apply();
    // Does it follow the reply?
    ext_proc::processor_client* follower() { return client_ && client_->follows_reply() ? &*client_ : nullptr; }

private:
    exchange& x_;
    routing::pool_client& pool_;
    const header_list more_;
    header_list original_;
    std::optional<ext_proc::processor_client> client_;
    std::optional<outcome> decided_;
    void take_list(std::vector<std::string> names);
    // An endpoint that only the picker knows; null: it may not be dialled, or there is no room for it.
    std::shared_ptr<const routing::pool_member> passed_through(const routing::pool_view& v,
                                                               std::string_view wanted) const;
    ext_proc::dispatch go_;
};

// Asks the picker in the background and counts whether it would have chosen `chosen`. Delays nothing.
void shadow_pick(exchange& x, routing::pool_client& pool, const header_list& more, const routing::pool_member& chosen);

// "10.0.0.1:8000": how pickers name an endpoint.
std::string endpoint_key(const upstream_endpoint& e);

}  // namespace sluice::route
