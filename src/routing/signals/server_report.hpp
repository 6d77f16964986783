// What a model server says of its load: polled as Prometheus metrics, or in a header of an answer (ORCA).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::signals {

// What it did not say is negative, or empty.
struct server_report {
    std::int64_t running = -1, waiting = -1;   // requests
    double kv_use = -1;                        // of its KV cache, 0 to 1
    std::int64_t kv_tokens = -1;               // that its KV cache holds
    std::int64_t adapter_slots = -1;           // LoRA adapters in memory at most
    std::vector<std::string> adapters_active;  // in memory: running or waiting
    bool asleep = false;                       // its weights are not in memory
    double started = -1;                       // unix time of its process
};

// The names of metrics that are read: each server's own, so that nobody need say which server it is. Where it has
// several under which one signal went over time, the newest that is there counts.
//
//   vLLM          vllm:num_requests_running, _waiting, vllm:kv_cache_usage_perc (gpu_cache_usage_perc before 0.10),
//                 vllm:cache_config_info, vllm:lora_requests_info, vllm:engine_sleep_state
//   SGLang        sglang:num_running_reqs, num_queue_reqs, token_usage, cache_config_info, max_total_num_tokens
//   TGI           tgi_batch_current_size, tgi_queue_size
//   TensorRT-LLM  trtllm_num_requests_running, _waiting, trtllm_kv_cache_utilization, _tokens_per_block, _max_blocks
//   Triton        nv_trt_llm_request_metrics, nv_trt_llm_kv_cache_block_metrics; nv_inference_pending_request_count
//   llama.cpp     llamacpp:requests_processing, requests_deferred, kv_cache_usage_ratio
//
// `names` (signal to metric's name) comes first: running, waiting, kv_use, kv_tokens. Series of one name that differ
// in labels (data-parallel ranks) are added up, of kv_use averaged. Nothing: the text holds none of them.
std::optional<server_report> read_metrics(std::string_view text, const std::map<std::string, std::string>& names);
// The signals that `names` may give.
bool is_signal(std::string_view name);

// The value of a response header `endpoint-load-metrics`, which servers send when a request asks for it by
// `endpoint-load-metrics-format: TEXT`: "TEXT named_metrics.kv_cache_usage_perc=0.4, ..." or the same as JSON.
// Nothing: it holds none of the names. Sources: Open Request Cost Aggregation; vLLM.
std::optional<server_report> read_load_header(std::string_view value);

}  // namespace sluice::signals
