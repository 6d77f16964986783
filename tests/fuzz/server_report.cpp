// Any bytes as what a model server says of itself: metrics, the load header, its models. Numbers stay in their ranges.
#include "routing/signals/server_report.hpp"
#include "routing/signals/model_list.hpp"

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>

using namespace sluice::signals;

namespace {

void require(bool fact) {
    if (!fact) std::abort();
}

void check(const std::optional<server_report>& r) {
    if (!r) return;
    require(r->running >= -1 && r->waiting >= -1 && r->kv_tokens >= -1);
    require(r->kv_use == -1 || (r->kv_use >= 0 && r->kv_use <= 1));
    require(r->adapters_active.size() <= 1024);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check(read_metrics(text, {}));
    check(read_metrics(text, {{"running", "x"}, {"kv_use", "tgi_queue_size"}}));
    check(read_load_header(text));
    if (const auto models = read_model_list(text)) require(models->base.size() + models->adapters.size() <= 4096);
    return 0;
}
