// Balancers that need to know nothing of a request's prompt. All answer one question, which of the endpoints, by an
// index into the span they get, and share nothing with endpoint_picker but the words.
//
// Each object belongs to one worker thread, except where it says thread-safe; loads come in as readings, so that the
// counters behind them may be everybody's. An endpoint of weight 0 is never chosen; nothing is chosen when there is no
// other. Deterministic for a seed.
#pragma once

#include "base/random.hpp"
#include "routing/picker/pool_snapshot.hpp"

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace sluice::picker {

// What a balancer sees of an endpoint.
struct balanced {
    std::uint64_t name = 0;  // name_hash of its id: hashing and memory of sessions hang on it
    double weight = 1;
    std::int64_t inflight = 0;  // requests under way
    double latency_s = 0;       // peak_ewma only: from latency_ewma::at
};

using choice = std::optional<std::size_t>;

// In turn, smoothly by weight (nginx's algorithm): of weights 5, 1, 1 the first gets five of seven, not in a row.
class round_robin {
public:
    choice next(std::span<const balanced> endpoints);

private:
    struct credit {
        std::uint64_t name;
        double value;
    };
    std::vector<credit> credits_;  // in the order of the endpoints of the last call
};

// Fewest requests per weight, counting the one that comes; ties are drawn.
class least_request {
public:
    explicit least_request(std::uint64_t seed) : random_(seed) {}
    choice next(std::span<const balanced> endpoints);

private:
    random_source random_;
};

// The less loaded of two drawn by weight: nearly as even as least_request, and workers whose readings are a little old
// do not all rush to the same endpoint.
class two_choices {
public:
    explicit two_choices(std::uint64_t seed) : random_(seed) {}
    choice next(std::span<const balanced> endpoints);

private:
    random_source random_;
};

// Two choices by (requests + 1) x latency, which follows an endpoint that becomes slow at once and forgives slowly
// (Finagle's peak EWMA).
class peak_ewma {
public:
    explicit peak_ewma(std::uint64_t seed) : random_(seed) {}
    choice next(std::span<const balanced> endpoints);

private:
    random_source random_;
};

// The latency of one endpoint for peak_ewma. Thread-safe; of two samples at the same moment one may be lost.
class latency_ewma {
public:
    static constexpr double decay_s = 10;  // after this time a sample's share is down to 1/e

    void saw(double latency_s, steady_time now);
    double at(steady_time now) const;  // 0: nothing seen yet, or long ago

private:
    std::atomic<double> value_{0};
    std::atomic<std::int64_t> stamp_{0};
};

// Hashing that bounds load: the endpoint whose name and the key hash highest (rendezvous, by weight), unless it has
// more than `bound` times its share of all requests under way; then the next highest. A key stays where it is when
// other endpoints come or go. Stateless and thread-safe.
class bounded_hash {
public:
    // bound >= 1: 1.25 is common; large numbers bound nothing.
    explicit bounded_hash(double bound) : bound_(bound) {}
    choice next(std::span<const balanced> endpoints, std::uint64_t key) const;

private:
    double bound_;
};

// Sessions stay where they were, as long as that endpoint is there; new ones go where `fallback` says. Remembers the
// newest `sessions_max`. Not thread-safe: one per worker, or behind the bounded_hash, which needs no memory.
class sticky_sessions {
public:
    explicit sticky_sessions(std::size_t sessions_max);
    // The endpoint of the session; nothing when it is new or its endpoint has gone or takes no more.
    choice find(std::span<const balanced> endpoints, std::uint64_t session) const;
    void remember(std::uint64_t session, std::uint64_t endpoint_name);

private:
    static constexpr std::size_t ways = 4;
    struct entry {
        std::uint64_t session = 0, name = 0;
        std::uint64_t stamp = 0;
    };
    std::size_t set_of(std::uint64_t session) const { return stir(session) % (entries_.size() / ways) * ways; }
    std::vector<entry> entries_;  // sets of `ways`; the oldest of a set is replaced
    std::uint64_t stamp_ = 0;
};

}  // namespace sluice::picker
