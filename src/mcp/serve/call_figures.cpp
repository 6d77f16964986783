#include "mcp/serve/call_figures.hpp"

#include <array>

namespace sluice::mcp {

const call_figures& call_figures_table::of(std::string_view method, std::string_view source, std::string_view name) {
    const std::string key = std::string(method).append(1, '\0').append(source).append(1, '\0').append(name);
    if (const auto k = known_.find(key); k != known_.end()) return k->second;
    if (known_.size() >= names_max && name != "other") return of(method, source, "other");
    return known_.emplace(key, make(method, source, name)).first->second;
}

call_figures call_figures_table::make(std::string_view method, std::string_view source, std::string_view name) {
    constexpr std::array<double, 14> seconds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                             0.25,  0.5,    1,     2.5,  5,     10,   30};
    const auto count = [&](std::string_view outcome) {
        return &metrics_.get_counter(
            "sluice_mcp_calls_total", "Calls of tools, prompts and resources, by how they ended.",
            {{"endpoint", endpoint_}, {"source", source}, {"method", method}, {"name", name}, {"outcome", outcome}});
    };
    call_figures f;
    f.ok = count("ok");
    f.tool_error = count("tool_error");
    f.input_required = count("input_required");
    f.failed = count("failed");
    f.cancelled = count("cancelled");
    f.seconds =
        &metrics_.get_histogram("sluice_mcp_call_duration_seconds", "From a call's arrival to its answer.", seconds,
                                {{"endpoint", endpoint_}, {"source", source}, {"method", method}, {"name", name}});
    return f;
}

}  // namespace sluice::mcp
