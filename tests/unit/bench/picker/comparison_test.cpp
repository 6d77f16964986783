// What the picker promises against other policies, on traffic that is over in seconds: ratios with margins, so that a
// change that spoils it is noticed. The figures themselves are measured by bench/run picker.
#include "picker/generators.hpp"
#include "picker/summary.hpp"

#include <catch2/catch.hpp>

#include <filesystem>

using namespace sluice::picker_bench;

namespace {

summary with(std::string_view policy_name, const workload& w, const fleet_plan& f) {
    const auto p = make_policy(policy_name, {.endpoints = f.endpoints.size(), .seed = 1});
    return summarise(w, run(w, f, *p));
}

}  // namespace

TEST_CASE("where prompts fit the fleet's memory once, the picker has far more out of it than least request") {
    const fleet_plan f = usual_fleet(3);
    const workload w =
        shared_prefix({.groups = 50, .questions = 5, .output_tokens = 500, .rate = 12, .seconds = 20}, 1);
    const summary ours = with("sluice", w, f), least = with("least-request", w, f), epp = with("epp", w, f);
    CHECK(ours.tokens_per_s > 1.3 * least.tokens_per_s);
    CHECK(ours.ttft_mean < least.ttft_mean / 10);
    CHECK(ours.hit_rate > 0.85);
    CHECK(ours.tokens_per_s > 0.9 * epp.tokens_per_s);
    CHECK(ours.ttft_mean < 1.25 * epp.ttft_mean);
}

TEST_CASE("the picker answers a recorded hour's beginning sooner than the EPP policy") {
    const std::filesystem::path file = SLUICE_SHARED_DATA "/traces/mooncake_conversation.jsonl";
    const auto w = trace(file, {.speed = 2, .requests_max = 500}, 1);
    if (!w) {
        WARN("skipped: there is no " << file);
        return;
    }
    const fleet_plan f = usual_fleet();
    const summary ours = with("sluice", *w, f), epp = with("epp", *w, f);
    CHECK(ours.ttft_mean < 0.9 * epp.ttft_mean);
    CHECK(ours.e2e_mean < 1.02 * epp.e2e_mean);
}

TEST_CASE("conversations stay where their beginning is kept") {
    const fleet_plan f = usual_fleet(4);
    const workload w = chat({.rate = 2, .seconds = 30}, 1);
    const summary ours = with("sluice", w, f), epp = with("epp", w, f);
    CHECK(ours.hit_rate > epp.hit_rate - 0.05);
    CHECK(ours.ttft_mean < 1.1 * epp.ttft_mean);
    CHECK(ours.e2e_mean < 1.05 * epp.e2e_mean);
}

TEST_CASE("where nothing is shared the picker is as good as a load balancer") {
    const fleet_plan f = usual_fleet(4);
    const workload w = no_reuse({.rate = 10, .seconds = 20}, 1);
    const summary ours = with("sluice", w, f);
    CHECK(ours.ttft_mean < 1.05 * std::min(with("round-robin", w, f).ttft_mean, with("least-request", w, f).ttft_mean));
}

TEST_CASE("old metrics cost the picker little") {
    fleet_plan f = usual_fleet(4);
    const workload w = chat({.rate = 2, .seconds = 30}, 1);
    const summary fresh = with("sluice", w, f);
    f.poll_interval_s = 1;
    CHECK(with("sluice", w, f).ttft_mean < 1.05 * fresh.ttft_mean);
}
