#include "picker/policy_epp.hpp"

#include "picker/simple_policies.hpp"

#include <algorithm>

namespace sluice::picker_bench {
namespace {

constexpr std::size_t blocks_kept = 31'250;
constexpr double queue_weight = 2, kv_weight = 2, prefix_weight = 3;

}  // namespace

policy_epp::policy_epp(const policy_settings& s) : kept_(s.endpoints, block_lru(blocks_kept)), random_(s.seed) {}

std::size_t policy_epp::choose(const arrival& a, std::span<const endpoint_info> endpoints, double) {
    std::uint64_t fewest = UINT64_MAX, most = 0;
    for (const endpoint_info& e : endpoints) {
        if (!e.ready) continue;
        fewest = std::min(fewest, e.waiting);
        most = std::max(most, e.waiting);
    }
    const std::vector<double> found = matched(a);
    const std::size_t chosen = best_ready(endpoints, random_, [&](std::size_t i) {
        const endpoint_info& e = endpoints[i];
        const double queue =
            most == fewest ? 1 : static_cast<double>(most - e.waiting) / static_cast<double>(most - fewest);
        return queue_weight * queue + kv_weight * (1 - e.kv_use) + prefix_weight * found[i];
    });
    for (const std::uint64_t block : a.blocks) kept_[chosen].use(block);
    kept_[chosen].shrink();
    return chosen;
}

// The part of the prompt's blocks that each endpoint is thought to keep.
std::vector<double> policy_epp::matched(const arrival& a) const {
    std::vector<double> part(kept_.size());
    if (a.blocks.empty()) return part;
    for (std::size_t e = 0; e < kept_.size(); ++e) {
        std::size_t n = 0;
        while (n < a.blocks.size() && kept_[e].contains(a.blocks[n])) ++n;
        part[e] = static_cast<double>(n) / static_cast<double>(a.blocks.size());
    }
    return part;
}

}  // namespace sluice::picker_bench
