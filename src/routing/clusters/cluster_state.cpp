#include "routing/clusters/cluster_state.hpp"

#include <algorithm>

namespace sluice::clusters {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;
constexpr double newest_share = 0.2;  // of the mean round trip

}  // namespace

void cluster_state::reported(const cluster_report& r, std::int64_t own_prefill, steady_time now) {
    servers_.store(r.servers, relaxed);
    queued_.store(r.queued, relaxed);
    others_prefill_.store(std::max<std::int64_t>(0, r.prefill_tokens - own_prefill), relaxed);
    step_s_.store(r.step_s, relaxed);
    prefill_token_s_.store(r.prefill_token_s, relaxed);
    reported_at_.store(now.time_since_epoch().count(), relaxed);
}

void cluster_state::saw_round_trip(double seconds) {
    const double mean = rtt_s_.load(relaxed);
    rtt_s_.store(mean == 0 ? seconds : mean + newest_share * (seconds - mean), relaxed);
}

double cluster_state::report_age_s(steady_time now) const {
    const std::int64_t at = reported_at_.load(relaxed);
    if (at == 0) return -1;
    return std::max(0.0, std::chrono::duration<double>(now - steady_time(steady_time::duration(at))).count());
}

std::optional<double> cluster_state::ttft_s(double uncached, std::int64_t own_prefill, steady_time now,
                                            std::chrono::milliseconds stale_after) const {
    const double age_s = report_age_s(now);
    const auto servers = static_cast<double>(servers_.load(relaxed));
    if (age_s < 0 || age_s > std::chrono::duration<double>(stale_after).count() || servers < 1) return std::nullopt;
    const auto ahead = static_cast<double>(others_prefill_.load(relaxed) + std::max<std::int64_t>(0, own_prefill));
    const double queued = static_cast<double>(queued_.load(relaxed)) * uncached;
    return rtt_s_.load(relaxed) + 1.5 * step_s_.load(relaxed) +
           (uncached + (ahead + queued) / servers) * prefill_token_s_.load(relaxed);
}

}  // namespace sluice::clusters
