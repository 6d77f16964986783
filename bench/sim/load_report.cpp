#include "sim/load_report.hpp"

#include <fmt/format.h>

#include "sim/http1.hpp"
#include "sim/json_out.hpp"

namespace sluice::sim {
namespace {

// Writes metrics of one engine, all with the same labels.
class page {
public:
    explicit page(std::string labels) : labels_(std::move(labels)) {}

    template <class Value>
    void operator()(std::string_view type, std::string_view name, Value value, std::string_view more = {}) {
        std::string labels = labels_;
        if (!more.empty()) put(labels, labels.empty() ? "" : ",", more);
        if (name != last_) put(text_, "# HELP ", name, " Simulated.\n# TYPE ", name, " ", type, "\n");
        last_ = name;
        put(text_, name);
        if (!labels.empty()) put(text_, "{", labels, "}");
        put(text_, " ", value, "\n");
    }
    std::string take() { return std::move(text_); }

private:
    std::string labels_;
    std::string text_;
    std::string last_;
};

std::string joined(const std::vector<std::string>& names) {
    std::string out;
    for (const std::string& n : names) put(out, out.empty() ? "" : ",", n);
    return out;
}

std::string vllm_page(const engine_load& l, const engine_profile& p, std::string_view model, std::int64_t now) {
    page m(fmt::format("model_name=\"{}\",engine=\"0\"", model));
    m("gauge", "vllm:num_requests_running", l.running);
    m("gauge", "vllm:num_requests_waiting", l.waiting);
    m("gauge", "vllm:kv_cache_usage_perc", l.kv_usage());
    m("counter", "vllm:prefix_cache_queries_total", l.prefix_queries);
    m("counter", "vllm:prefix_cache_hits_total", l.prefix_hits);
    m("counter", "vllm:prompt_tokens_total", l.prompt_tokens);
    m("counter", "vllm:generation_tokens_total", l.generated_tokens);
    m("counter", "vllm:num_preemptions_total", l.preemptions);
    m("counter", "vllm:request_success_total", l.finished, "finished_reason=\"stop\"");
    m("gauge", "vllm:cache_config_info", 1,
      fmt::format("block_size=\"{}\",num_gpu_blocks=\"{}\"", p.block_tokens, l.kv_blocks));
    m("gauge", "vllm:lora_requests_info", now,
      fmt::format("max_lora=\"{}\",running_lora_adapters=\"{}\",waiting_lora_adapters=\"{}\"", p.lora_slots,
                  joined(l.loras_running), joined(l.loras_waiting)));
    return m.take();
}

std::string sglang_page(const engine_load& l, const engine_profile& p, std::string_view model) {
    page m(fmt::format("model_name=\"{}\"", model));
    const double hit =
        l.prefix_queries == 0 ? 0.0 : static_cast<double>(l.prefix_hits) / static_cast<double>(l.prefix_queries);
    m("gauge", "sglang:num_running_reqs", l.running);
    m("gauge", "sglang:num_queue_reqs", l.waiting);
    m("gauge", "sglang:token_usage", l.kv_usage());
    m("gauge", "sglang:cache_hit_rate", hit);
    m("counter", "sglang:prompt_tokens_total", l.prompt_tokens);
    m("counter", "sglang:generation_tokens_total", l.generated_tokens);
    m("gauge", "sglang:num_retracted_reqs", l.preemptions);
    m("gauge", "sglang:cache_config_info", 1,
      fmt::format("page_size=\"{}\",num_pages=\"{}\"", p.block_tokens, l.kv_blocks));
    return m.take();
}

std::string trtllm_page(const engine_load& l, const engine_profile& p) {
    page m("");
    m("gauge", "trtllm_num_requests_running", l.running);
    m("gauge", "trtllm_num_requests_waiting", l.waiting);
    m("gauge", "trtllm_kv_cache_utilization", l.kv_usage());
    m("gauge", "trtllm_kv_cache_tokens_per_block", p.block_tokens);
    m("gauge", "trtllm_kv_cache_max_blocks", l.kv_blocks);
    return m.take();
}

std::string tgi_page(const engine_load& l, const engine_profile& p) {
    page m("");
    m("gauge", "tgi_queue_size", l.waiting);
    m("gauge", "tgi_batch_current_size", l.running);
    m("gauge", "tgi_batch_current_max_tokens", p.kv_tokens);
    return m.take();
}

}  // namespace

std::optional<engine_names> engine_names_of(std::string_view word) {
    if (word == "vllm") return engine_names::vllm;
    if (word == "sglang") return engine_names::sglang;
    if (word == "trtllm") return engine_names::trtllm;
    if (word == "tgi") return engine_names::tgi;
    return std::nullopt;
}

std::string metrics_page(engine_names names, const engine_load& load, const engine_profile& profile,
                         std::string_view model, std::int64_t unix_time) {
    switch (names) {
        case engine_names::vllm:
            return vllm_page(load, profile, model, unix_time);
        case engine_names::sglang:
            return sglang_page(load, profile, model);
        case engine_names::trtllm:
            return trtllm_page(load, profile);
        case engine_names::tgi:
            return tgi_page(load, profile);
    }
    return {};
}

std::string load_header(std::string_view format, const engine_load& load) {
    std::string out;
    if (same_name(format, "TEXT")) {
        put(out, "TEXT named_metrics.kv_cache_usage_perc=", load.kv_usage(),
            ", named_metrics.num_requests_waiting=", load.waiting,
            ", named_metrics.num_requests_running=", load.running);
    } else if (same_name(format, "JSON")) {
        put(out, R"(JSON {"named_metrics": {"kv_cache_usage_perc": )", load.kv_usage(), R"(, "num_requests_waiting": )",
            load.waiting, R"(, "num_requests_running": )", load.running, "}}");
    }
    return out;
}

}  // namespace sluice::sim
