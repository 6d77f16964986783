#include "routing/admission/capacity.hpp"

#include <algorithm>
#include <cmath>

namespace sluice::admission {
namespace {

constexpr double stale_above = 2;     // beyond the limit: retries, and workers that chose at the same moment
constexpr double slowdown_max = 100;  // one answer in a hundred that hung is not a window that is slow

}  // namespace

learned_capacity::learned_capacity(const capacity_options& o) : options_(o) {
    reset();
}

void learned_capacity::reset() {
    // Whoever has it adds a few numbers.
    while (learning_.test_and_set(std::memory_order_acquire)) {
    }
    exact_ = static_cast<double>(std::clamp(options_.initial, options_.floor, options_.max));
    limit_.store(static_cast<std::int64_t>(exact_), std::memory_order_relaxed);
    slowdowns_ = 0;
    samples_ = 0;
    reached_ = overloaded_ = false;
    learning_.clear(std::memory_order_release);
}

void learned_capacity::saw_first_token(double ttft_s, double alone_s, std::int64_t inflight) {
    if (!(alone_s > 0) || !(ttft_s >= 0)) return;
    if (learning_.test_and_set(std::memory_order_acquire)) return;
    // Who was sent under a higher limit tells how it was then.
    if (static_cast<double>(inflight) <= exact_ + stale_above) {
        slowdowns_ += std::min(ttft_s / alone_s, slowdown_max);
        ++samples_;
        if (static_cast<double>(inflight) + 1 > exact_) reached_ = true;
        if (samples_ >= options_.window_samples) end_window(slowdowns_ / static_cast<double>(samples_));
    }
    learning_.clear(std::memory_order_release);
}

void learned_capacity::saw_overload() {
    if (learning_.test_and_set(std::memory_order_acquire)) return;
    if (!overloaded_) {
        end_window(options_.knee * 2);
        overloaded_ = true;
    }
    learning_.clear(std::memory_order_release);
}

void learned_capacity::end_window(double slowdown) {
    if (slowdown > options_.knee) {
        // Far above the knee in two steps at once.
        const double by = slowdown >= 2 * options_.knee ? options_.decrease * options_.decrease : options_.decrease;
        exact_ = std::max(static_cast<double>(options_.floor), exact_ * by);
    } else if (reached_) {
        exact_ = std::min(static_cast<double>(options_.max), exact_ + options_.increase);
    }
    limit_.store(static_cast<std::int64_t>(exact_), std::memory_order_relaxed);
    slowdowns_ = 0;
    samples_ = 0;
    reached_ = overloaded_ = false;
}

double idle_ttft_s(const picker::step_rates& rates, double prompt_tokens) {
    // A step and a half: it comes in the middle of one (routing/picker/cost.hpp, with nobody else there).
    return 1.5 * rates.c0_s + std::max(0.0, prompt_tokens) * rates.cp_s;
}

double saturation(std::span<const endpoint_fill> endpoints) {
    double inflight = 0, limit = 0;
    for (const endpoint_fill& e : endpoints) {
        if (e.limit <= 0) continue;
        inflight += static_cast<double>(e.inflight);
        limit += static_cast<double>(e.limit);
    }
    if (limit > 0) return inflight / limit;
    return endpoints.empty() ? 1 : 0;
}

}  // namespace sluice::admission
