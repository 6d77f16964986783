#include "telemetry/registry.hpp"

#include "telemetry/text.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <deque>
#include <limits>
#include <map>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <vector>

namespace sluice::telemetry {
namespace {

using label_list = std::vector<std::pair<std::string, std::string>>;  // by name
constexpr std::size_t label_value_bytes_max = 256;
constexpr std::size_t cache_line = 64;

// Handles of different shards never share a cache line.
template <class T>
struct alignas(cache_line) padded : T {
    using T::T;
};

// One label set of a family: a handle per shard that asked for it, or a function.
struct series {
    label_list labels;
    std::vector<std::unique_ptr<padded<counter>>> counters;
    std::vector<std::unique_ptr<padded<gauge>>> gauges;
    std::vector<std::unique_ptr<padded<histogram>>> histograms;
    std::function<double()> computed;
};

struct family {
    metric_kind kind{};
    bool computed = false;
    std::string help;
    std::vector<double> bounds;
    std::map<label_list, series> members;  // nodes: a series never moves
};

[[noreturn]] void bug(std::string_view name, std::string_view what) {
    throw std::logic_error("metric " + std::string{name} + ": " + std::string{what});
}

bool good_name(std::string_view name, bool colons) {
    const auto good = [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               (colons && c == ':');
    };
    return !name.empty() && !(name[0] >= '0' && name[0] <= '9') && std::all_of(name.begin(), name.end(), good);
}

void check_family_name(std::string_view name, std::string_view help, metric_kind kind) {
    if (!good_name(name, true)) bug(name, "not a metric name");
    if (help.empty() || help.find_first_of("\n\\") != std::string_view::npos) bug(name, "help must be one line");
    const bool total = name.ends_with("_total");
    if (kind == metric_kind::counter && !total) bug(name, "a counter's name ends in _total");
    if (kind != metric_kind::counter && total) bug(name, "only a counter's name ends in _total");
}

label_list sorted(std::string_view name, labels l) {
    label_list list;
    for (const auto& [key, value] : l) {
        if (!good_name(key, false) || key.starts_with("__") || key == "le") bug(name, "a bad label name");
        list.emplace_back(key, valid_utf8(value.substr(0, label_value_bytes_max)));
    }
    std::sort(list.begin(), list.end());
    const auto same_key = [](const auto& a, const auto& b) { return a.first == b.first; };
    if (std::adjacent_find(list.begin(), list.end(), same_key) != list.end()) bug(name, "a label twice");
    return list;
}

bool same_names(const label_list& a, const label_list& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const auto& x, const auto& y) { return x.first == y.first; });
}

prometheus::ClientMetric with_labels(const series& s) {
    prometheus::ClientMetric m;
    for (const auto& [name, value] : s.labels) m.label.push_back({name, value});
    return m;
}

template <class Handles>
double total(const Handles& handles) {
    double sum = 0;
    for (const auto& h : handles) sum += h ? static_cast<double>(h->value()) : 0;
    return sum;
}

// The count is the sum of the buckets as they were read, so that it agrees with them although the
// workers go on counting meanwhile.
prometheus::ClientMetric::Histogram summed(const series& s, const std::vector<double>& bounds) {
    prometheus::ClientMetric::Histogram out;
    for (std::size_t i = 0; i <= bounds.size(); ++i) {
        for (const auto& h : s.histograms) out.sample_count += h ? static_cast<std::uint64_t>(h->bucket(i)) : 0;
        const bool last = i == bounds.size();
        out.bucket.push_back({out.sample_count, last ? std::numeric_limits<double>::infinity() : bounds[i]});
    }
    for (const auto& h : s.histograms) out.sample_sum += h ? h->sum() : 0;
    return out;
}

prometheus::MetricType type_of(metric_kind kind) {
    switch (kind) {
        case metric_kind::counter:
            return prometheus::MetricType::Counter;
        case metric_kind::gauge:
            return prometheus::MetricType::Gauge;
        case metric_kind::histogram:
            break;
    }
    return prometheus::MetricType::Histogram;
}

}  // namespace

// The handles of one worker, or of the background threads.
class registry::shard final : public metrics {
public:
    shard(state& s, std::size_t index) : state_(s), index_(index) {}
    counter& get_counter(std::string_view name, std::string_view help, labels l) override;
    gauge& get_gauge(std::string_view name, std::string_view help, labels l) override;
    histogram& get_histogram(std::string_view name, std::string_view help, std::span<const double> bounds,
                             labels l) override;

private:
    state& state_;
    std::size_t index_;
};

struct registry::state {
    mutable std::mutex lock;  // guards all below; never taken to update a handle
    std::map<std::string, family, std::less<>> families;
    std::deque<shard> shards;  // the last one is the shared one
    std::int64_t overflowed = 0;

