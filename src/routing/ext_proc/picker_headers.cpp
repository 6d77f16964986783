#include "routing/ext_proc/picker_headers.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace sluice::ext_proc {
namespace {

constexpr std::array<std::string_view, 4> sidecar_names{"x-prefiller-host-port", "x-encoder-hosts-ports",
                                                        "x-data-parallel-host-port", "x-kv-cache-source-host-port"};

constexpr std::array<std::string_view, 4> single_names{"x-slo-ttft-ms", "x-slo-tpot-ms", "x-session-token",
                                                       "x-session-id"};

// Whole families, so that a name which a picker learns tomorrow is stripped today.
constexpr std::array<std::string_view, 5> families{"x-gateway-destination-endpoint", "x-gateway-inference-",
                                                   "x-gateway-model-name-rewrite", "x-llm-d-", "x-went-into-"};

bool any_of_names(std::span<const std::string_view> names, std::string_view name) {
    return std::ranges::any_of(names, [&](std::string_view n) { return iequals(n, name); });
}

}  // namespace

bool is_sidecar_header(std::string_view name) {
    return any_of_names(sidecar_names, name);
}

bool is_picker_header(std::string_view name) {
    if (name.size() < 3 || (name[0] | 0x20) != 'x') return false;
    const auto begins = [&](std::string_view family) {
        return name.size() >= family.size() && iequals(name.substr(0, family.size()), family);
    };
    return std::ranges::any_of(families, begins) || any_of_names(single_names, name) || is_sidecar_header(name);
}

}  // namespace sluice::ext_proc
