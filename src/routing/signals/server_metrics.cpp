#include "routing/signals/metrics_text.hpp"
#include "routing/signals/server_report.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace sluice::signals {
namespace {

enum class signal : std::uint8_t {
    running,
    waiting,
    kv_use,
    kv_tokens,
    block_tokens,
    blocks,
    started,
    awake,
    cache_config,  // geometry in labels
    adapters,      // in labels
};
constexpr std::size_t signals_n = 10;

struct known_metric {
    std::string_view name;
    signal what;
    int rank;                                 // of the names of one signal the highest counts
    std::string_view label = {}, value = {};  // only series with this label
};

constexpr std::array<known_metric, 31> known{{
    {"vllm:num_requests_running", signal::running, 1},
    {"vllm:num_requests_waiting", signal::waiting, 1},
    {"vllm:kv_cache_usage_perc", signal::kv_use, 2},
    {"vllm:gpu_cache_usage_perc", signal::kv_use, 1},
    {"vllm:cache_config_info", signal::cache_config, 1},
    {"vllm:lora_requests_info", signal::adapters, 1},
    {"vllm:engine_sleep_state", signal::awake, 1, "sleep_state", "awake"},
    {"sglang:num_running_reqs", signal::running, 1},
    {"sglang:num_queue_reqs", signal::waiting, 1},
    {"sglang:token_usage", signal::kv_use, 1},
    {"sglang:cache_config_info", signal::cache_config, 1},
    {"sglang:max_total_num_tokens", signal::kv_tokens, 1},
    {"tgi_batch_current_size", signal::running, 1},
    {"tgi_queue_size", signal::waiting, 1},
    {"trtllm_num_requests_running", signal::running, 1},
    {"trtllm_num_requests_waiting", signal::waiting, 1},
    {"trtllm_kv_cache_utilization", signal::kv_use, 1},
    {"trtllm_kv_cache_tokens_per_block", signal::block_tokens, 1},
    {"trtllm_kv_cache_max_blocks", signal::blocks, 1},
    {"nv_trt_llm_request_metrics", signal::running, 1, "request_type", "scheduled"},
    {"nv_trt_llm_request_metrics", signal::waiting, 1, "request_type", "waiting"},
    {"nv_trt_llm_kv_cache_block_metrics", signal::kv_use, 1, "kv_cache_block_type", "fraction"},
    {"nv_trt_llm_kv_cache_block_metrics", signal::block_tokens, 1, "kv_cache_block_type", "tokens_per"},
    {"nv_trt_llm_kv_cache_block_metrics", signal::blocks, 1, "kv_cache_block_type", "max"},
    {"nv_inference_pending_request_count", signal::waiting, 0},
    {"llamacpp:requests_processing", signal::running, 1},
    {"llamacpp:requests_deferred", signal::waiting, 1},
    {"llamacpp:kv_cache_usage_ratio", signal::kv_use, 1},
    {"llamacpp:kv_cache_max_tokens", signal::kv_tokens, 1},
    {"process_start_time_seconds", signal::started, 1},
    {"vllm:num_gpu_blocks", signal::blocks, 0},
}};

constexpr std::array<std::pair<std::string_view, signal>, 4> overridable{{{"running", signal::running},
                                                                          {"waiting", signal::waiting},
                                                                          {"kv_use", signal::kv_use},
                                                                          {"kv_tokens", signal::kv_tokens}}};

constexpr std::size_t adapters_max = 1024;
constexpr int own_rank = 100;  // of names the operator gave

std::int64_t whole(std::string_view text) {
    std::int64_t n = -1;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
    return ec == std::errc{} && end == text.data() + text.size() ? n : -1;
}

void add_names(std::string_view list, std::vector<std::string>& out) {
    while (!list.empty()) {
        const std::size_t comma = std::min(list.find(','), list.size());
        std::string_view name = list.substr(0, comma);
        list.remove_prefix(std::min(comma + 1, list.size()));
        while (name.starts_with(' ')) name.remove_prefix(1);
        while (name.ends_with(' ')) name.remove_suffix(1);
        const bool there = std::find(out.begin(), out.end(), name) != out.end();
        if (!name.empty() && !there && out.size() < adapters_max) out.emplace_back(name);
    }
}

// Takes samples in and makes the report of them.
class collector {
public:
    void take(signal what, int rank, const metric_sample& s) {
        if (what == signal::adapters) return take_adapters(s);
        if (what == signal::cache_config) return take_geometry(s);
        total& t = totals_[static_cast<std::size_t>(what)];
        if (rank < t.rank) return;
        if (rank > t.rank) t = total{.rank = rank};
        t.sum += s.value;
        ++t.n;
    }

