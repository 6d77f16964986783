// Copies of some requests for targets whose answers nobody sees: how a new model would do, at no client's risk.
//
// A copy is a request of its own on its own connection. It is made ready beside the real request and sent in a later
// turn of the worker's loop, when the real one is on its way; nothing of the exchange is touched after that. Its answer
// is read, measured and dropped. What copies hold counts against the process' memory budget, what they cost against
// their own; where either is used up, no copy is made.
#pragma once

#include "base/random.hpp"
#include "governance/arms/shadow_budget.hpp"
#include "pipeline/upstream.hpp"
#include "routing/attempt_plan.hpp"
#include "routing/model_table.hpp"

#include <sluice/exchange.hpp>
#include <sluice/services.hpp>

#include <memory>
#include <optional>
#include <vector>

namespace sluice::route {

struct shadow_lane;  // one model's
struct shadow_crew;  // what copies under way need, longer than their stage

// The statuses of a real answer and of its copy's: whoever comes last counts whether they are of one class.
class shadow_pair {
public:
    shadow_pair(counter& agree, counter& differ) : agree_(agree), differ_(differ) {}
    // 0: there is nothing to compare.
    void real(int status) { compare(real_, status, shadow_); }
    void shadow(int status) { compare(shadow_, status, real_); }

private:
    void compare(std::optional<int>& own, int status, const std::optional<int>& other);
    counter &agree_, &differ_;
    std::optional<int> real_, shadow_;
};

// On the frame of the real request: tells the pair how that ended, however it ends.
class shadow_watch {
public:
    explicit shadow_watch(const exchange& x) : x_(x) {}
    ~shadow_watch();
    shadow_watch(const shadow_watch&) = delete;
    shadow_watch& operator=(const shadow_watch&) = delete;
    std::shared_ptr<shadow_pair> pair;  // null: no copy was sent

private:
    const exchange& x_;
};

// The shadows of one route stage on one worker.
class shadows {
public:
    // `pool` and `s` outlive all copies, which end soon after this does: they are cancelled. Null: no copies.
    shadows(std::shared_ptr<const routing::model_table> models, upstream_pool* pool, services& s);
    ~shadows();
    shadows(const shadows&) = delete;
    shadows& operator=(const shadows&) = delete;

    // Where to send a copy of this request; nothing: none is to be made. After it a send() or a drop() is due.
    struct turn {
        shadow_lane* lane;
        routing::candidate to;
    };
    std::optional<turn> draw(const exchange& x, const routing::model& m, random_source& random);
    // The exchange points at the turn's target, its body as that wants it. Copies what it needs.
    std::shared_ptr<shadow_pair> send(const turn& t, exchange& x);
    // The target cannot take what this request asks.
    void drop(const turn& t);

private:
    std::shared_ptr<shadow_crew> crew_;  // null: no model has a shadow
};

}  // namespace sluice::route
