#include "routing/picker/balancers.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sluice::picker {
namespace {

double total_weight(std::span<const balanced> endpoints) {
    double sum = 0;
    for (const balanced& e : endpoints) sum += std::max(0.0, e.weight);
    return sum;
}

double requests_per_weight(const balanced& e) {
    return static_cast<double>(e.inflight + 1) / e.weight;
}

constexpr std::size_t nobody = ~std::size_t{0};

// One of the endpoints but `except`, by weight; `total` is the sum of all their weights. Nobody if none is left.
std::size_t drawn(std::span<const balanced> endpoints, double total, std::size_t except, random_source& random) {
    if (except != nobody) total -= endpoints[except].weight;
    double at = random.unit() * total;
    std::size_t last = nobody;
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
        if (i == except || endpoints[i].weight <= 0) continue;
        last = i;
        at -= endpoints[i].weight;
        if (at < 0) break;
    }
    return last;
}

// The better of two.
template <class F>
choice better_of_two(std::span<const balanced> endpoints, random_source& random, F&& burden) {
    const double total = total_weight(endpoints);
    if (total <= 0) return std::nullopt;
    const std::size_t a = drawn(endpoints, total, nobody, random);
    const std::size_t b = drawn(endpoints, total, a, random);
    if (b == nobody) return a;
    return burden(endpoints[b]) < burden(endpoints[a]) ? b : a;
}

}  // namespace

choice round_robin::next(std::span<const balanced> endpoints) {
    const bool same = credits_.size() == endpoints.size() &&
                      std::equal(credits_.begin(), credits_.end(), endpoints.begin(),
                                 [](const credit& c, const balanced& e) { return c.name == e.name; });
    if (!same) {
        // Who was there before keeps its credit, so that a change in the pool starts no new round.
        std::vector<credit> fresh;
        for (const balanced& e : endpoints) {
            const auto old =
                std::find_if(credits_.begin(), credits_.end(), [&](const credit& c) { return c.name == e.name; });
            fresh.push_back({e.name, old != credits_.end() ? old->value : 0});
        }
        credits_ = std::move(fresh);
    }
    choice best;
    double total = 0;
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
        if (endpoints[i].weight <= 0) continue;
        total += endpoints[i].weight;
        credits_[i].value += endpoints[i].weight;
        if (!best || credits_[i].value > credits_[*best].value) best = i;
    }
    if (best) credits_[*best].value -= total;
    return best;
}

choice least_request::next(std::span<const balanced> endpoints) {
    choice best;
    std::uint64_t tied = 0;
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
        if (endpoints[i].weight <= 0) continue;
        const double here = requests_per_weight(endpoints[i]);
        const double least = best ? requests_per_weight(endpoints[*best]) : std::numeric_limits<double>::infinity();
        if (here < least) {
            best = i;
            tied = 1;
        } else if (here == least && random_.below(++tied) == 0) {
            best = i;
        }
    }
    return best;
}

choice two_choices::next(std::span<const balanced> endpoints) {
    return better_of_two(endpoints, random_, requests_per_weight);
}

choice peak_ewma::next(std::span<const balanced> endpoints) {
    // An endpoint without a sample is tried before it is judged.
    return better_of_two(endpoints, random_, [](const balanced& e) { return requests_per_weight(e) * e.latency_s; });
}

void latency_ewma::saw(double latency_s, steady_time now) {
    const double before = at(now);
    // The peak counts whole; what is less pulls down by the share of the time that has passed.
    const std::int64_t stamp = stamp_.load(std::memory_order_relaxed);
    const double passed = stamp == 0 ? decay_s : seconds_between(steady_time(steady_time::duration(stamp)), now);
    const double share = 1 - std::exp(-std::max(0.0, passed) / decay_s);
    const double old = stamp == 0 ? latency_s : value_.load(std::memory_order_relaxed);
    value_.store(latency_s > before ? latency_s : old + (latency_s - old) * share, std::memory_order_relaxed);
    stamp_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
}

double latency_ewma::at(steady_time now) const {
    const std::int64_t stamp = stamp_.load(std::memory_order_relaxed);
    if (stamp == 0) return 0;
    const double idle = std::max(0.0, seconds_between(steady_time(steady_time::duration(stamp)), now));
    return value_.load(std::memory_order_relaxed) * std::exp(-idle / decay_s);
}

choice bounded_hash::next(std::span<const balanced> endpoints, std::uint64_t key) const {
    const double total = total_weight(endpoints);
    if (total <= 0) return std::nullopt;
    double requests = 1;
    for (const balanced& e : endpoints)
        if (e.weight > 0) requests += static_cast<double>(e.inflight);
    choice best, best_of_all;
    double highest = -1, highest_of_all = -1;
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
        const balanced& e = endpoints[i];
        if (e.weight <= 0) continue;
        // Weighted rendezvous hashing: -w / ln(u) with u drawn by the hash of key and name.
        const double u = (static_cast<double>(stir(key ^ stir(e.name)) >> 11) + 0.5) * 0x1.0p-53;
        const double score = -e.weight / std::log(u);
        if (score > highest_of_all) {
            highest_of_all = score;
            best_of_all = i;
        }
        const double most = std::ceil(bound_ * requests * e.weight / total);
        if (static_cast<double>(e.inflight) + 1 <= most && score > highest) {
            highest = score;
            best = i;
        }
    }
    return best ? best : best_of_all;
}

sticky_sessions::sticky_sessions(std::size_t sessions_max)
    : entries_((std::max<std::size_t>(sessions_max, ways) + ways - 1) / ways * ways) {}

choice sticky_sessions::find(std::span<const balanced> endpoints, std::uint64_t session) const {
    const std::size_t set = set_of(session);
    for (std::size_t i = set; i < set + ways; ++i) {
        if (entries_[i].session != session || entries_[i].stamp == 0) continue;
        for (std::size_t k = 0; k < endpoints.size(); ++k)
            if (endpoints[k].name == entries_[i].name && endpoints[k].weight > 0) return k;
    }
    return std::nullopt;
}

void sticky_sessions::remember(std::uint64_t session, std::uint64_t endpoint_name) {
    const std::size_t set = set_of(session);
    std::size_t place = set;
    for (std::size_t i = set; i < set + ways; ++i) {
        if (entries_[i].stamp != 0 && entries_[i].session == session) {
            place = i;
            break;
        }
        if (entries_[i].stamp < entries_[place].stamp) place = i;
    }
    entries_[place] = {session, endpoint_name, ++stamp_};
}

}  // namespace sluice::picker
