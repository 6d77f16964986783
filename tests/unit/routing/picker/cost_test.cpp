#include "routing/picker/cost.hpp"

#include <catch2/catch.hpp>

using namespace sluice::picker;

namespace {

const cost_weights weights;
const request_view request{.uncached_tokens = 4'000, .prompt_tokens = 4'000, .output_tokens = 200};

double cost(const endpoint_view& e, const request_view& r = request) {
    return forecast_of(r, e, weights).cost_s;
}

}  // namespace

TEST_CASE("an idle endpoint answers after its prompt is computed") {
    const step_rates r;
    const forecast f = forecast_of(request, {}, weights);
    CHECK(f.ttft_s == Approx(4'000 * r.cp_s + (1.5 + 4'000 / 8192.0) * r.c0_s));
    CHECK(f.tpot_s == Approx(r.c0_s + r.cd_s + r.ckv_s * 4'000));
}

TEST_CASE("whatever an endpoint has more of makes it dearer") {
    const endpoint_view idle;
    endpoint_view e = idle;
    e.load.prefill_tokens = 5'000;
    CHECK(cost(e) > cost(idle));
    e = idle;
    e.load.inflight = 20;
    CHECK(cost(e) > cost(idle));
    e = idle;
    e.load.context_tokens = 100'000;
    CHECK(cost(e) > cost(idle));
    e = idle;
    e.fill = 0.9;
    CHECK(cost(e) > cost(idle));
    e = idle;
    e.kv_use = 0.99;
    CHECK(cost(e) > cost(idle));
    e = idle;
    e.rtt_s = 0.03;
    CHECK(cost(e) == Approx(cost(idle) + 0.03));
    e = idle;
    e.adapter_s = 1;
    CHECK(cost(e) == Approx(cost(idle) + 1));
}

TEST_CASE("a prompt that is kept is cheaper where it is kept, unless that endpoint is overrun") {
    const request_view kept{.uncached_tokens = 200, .prompt_tokens = 4'000, .output_tokens = 200};
    endpoint_view busy;
    busy.load.inflight = 4;
    busy.load.context_tokens = 16'000;
    CHECK(cost(busy, kept) < cost({}));
    busy.load.prefill_tokens = 50'000;
    CHECK(cost(busy, kept) > cost({}));
}

TEST_CASE("where memory is scarce, a prompt that is not kept costs what it takes from others") {
    const request_view kept{.uncached_tokens = 200, .prompt_tokens = 4'000, .output_tokens = 200};
    const request_view fresh{.uncached_tokens = 4'000, .prompt_tokens = 4'000, .output_tokens = 200};
    const auto difference = [&](double kv_use) {
        endpoint_view e;
        e.kv_use = kv_use;
        return cost(e, fresh) - cost(e, kept);
    };
    CHECK(difference(0.6) == Approx(difference(0)));
    CHECK(difference(0.8) > difference(0.7));
    CHECK(difference(0.7) > difference(0.6));
}

TEST_CASE("memory that is full makes a request wait as long as it takes answers to end") {
    endpoint_view e;
    e.kv_use = 0.95;
    const double before = forecast_of(request, e, weights).ttft_s;
    e.kv_use = 1.05;
    const double after = forecast_of(request, e, weights).ttft_s;
    CHECK(after - before == Approx(0.1 * 200 * forecast_of(request, e, weights).tpot_s));
}
