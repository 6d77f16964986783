// Which target comes next: a decision from facts, without I/O.
//
// Of a model's targets those whose conditions hold are eligible; the lowest priority number that has an available
// one is used, drawn by weight, or by rendezvous hashing for callers who stay with theirs. When nothing of a
// model is left, its fallback models follow. What was tried is not tried again.
#pragma once

#include "base/random.hpp"
#include "routing/model_table.hpp"
#include "routing/provider_runtime.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::routing {

struct candidate {
    const target* to = nullptr;
    const model* of = nullptr;
    provider_runtime* at = nullptr;
    std::size_t endpoint = 0, credential = 0;
};

// Who is to blame for a failed attempt, and so what the next one leaves out.
enum class fault : std::uint8_t {
    none,
    credential,  // limited or refused: at every target of its provider
    address,     // not reached: for every target of its provider
    target,      // it answered with an error: this target at this address; another model there may work
};

// What else a target must satisfy to be a candidate, besides its own conditions.
class target_filter {
public:
    virtual bool allows(const model& m, const target& t) const = 0;

protected:
    ~target_filter() = default;
};

class attempt_plan {
public:
    using runtimes = std::vector<std::unique_ptr<provider_runtime>>;  // by provider index

    // All arguments outlive the plan. `subject` is who stays with a target; empty: nobody does.
    attempt_plan(const model& asked, const exchange& x, runtimes& providers, random_source& random,
                 std::string_view subject, const target_filter& filter);

    // The next candidate; nothing when none is left.
    std::optional<candidate> next(steady_time now);
    void failed(const candidate& c, fault whose) { tried_.push_back({c, whose}); }
    // Has an attempt at that provider failed?
    bool tried(const provider_runtime& at) const;
    // Is there anything but the one target that was asked for?
    bool has_others() const { return asked_.targets.size() > 1 || !asked_.fallback.empty(); }
    // How long until the last limited credential of the eligible targets is free again; 0: none is limited.
    std::chrono::milliseconds limited_for(steady_time now) const;

private:
    struct attempt {
        candidate what;
        fault whose;
    };
    std::optional<candidate> next_of(const model& m, steady_time now, bool strict);
    std::optional<candidate> try_target(const model& m, const target& t, steady_time now, bool strict);
    // Takes it a share of this request? By its weight, its conditions and the filter.
    bool eligible(const model& m, const target& t) const;
    // Orders the eligible targets of one priority: drawn by weight, or fixed for the subject.
    void order(std::vector<const target*>& tier);

    const model& asked_;
    const exchange& x_;
    runtimes& providers_;
    random_source& random_;
    std::string_view subject_;
    const target_filter& filter_;
    std::vector<attempt> tried_;
};

}  // namespace sluice::routing
