// The cache-aware policy of the SGLang model gateway (sgl-project/sglang, SMG), written anew after its documentation
// and source, with the thresholds of its Python command line:
//   when requests in flight differ by more than 64 and by more than a factor of 1.5: the endpoint with the fewest;
//   else, when more than 0.3 of the prompt was sent somewhere before: the endpoint that was sent the most of it;
//   else the endpoint that was sent the least text so far.
// What was sent where is a tree of text there and a set of blocks here: 64 tokens are fine enough. Every 60 s it is cut
// back to 2^26 characters for each endpoint.
#pragma once

#include "picker/block_lru.hpp"
#include "picker/simple_policies.hpp"

namespace sluice::picker_bench {

class policy_cache_aware final : public policy {
public:
    explicit policy_cache_aware(const policy_settings& s);

    std::size_t choose(const arrival& a, std::span<const endpoint_info> endpoints, double now_s) override;
    void on_first_token(std::uint64_t, double) override {}
    void on_done(std::uint64_t id, const usage&, double) override { inflight_.ended(id); }
    void on_failed(std::uint64_t id, double) override { inflight_.ended(id); }
    void on_poll(std::span<const endpoint_info>, double) override {}
    void on_restarted(std::size_t endpoint) override { sent_[endpoint].clear(); }

private:
    bool imbalanced(std::span<const endpoint_info> endpoints) const;
    std::size_t by_prompt(const arrival& a, std::span<const endpoint_info> endpoints);

    std::vector<block_lru> sent_;
    inflight_counter inflight_;
    random_numbers random_;
    double cut_at_s_;
};

}  // namespace sluice::picker_bench
