// What admission promises on a fleet that gets more than it can do; measured by bench/run admission.
#include "picker/generators.hpp"
#include "picker/policy_admission.hpp"
#include "picker/summary.hpp"

#include <catch2/catch.hpp>

using namespace sluice::picker_bench;

namespace {

const class_shape high{{.prompt_tokens = 1'000, .output_tokens = 200, .rate = 2.5, .seconds = 20}, 6, 1};
const class_shape low{{.prompt_tokens = 4'000, .output_tokens = 300, .rate = 9, .seconds = 20}, 1, 2};

run_result with_admission(const workload& w, const fleet_plan& f, const sluice::admission::admission_config& c = {}) {
    policy_admission p({.endpoints = f.endpoints.size(), .seed = 1}, c);
    return run(w, f, p);
}

run_result without(const workload& w, const fleet_plan& f) {
    policy_sluice p({.endpoints = f.endpoints.size(), .seed = 1});
    return run(w, f, p);
}

bool is_high(const request& r) {
    return r.priority == high.priority;
}

}  // namespace

TEST_CASE("in overload the high class hardly waits, and little throughput is lost for it") {
    const fleet_plan f = usual_fleet(2);
    const workload w = classes({high, low}, 1);
    const run_result ours = with_admission(w, f), none = without(w, f);
    const summary high_ours = summarise(w, ours, is_high), high_none = summarise(w, none, is_high);
    CHECK(high_ours.dropped == 0);
    CHECK(high_ours.ttft_p99 < high_none.ttft_p99 / 3);
    CHECK(summarise(w, ours).tokens_per_s > 0.8 * summarise(w, none).tokens_per_s);
}

TEST_CASE("without overload admission changes nothing") {
    const fleet_plan f = usual_fleet(8);
    const workload w = classes({high, low}, 1);
    CHECK(summarise(w, with_admission(w, f)).ttft_mean == summarise(w, without(w, f)).ttft_mean);
}

TEST_CASE("every request of an overload is served or refused, where little room is left to wait, too") {
    const fleet_plan f = usual_fleet(1);
    const workload w = classes({high, low}, 1);
    sluice::admission::admission_config c;
    c.queue.values.per_tenant.requests = 20;
    c.queue.values.ttl = std::chrono::seconds(2);
    const run_result r = with_admission(w, f, c);
    std::size_t dropped = 0;
    for (const outcome& o : r.outcomes) {
        CHECK((o.done_s > o.first_token_s) != o.dropped);
        dropped += o.dropped;
    }
    CHECK(dropped > 0);
    CHECK(dropped < w.requests.size());
}
