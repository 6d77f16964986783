#include "governance/arms/arm_board.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <thread>

namespace sluice {
namespace {

// The buckets of OpenTelemetry's GenAI histograms are too coarse to tell arms apart: each bound is 1.5 times the last.
constexpr double seconds_bounds[] = {0.005, 0.0075, 0.011, 0.017, 0.025, 0.038, 0.057, 0.085, 0.128,
                                     0.192, 0.288,  0.432, 0.649, 0.973, 1.46,  2.19,  3.28,  4.93,
                                     7.39,  11.1,   16.6,  24.9,  37.4,  56.1,  84.2,  126};

// About 100,000 over all workers, and no less than 4096 in each.
std::size_t entries_of_a_worker() {
    const std::size_t workers = std::max(1u, std::thread::hardware_concurrency());
    return std::max<std::size_t>(4096, (std::size_t{1} << 17) / workers);
}

struct sums {
    std::vector<std::int64_t> buckets;
    void add(const histogram& h) {
        buckets.resize(h.bounds().size() + 1);
        for (std::size_t i = 0; i < buckets.size(); ++i) buckets[i] += h.bucket(i);
    }
    std::optional<double> at(double q) const { return quantile(seconds_bounds, buckets, q); }
};

gauge& feedback(metrics& m, std::string_view model, std::string_view arm, std::string_view rating) {
    return m.get_gauge("sluice_arm_feedback", "Requests of an arm that were rated, by the sign of their score.",
                       {{"model", model}, {"arm", arm}, {"rating", rating}});
}

counter& tokens(metrics& m, std::string_view model, std::string_view arm, std::string_view type) {
    return m.get_counter("sluice_arm_tokens_total", "Tokens that an arm's requests used.",
                         {{"model", model}, {"arm", arm}, {"type", type}});
}

}  // namespace

arm_series::arm_series(metrics& m, std::string_view model, std::string_view arm)
    : requests(m.get_counter("sluice_arm_requests_total", "Requests that ended with an arm.",
                             {{"model", model}, {"arm", arm}})),
      errors{},
      left(m.get_counter("sluice_arm_left_total", "Failed attempts at an arm whose requests went on to another.",
                         {{"model", model}, {"arm", arm}})),
      duration(m.get_histogram("sluice_arm_duration_seconds", "Duration of an arm's requests without an error.",
                               seconds_bounds, {{"model", model}, {"arm", arm}})),
      first_token(m.get_histogram("sluice_arm_time_to_first_token_seconds",
                                  "Time to the first byte of an arm's streams without an error.", seconds_bounds,
                                  {{"model", model}, {"arm", arm}})),
      input(tokens(m, model, arm, "input")),
      output(tokens(m, model, arm, "output")),
      cost(m.get_counter("sluice_arm_cost_nanodollars_total", "What an arm's tokens cost, in billionths of a dollar.",
                         {{"model", model}, {"arm", arm}})),
      up(feedback(m, model, arm, "up")),
      down(feedback(m, model, arm, "down")),
      neutral(feedback(m, model, arm, "neutral")),
      score(m.get_gauge("sluice_arm_feedback_score_millionths",
                        "Sum of the scores of an arm's requests, in millionths.", {{"model", model}, {"arm", arm}})) {
    for (std::size_t i = 0; i < errors.size(); ++i) {
        errors[i] = &m.get_counter("sluice_arm_errors_total", "Requests of an arm that failed, by whose fault it was.",
                                   {{"model", model}, {"arm", arm}, {"class", arm_error_names[i]}});
    }
}

void arm_series::judged(std::int32_t score_millionths, std::optional<std::int32_t> before) {
    const auto kind = [&](std::int32_t s) -> gauge& { return s > 0 ? up : s < 0 ? down : neutral; };
    if (before) {
        kind(*before).add(-1);
        score.add(-*before);
    }
    kind(score_millionths).add(1);
    score.add(score_millionths);
}

arm_board::arm_board() : recent(entries_of_a_worker()), subjects(entries_of_a_worker()), key_(random_siphash_key()) {}

std::shared_ptr<arm_board> arm_board::of(services& s) {
    return s.shared<arm_board>(shared_key, [] { return std::make_shared<arm_board>(); });
}

std::optional<std::uint16_t> arm_board::id_of(std::string_view model, std::string_view name) {
    const std::lock_guard lock(mutex_);
    std::pair<std::string, std::string> key{model, name};
    if (const auto known = ids_.find(key); known != ids_.end()) return known->second;
    if (arms_.size() >= std::numeric_limits<std::uint16_t>::max()) return std::nullopt;
    const auto id = static_cast<std::uint16_t>(arms_.size());
    arms_.push_back({key.first, key.second, {}});
    ids_.emplace(std::move(key), id);
    return id;
}

arm_series& arm_board::series(std::uint16_t id, metrics& m) {
    const std::lock_guard lock(mutex_);
    arm& a = arms_[id];
    for (auto& [whose, series] : a.by_worker) {
        if (whose == &m) return *series;
    }
    a.by_worker.emplace_back(&m, std::make_unique<arm_series>(m, a.model, a.name));
    return *a.by_worker.back().second;
}

std::vector<arm_series*> arm_board::all(metrics& m) {
    std::size_t n = 0;
    {
        const std::lock_guard lock(mutex_);
        n = arms_.size();
    }
    std::vector<arm_series*> found;
    for (std::size_t id = 0; id < n; ++id) found.push_back(&series(static_cast<std::uint16_t>(id), m));
    return found;
}

std::vector<arm_result> arm_board::results(std::string_view model) const {
    const std::lock_guard lock(mutex_);
    std::vector<arm_result> all;
    for (const auto& [names, id] : ids_) {
        if (names.first != model) continue;
        arm_result r;
        r.arm = names.second;
        sums durations, first_tokens;
        for (const auto& [whose, s] : arms_[id].by_worker) {
            r.requests += s->requests.value();
            r.left += s->left.value();
            r.input += s->input.value();
            r.output += s->output.value();
            r.cost_nanodollars += s->cost.value();
            for (std::size_t i = 0; i < r.errors.size(); ++i) r.errors[i] += s->errors[i]->value();
            r.up += s->up.value();
            r.down += s->down.value();
            r.neutral += s->neutral.value();
            r.score_millionths += s->score.value();
            durations.add(s->duration);
            first_tokens.add(s->first_token);
        }
        r.duration_p50 = durations.at(0.5);
        r.duration_p90 = durations.at(0.9);
        r.first_token_p50 = first_tokens.at(0.5);
        r.first_token_p90 = first_tokens.at(0.9);
        all.push_back(std::move(r));
    }
    return all;
}

std::uint64_t arm_board::hash(std::string_view whose, std::string_view what) const {
    std::string text;
    text.reserve(whose.size() + what.size() + 8);
    // The length first: no other pair of texts reads the same.
    text.append(std::to_string(whose.size())).append(":").append(whose).append(what);
    return siphash(key_, text);
}

std::optional<double> quantile(std::span<const double> bounds, std::span<const std::int64_t> buckets, double q) {
    std::int64_t total = 0;
    for (const std::int64_t n : buckets) total += n;
    if (total == 0) return std::nullopt;
    const double wanted = q * static_cast<double>(total);
    double below = 0;
    for (std::size_t i = 0; i < bounds.size(); ++i) {
        const auto here = static_cast<double>(buckets[i]);
        if (here > 0 && below + here >= wanted) {
            const double from = i == 0 ? 0 : bounds[i - 1];
            return from + (bounds[i] - from) * (wanted - below) / here;
        }
        below += here;
    }
    return bounds.back();
}

std::optional<interval> wilson95(std::int64_t hits, std::int64_t of) {
    if (of <= 0) return std::nullopt;
    constexpr double z = 1.959964;
    const auto n = static_cast<double>(of);
    const double p = static_cast<double>(hits) / n;
    const double scale = 1 / (1 + z * z / n);
    const double middle = p + z * z / (2 * n);
    const double half = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    return interval{std::max(0.0, scale * (middle - half)), std::min(1.0, scale * (middle + half))};
}

}  // namespace sluice