    family& get_family(std::string_view name, std::string_view help, metric_kind kind, bool computed,
                       std::span<const double> bounds);
    series& get_series(std::string_view name, family& f, label_list list);

    template <class T, class... Args>
    T& handle(std::vector<std::unique_ptr<padded<T>>>& handles, std::size_t index, const Args&... args) {
        if (handles.empty()) handles.resize(shards.size());
        if (!handles[index]) handles[index] = std::make_unique<padded<T>>(args...);
        return *handles[index];
    }
};

family& registry::state::get_family(std::string_view name, std::string_view help, metric_kind kind, bool computed,
                                    std::span<const double> bounds) {
    const auto known = families.find(name);
    if (known == families.end()) {
        check_family_name(name, help, kind);
        family& f = families[std::string{name}];
        f.kind = kind;
        f.computed = computed;
        f.help = help;
        f.bounds.assign(bounds.begin(), bounds.end());
        return f;
    }
    family& f = known->second;
    if (f.kind != kind || f.computed != computed) bug(name, "used as two kinds");
    if (f.help != help) bug(name, "two help texts");
    if (!std::equal(bounds.begin(), bounds.end(), f.bounds.begin(), f.bounds.end())) bug(name, "two sets of buckets");
    return f;
}

series& registry::state::get_series(std::string_view name, family& f, label_list list) {
    if (!f.members.empty() && !same_names(f.members.begin()->first, list)) bug(name, "two sets of label names");
    if (!f.members.contains(list) && f.members.size() >= series_max) {
        ++overflowed;
        for (auto& [key, value] : list) value = "other";
    }
    series& s = f.members[list];
    s.labels = std::move(list);
    return s;
}

counter& registry::shard::get_counter(std::string_view name, std::string_view help, labels l) {
    auto list = sorted(name, l);
    const std::lock_guard guard{state_.lock};
    family& f = state_.get_family(name, help, metric_kind::counter, false, {});
    return state_.handle(state_.get_series(name, f, std::move(list)).counters, index_);
}

gauge& registry::shard::get_gauge(std::string_view name, std::string_view help, labels l) {
    auto list = sorted(name, l);
    const std::lock_guard guard{state_.lock};
    family& f = state_.get_family(name, help, metric_kind::gauge, false, {});
    return state_.handle(state_.get_series(name, f, std::move(list)).gauges, index_);
}

histogram& registry::shard::get_histogram(std::string_view name, std::string_view help, std::span<const double> bounds,
                                          labels l) {
    auto list = sorted(name, l);
    const histogram checked{bounds};  // throws before anything is entered
    const std::lock_guard guard{state_.lock};
    family& f = state_.get_family(name, help, metric_kind::histogram, false, bounds);
    return state_.handle(state_.get_series(name, f, std::move(list)).histograms, index_, bounds);
}

registry::registry(std::size_t workers) : state_(std::make_unique<state>()) {
    for (std::size_t i = 0; i <= workers; ++i) state_->shards.emplace_back(*state_, i);
    // Runs inside a scrape, which holds the lock that guards the number.
    computed("sluice_metric_series_refused_total",
             "Label sets that were counted under the label value other because their family was full.",
             metric_kind::counter, [s = state_.get()] { return static_cast<double>(s->overflowed); });
}

registry::~registry() = default;

metrics& registry::worker(std::size_t i) {
    if (i + 1 >= state_->shards.size()) throw std::out_of_range("registry: no such worker");
    return state_->shards[i];
}

metrics& registry::shared() {
    return state_->shards.back();
}

void registry::computed(std::string_view name, std::string_view help, metric_kind kind, std::function<double()> value,
                        labels l) {
    if (kind == metric_kind::histogram) bug(name, "a histogram cannot be computed");
    auto list = sorted(name, l);
    const std::lock_guard guard{state_->lock};
    family& f = state_->get_family(name, help, kind, true, {});
    state_->get_series(name, f, std::move(list)).computed = std::move(value);
}

std::string registry::scrape() const {
    std::vector<prometheus::MetricFamily> out;
    {
        const std::lock_guard guard{state_->lock};
        for (const auto& [name, f] : state_->families) {
            prometheus::MetricFamily written{name, f.help, type_of(f.kind), {}};
            for (const auto& [key, s] : f.members) {
                prometheus::ClientMetric& m = written.metric.emplace_back(with_labels(s));
                if (f.computed) {
                    m.counter.value = m.gauge.value = s.computed();
                } else {
                    m.counter.value = total(s.counters);
                    m.gauge.value = total(s.gauges);
                    if (f.kind == metric_kind::histogram) m.histogram = summed(s, f.bounds);
                }
            }
            out.push_back(std::move(written));
        }
    }
    std::ostringstream text;
    prometheus::TextSerializer{}.Serialize(text, out);
    return std::move(text).str();
}

}  // namespace sluice::telemetry
