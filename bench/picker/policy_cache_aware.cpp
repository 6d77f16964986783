#include "picker/policy_cache_aware.hpp"

#include "picker/workload.hpp"

#include <algorithm>

namespace sluice::picker_bench {
namespace {

constexpr double cache_threshold = 0.3;
constexpr std::uint64_t balance_absolute = 64;
constexpr double balance_relative = 1.5;
constexpr double cut_interval_s = 60;
constexpr std::size_t blocks_kept = (std::size_t{1} << 26) / (block_tokens * token_bytes);

}  // namespace

policy_cache_aware::policy_cache_aware(const policy_settings& s)
    : sent_(s.endpoints, block_lru(blocks_kept)), inflight_(s.endpoints), random_(s.seed), cut_at_s_(cut_interval_s) {}

std::size_t policy_cache_aware::choose(const arrival& a, std::span<const endpoint_info> endpoints, double now_s) {
    if (now_s >= cut_at_s_) {
        for (block_lru& s : sent_) s.shrink();
        cut_at_s_ = now_s + cut_interval_s;
    }
    const std::size_t chosen =
        imbalanced(endpoints)
            ? best_ready(endpoints, random_, [&](std::size_t e) { return -static_cast<double>(inflight_.at(e)); })
            : by_prompt(a, endpoints);
    for (const std::uint64_t block : a.blocks) sent_[chosen].use(block);
    inflight_.sent(a.id, chosen);
    return chosen;
}

bool policy_cache_aware::imbalanced(std::span<const endpoint_info> endpoints) const {
    std::uint64_t fewest = UINT64_MAX, most = 0;
    for (std::size_t e = 0; e < endpoints.size(); ++e) {
        if (!endpoints[e].ready) continue;
        fewest = std::min(fewest, inflight_.at(e));
        most = std::max(most, inflight_.at(e));
    }
    return most - fewest > balance_absolute &&
           static_cast<double>(most) > balance_relative * static_cast<double>(fewest);
}

std::size_t policy_cache_aware::by_prompt(const arrival& a, std::span<const endpoint_info> endpoints) {
    double found = 0;
    const std::size_t most = best_ready(endpoints, random_, [&](std::size_t e) {
        std::size_t n = 0;
        while (n < a.blocks.size() && sent_[e].contains(a.blocks[n])) ++n;
        found = std::max(found, static_cast<double>(n));
        return static_cast<double>(n);
    });
    if (found * block_tokens > cache_threshold * a.prompt_tokens) return most;
    return best_ready(endpoints, random_, [&](std::size_t e) { return -static_cast<double>(sent_[e].size()); });
}

}  // namespace sluice::picker_bench
