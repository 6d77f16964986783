#include "picker/summary.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace sluice::picker_bench {
namespace {

double mean(const std::vector<double>& v) {
    return v.empty() ? 0 : std::accumulate(v.begin(), v.end(), 0.0) / static_cast<double>(v.size());
}

// Nearest rank; sorts `v`.
double percentile(std::vector<double>& v, double part) {
    if (v.empty()) return 0;
    std::sort(v.begin(), v.end());
    const double rank = std::ceil(part * static_cast<double>(v.size()));
    return v[static_cast<std::size_t>(std::max(1.0, rank)) - 1];
}

}  // namespace

summary summarise(const workload& w, const run_result& r) {
    return summarise(w, r, [](const request&) { return true; });
}

summary summarise(const workload& w, const run_result& r, const std::function<bool(const request&)>& counts) {
    summary s;
    std::vector<double> ttft, e2e;
    double first = INFINITY, last = 0, prompt = 0, cached = 0, output = 0;
    for (std::size_t i = 0; i < w.requests.size(); ++i) {
        const request& q = w.requests[i];
        const outcome& o = r.outcomes[i];
        if (!q.measured || !counts(q)) continue;
        ++s.requests;
        if (o.dropped) {
            ++s.dropped;
            continue;
        }
        ttft.push_back(o.first_token_s - o.sent_s);
        e2e.push_back(o.done_s - o.sent_s);
        first = std::min(first, o.sent_s);
        last = std::max(last, o.done_s);
        prompt += q.prompt_tokens;
        cached += o.cached_tokens;
        output += q.output_tokens;
    }
    if (ttft.empty()) return s;
    s.ttft_mean = mean(ttft);
    s.ttft_p50 = percentile(ttft, 0.5);
    s.ttft_p99 = percentile(ttft, 0.99);
    s.e2e_mean = mean(e2e);
    s.tokens_per_s = output / (last - first);
    s.hit_rate = cached / prompt;
    for (const sim::engine_load& l : r.ends) s.preemptions += static_cast<double>(l.preemptions);
    return s;
}

summary mean_of(std::span<const summary> runs) {
    summary m;
    if (runs.empty()) return m;
    const auto n = static_cast<double>(runs.size());
    for (const summary& s : runs) {
        m.requests += s.requests;
        m.dropped += s.dropped;
        for (double summary::* f : {&summary::ttft_mean, &summary::ttft_p50, &summary::ttft_p99, &summary::e2e_mean,
                                    &summary::tokens_per_s, &summary::hit_rate, &summary::preemptions})
            m.*f += s.*f / n;
    }
    return m;
}

}  // namespace sluice::picker_bench
