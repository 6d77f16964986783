#pragma once
// How an instance tells its load: the metrics page in the names of several engines, and the response header
// that answers "endpoint-load-metrics-format".

#include <optional>
#include <string>
#include <string_view>

#include "sim/engine.hpp"

namespace sluice::sim {

enum class engine_names { vllm, sglang, trtllm, tgi };

std::optional<engine_names> engine_names_of(std::string_view word);

// Prometheus text. `model` labels the vLLM and SGLang series; `unix_time` is the value of the adapter series.
std::string metrics_page(engine_names names, const engine_load& load, const engine_profile& profile,
                         std::string_view model, std::int64_t unix_time);

// The value of "endpoint-load-metrics" for format "TEXT" or "JSON" (letter case ignored); empty for others.
std::string load_header(std::string_view format, const engine_load& load);

}  // namespace sluice::sim
