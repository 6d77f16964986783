// The default scheduling profile of llm-d-router's endpoint picker (llm-d/llm-d-router, formerly the Gateway API
// inference extension), written anew after its documentation and source: every scorer's 0 to 1 times its weight,
//   queue         2 x (most waiting - waiting) / (most - fewest)
//   kv use        2 x (1 - kv use)
//   prefix cache  3 x blocks found / blocks of the prompt
// and the endpoint with the highest sum; equals are drawn. Queue and kv use are as of the last poll. Which endpoint
// keeps which block is guessed: blocks of 64 tokens, the last 31,250 sent to each.
//
// Not here: flow control, predicted latency, and the other scorers, which the default profile does not use.
#pragma once

#include "picker/block_lru.hpp"
#include "picker/policy.hpp"
#include "picker/random.hpp"

namespace sluice::picker_bench {

class policy_epp final : public policy {
public:
    explicit policy_epp(const policy_settings& s);

    std::size_t choose(const arrival& a, std::span<const endpoint_info> endpoints, double now_s) override;
    void on_first_token(std::uint64_t, double) override {}
    void on_done(std::uint64_t, const usage&, double) override {}
    void on_failed(std::uint64_t, double) override {}
    void on_poll(std::span<const endpoint_info>, double) override {}
    // An endpoint that left the pool is forgotten.
    void on_restarted(std::size_t endpoint) override { kept_[endpoint].clear(); }

private:
    std::vector<double> matched(const arrival& a) const;

    std::vector<block_lru> kept_;
    random_numbers random_;
};

}  // namespace sluice::picker_bench