    std::optional<server_report> report() {
        server_report r;
        const auto count = [&](signal s) {
            const total& t = totals_[static_cast<std::size_t>(s)];
            return t.n == 0 ? std::int64_t{-1} : static_cast<std::int64_t>(std::clamp(t.sum, 0.0, 1e15));
        };
        const auto mean = [&](signal s) {
            const total& t = totals_[static_cast<std::size_t>(s)];
            return t.n == 0 ? -1.0 : t.sum / t.n;
        };
        r.running = count(signal::running);
        r.waiting = count(signal::waiting);
        if (const double use = mean(signal::kv_use); use >= 0) r.kv_use = std::min(1.0, use);
        r.kv_tokens = count(signal::kv_tokens);
        const std::int64_t block = count(signal::block_tokens), blocks = count(signal::blocks);
        if (r.kv_tokens < 0 && block > 0 && blocks > 0 && blocks < (std::int64_t{1} << 40) && block < (1 << 20))
            r.kv_tokens = block * blocks;
        if (r.kv_tokens <= 0) r.kv_tokens = geometry_ > 0 ? geometry_ : -1;
        r.started = mean(signal::started);
        r.asleep = mean(signal::awake) == 0;
        r.adapter_slots = adapter_slots_;
        r.adapters_active = std::move(adapters_);
        const bool any = r.running >= 0 || r.waiting >= 0 || r.kv_use >= 0 || r.kv_tokens >= 0;
        return any ? std::optional(std::move(r)) : std::nullopt;
    }

private:
    struct total {
        int rank = -1;
        double sum = 0;
        int n = 0;
    };

    // Several series stand side by side, the value being when each was true: the newest counts.
    void take_adapters(const metric_sample& s) {
        if (s.value < adapters_at_) return;
        adapters_at_ = s.value;
        adapters_.clear();
        add_names(label_of(s.labels, "running_lora_adapters").value_or(""), adapters_);
        add_names(label_of(s.labels, "waiting_lora_adapters").value_or(""), adapters_);
        adapter_slots_ = whole(label_of(s.labels, "max_lora").value_or(""));
    }

    void take_geometry(const metric_sample& s) {
        const auto first_of = [&](std::string_view a, std::string_view b) {
            const auto text = label_of(s.labels, a);
            return whole(text ? *text : label_of(s.labels, b).value_or(""));
        };
        const std::int64_t block = first_of("block_size", "page_size"),
                           blocks = first_of("num_gpu_blocks", "num_pages");
        if (block > 0 && blocks > 0 && block < (1 << 20) && blocks < (std::int64_t{1} << 40))
            geometry_ += block * blocks;
    }

    std::array<total, signals_n> totals_{};
    double adapters_at_ = -1;
    std::vector<std::string> adapters_;
    std::int64_t adapter_slots_ = -1;
    std::int64_t geometry_ = 0;
};

}  // namespace

bool is_signal(std::string_view name) {
    return std::any_of(overridable.begin(), overridable.end(), [&](const auto& o) { return o.first == name; });
}

std::optional<server_report> read_metrics(std::string_view text, const std::map<std::string, std::string>& names) {
    const auto own = [&](std::string_view name) -> std::optional<signal> {
        for (const auto& [word, metric] : names) {
            if (metric != name) continue;
            for (const auto& [known_word, what] : overridable) {
                if (known_word == word) return what;
            }
        }
        return std::nullopt;
    };
    const auto wanted = [&](std::string_view name) {
        const bool built_in =
            std::any_of(known.begin(), known.end(), [&](const known_metric& k) { return k.name == name; });
        return built_in || (!names.empty() && own(name));
    };
    collector all;
    metrics_text page(text);
    while (const auto s = page.next(wanted)) {
        if (const auto what = own(s->name)) all.take(*what, own_rank, *s);
        for (const known_metric& k : known) {
            if (k.name != s->name || (!k.label.empty() && label_of(s->labels, k.label) != k.value)) continue;
            all.take(k.what, k.rank, *s);
        }
    }
    return all.report();
}

}  // namespace sluice::signals
