// Policies that look at no prompt: what load balancers do.
#pragma once

#include "picker/policy.hpp"
#include "picker/random.hpp"

#include <unordered_map>

namespace sluice::picker_bench {

// The gateway's own requests in flight, by endpoint: exact and without delay.
class inflight_counter {
public:
    explicit inflight_counter(std::size_t endpoints) : counts_(endpoints) {}

    void sent(std::uint64_t id, std::size_t endpoint) {
        ++counts_[endpoint];
        where_[id] = endpoint;
    }
    void ended(std::uint64_t id) {
        const auto found = where_.find(id);
        --counts_[found->second];
        where_.erase(found);
    }
    std::uint64_t at(std::size_t endpoint) const { return counts_[endpoint]; }

private:
    std::vector<std::uint64_t> counts_;
    std::unordered_map<std::uint64_t, std::size_t> where_;
};

// The best of the ready endpoints by `score(index)`, higher is better; equals are drawn.
template <class F>
std::size_t best_ready(std::span<const endpoint_info> endpoints, random_numbers& random, F&& score) {
    std::size_t best = endpoints.size();
    double best_score = 0;
    std::uint64_t equals = 0;
    for (std::size_t e = 0; e < endpoints.size(); ++e) {
        if (!endpoints[e].ready) continue;
        const double s = score(e);
        if (best == endpoints.size() || s > best_score) {
            best = e;
            best_score = s;
            equals = 1;
        } else if (s == best_score && random.below(++equals) == 0) {
            best = e;
        }
    }
    return best;
}

class round_robin final : public policy {
public:
    std::size_t choose(const arrival&, std::span<const endpoint_info> endpoints, double) override {
        do next_ = (next_ + 1) % endpoints.size();
        while (!endpoints[next_].ready);
        return next_;
    }
    void on_first_token(std::uint64_t, double) override {}
    void on_done(std::uint64_t, const usage&, double) override {}
    void on_failed(std::uint64_t, double) override {}
    void on_poll(std::span<const endpoint_info>, double) override {}
    void on_restarted(std::size_t) override {}

private:
    std::size_t next_ = 0;
};

class least_request final : public policy {
public:
    explicit least_request(const policy_settings& s) : inflight_(s.endpoints), random_(s.seed) {}

    std::size_t choose(const arrival& a, std::span<const endpoint_info> endpoints, double) override {
        const std::size_t e =
            best_ready(endpoints, random_, [&](std::size_t i) { return -static_cast<double>(inflight_.at(i)); });
        inflight_.sent(a.id, e);
        return e;
    }
    void on_first_token(std::uint64_t, double) override {}
    void on_done(std::uint64_t id, const usage&, double) override { inflight_.ended(id); }
    void on_failed(std::uint64_t id, double) override { inflight_.ended(id); }
    void on_poll(std::span<const endpoint_info>, double) override {}
    void on_restarted(std::size_t) override {}

private:
    inflight_counter inflight_;
    random_numbers random_;
};

}  // namespace sluice::picker_bench
