// Trace context headers as a client may send them: what is accepted must be what we would write.
#include "telemetry/trace_context.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace sluice;
using namespace sluice::telemetry;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    if (const auto parent = parse_traceparent(text)) {
        const std::string written = to_traceparent(parent->trace, parent->parent, parent->sampled);
        require(parent->trace.valid() && parent->parent.valid() && parse_traceparent(written) == parent);
    }
    if (const auto state = normalized_tracestate(text)) {
        require(state->size() <= 512 && valid_header_value(*state) && normalized_tracestate(*state) == state);
    }
    header_list headers;
    const auto cut = text.find('\n');
    headers.add("traceparent", text.substr(0, cut));
    if (cut != std::string_view::npos) headers.add("tracestate", text.substr(cut + 1));
    random_source random{1};
    const trace_context context = continue_or_start(headers, {}, random);
    require(context.trace.valid() && context.span.valid() && valid_header_value(context.state));
    return 0;
}
