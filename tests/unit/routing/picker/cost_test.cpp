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
    CHECK(difference(0.59) == Approx(difference(0)));
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

TEST_CASE("in a burst the memory that young answers will need is priced, and the time to the first token is not") {
    const request_view kept{.uncached_tokens = 200, .prompt_tokens = 4'000, .output_tokens = 1'000};
    endpoint_view young;
    young.load.inflight = 100;
    young.load.context_tokens = 400'000;
    young.kv_use = 0.8;
    young.age_s = 1;
    endpoint_view half_through = young;
    half_through.age_s = 60;
    CHECK(cost(young, kept) > cost(half_through, kept) + 1);
    CHECK(forecast_of(kept, young, weights).ttft_s == forecast_of(kept, half_through, weights).ttft_s);

    // Room that is left in spite of it is nobody's loss.
    young.kv_use = half_through.kv_use = 0.2;
    CHECK(cost(young, kept) == cost(half_through, kept));
}

TEST_CASE("answers are taken to grow by what the oldest of them lacks") {
    const request_view kept{.uncached_tokens = 1, .prompt_tokens = 1, .output_tokens = 1'000};
    endpoint_view e;
    e.rates = {.c0_s = 0.01, .cp_s = 0, .cd_s = 0, .ckv_s = 0};
    e.load.inflight = 99;
    e.kv_tokens = 100'000;
    e.kv_use = 0.95;
    // 2 s of steps of 10 ms: 200 tokens on average, 400 the oldest. 100 answers grow by 600.
    e.age_s = 2;
    const double before = cost(e, kept);
    e.age_s = 5;  // The oldest ends now.
    const double steady = cost(e, kept);
    CHECK(before - steady ==
          Approx(2 * 0.6 * 1'000 * 0.01 + weights.memory * 0.125 * 1'000 * 0.01 * 1e-5).epsilon(1e-3));
    // As counters show for a moment that are read while an answer begins.
    e.age_s = -1e6;
    CHECK(cost(e, kept) == steady);
}

TEST_CASE("a prompt that nobody keeps is dearer where much is kept, and a home is at best free of slower answers") {
    forecast f{};
    f.decode_s = 10;
    const auto price = [&](double drawn, double new_part) { return home_price(drawn, new_part, f, weights); };
    CHECK(price(1, 1) == 0);
    CHECK(price(1.1, 1) == Approx(weights.home * weights.decode * 10 * 0.1));
    CHECK(price(1.1, 0.5) == Approx(price(1.1, 1) / 2));
    CHECK(price(1.1, 0) == 0);
    CHECK(price(0.9, 1) == Approx(-price(1.1, 1)));
    CHECK(price(0, 1) == Approx(-weights.decode * 10));
    CHECK(price(100, 1) == price(2, 1));
}
