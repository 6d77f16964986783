#include "picker/fleet.hpp"

#include "picker/generators.hpp"
#include "picker/simple_policies.hpp"
#include "picker/summary.hpp"

#include <catch2/catch.hpp>

using namespace sluice::picker_bench;
namespace sim = sluice::sim;

namespace {

request one(double at_s, std::uint32_t prompt, std::uint32_t output, std::uint64_t text) {
    request r;
    r.at_s = at_s;
    r.prompt_tokens = prompt;
    r.output_tokens = output;
    for (std::uint64_t b = 0; b < (prompt + output) / block_tokens; ++b) r.blocks.push_back(stirred(text * 1000 + b));
    return r;
}

run_result run_with(const workload& w, const fleet_plan& f, std::string_view policy_name = "epp") {
    const auto p = make_policy(policy_name, {.endpoints = f.endpoints.size(), .seed = 3});
    return run(w, f, *p);
}

double output_of(const workload& w) {
    double tokens = 0;
    for (const request& r : w.requests) tokens += r.output_tokens;
    return tokens;
}

double generated(const run_result& r) {
    double tokens = 0;
    for (const sim::engine_load& l : r.ends) tokens += static_cast<double>(l.generated_tokens);
    return tokens;
}

// Sends all to the first endpoint that is ready and writes down what it is told.
class note_taker final : public policy {
public:
    std::size_t choose(const arrival& a, std::span<const endpoint_info> endpoints, double) override {
        asked.push_back(a.id);
        std::size_t e = 0;
        while (!endpoints[e].ready) ++e;
        return e;
    }
    void on_first_token(std::uint64_t, double now_s) override { first_tokens.push_back(now_s); }
    void on_done(std::uint64_t, const usage& u, double) override { usages.push_back(u); }
    void on_failed(std::uint64_t id, double) override { failed.push_back(id); }
    void on_poll(std::span<const endpoint_info> endpoints, double now_s) override {
        polls.push_back(now_s);
        running.push_back(endpoints[0].running);
    }
    void on_restarted(std::size_t endpoint) override { restarted.push_back(endpoint); }

    std::vector<std::uint64_t> asked, failed, running;
    std::vector<double> first_tokens, polls;
    std::vector<usage> usages;
    std::vector<std::size_t> restarted;
};

}  // namespace

TEST_CASE("every request of a crowded fleet is answered whole, and no block of memory is left behind") {
    // Little memory: requests wait for room and are thrown out again.
    const workload w = zipf_groups({.groups = 20, .system_tokens = 1'000, .rate = 30, .seconds = 10}, 1);
    const run_result r = run_with(w, usual_fleet(2, 40'000));
    double preemptions = 0;
    for (const sim::engine_load& l : r.ends) {
        CHECK(l.kv_blocks_used == 0);
        CHECK(l.running == 0);
        CHECK(l.waiting == 0);
        preemptions += static_cast<double>(l.preemptions);
    }
    CHECK(preemptions > 0);
    CHECK(generated(r) == output_of(w));
    for (const outcome& o : r.outcomes) {
        REQUIRE(o.attempts == 1);
        REQUIRE(o.sent_s >= 0);
        REQUIRE(o.first_token_s > o.sent_s);
        REQUIRE(o.done_s >= o.first_token_s);
    }
}

TEST_CASE("a run follows from its seed") {
    const auto figures = [](std::uint64_t seed, std::string_view name) {
        const workload w = chat({.rate = 3, .seconds = 10, .turns = 3}, seed);
        return summarise(w, run_with(w, usual_fleet(3), name));
    };
    for (const std::string_view name : policy_names()) {
        CAPTURE(name);
        const summary a = figures(1, name), again = figures(1, name), b = figures(2, name);
        CHECK(a.ttft_mean == again.ttft_mean);
        CHECK(a.e2e_mean == again.e2e_mean);
        CHECK(a.hit_rate == again.hit_rate);
        CHECK(a.e2e_mean != b.e2e_mean);
    }
}

TEST_CASE("the first token comes after the time that its prompt takes") {
    const workload w{"", {one(0, 1'000, 11, 1)}};
    note_taker notes;
    const run_result r = run(w, usual_fleet(1), notes);
    // One step with the prompt, then ten with one token each.
    CHECK(r.outcomes[0].first_token_s == Approx(0.009 + 1'000 * 62.8e-6));
    const double decode_step = 0.009 + 50e-6 + 1'005.5 * 40e-9;
    CHECK(r.outcomes[0].done_s - r.outcomes[0].first_token_s == Approx(10 * decode_step).epsilon(1e-3));
    REQUIRE(notes.first_tokens.size() == 1);
    CHECK(notes.first_tokens[0] == r.outcomes[0].first_token_s);
}

TEST_CASE("a prompt asked again is found in the cache up to its last whole block, and counted once") {
    const workload w{"", {one(0, 640, 10, 1), one(5, 640, 10, 1), one(10, 650, 10, 1), one(15, 640, 10, 2)}};
    note_taker notes;
    const run_result r = run(w, usual_fleet(1), notes);
    CHECK(r.outcomes[0].cached_tokens == 0);
    CHECK(r.outcomes[1].cached_tokens == 576);  // something must be computed to say the first token
    CHECK(r.outcomes[2].cached_tokens == 640);
    CHECK(r.outcomes[3].cached_tokens == 0);
    CHECK(notes.usages[2].cached_tokens == 640);
    CHECK(r.ends[0].prefix_hits == 576 + 640);
    CHECK(summarise(w, r).hit_rate == Approx((576.0 + 640) / (640 * 3 + 650)));
}

TEST_CASE("memory that is full forgets what was unused for longest") {
    // Room for three such prompts and an answer.
    const workload w{"",
                     {one(0, 640, 64, 1), one(5, 640, 64, 2), one(10, 640, 64, 1), one(15, 640, 64, 3),
                      one(20, 640, 64, 4), one(25, 640, 64, 1), one(30, 640, 64, 2)}};
    note_taker notes;
    const run_result r = run(w, usual_fleet(1, 34 * block_tokens), notes);
    CHECK(r.outcomes[2].cached_tokens == 576);
    CHECK(r.outcomes[5].cached_tokens == 576);  // used after 2 was
    CHECK(r.outcomes[6].cached_tokens < 576);   // the end of a prompt goes before its beginning
}

TEST_CASE("a turn is sent when the one before was answered and read") {
    workload w{"", {one(1, 640, 20, 1), one(3, 740, 20, 1)}};
    w.requests[1].follows = 0;
    note_taker notes;
    const run_result r = run(w, usual_fleet(1), notes);
    CHECK(r.outcomes[1].sent_s == Approx(r.outcomes[0].done_s + 3));
}

TEST_CASE("an endpoint that restarts ends what it has, and comes back empty") {
    const workload w{"", {one(0, 640, 10, 1), one(4, 640, 100, 1), one(6, 640, 10, 1), one(30, 640, 10, 1)}};
    fleet_plan f = usual_fleet(2);
    f.endpoints[0].restart_at_s = 4.5;
    note_taker notes;
    const run_result r = run(w, f, notes);
    CHECK(r.outcomes[1].endpoint == 0);
    CHECK(r.outcomes[1].attempts == 1);
    CHECK(r.outcomes[1].done_s > 4.5);
    CHECK(r.outcomes[2].endpoint == 1);
    CHECK(r.outcomes[3].endpoint == 0);
    CHECK(r.outcomes[3].cached_tokens == 0);
    CHECK(notes.failed.empty());
    CHECK(notes.restarted == std::vector<std::size_t>{0});
}

TEST_CASE("what a restarting endpoint cannot end in time is sent elsewhere, and its first token counts once") {
    const workload w{"", {one(0, 640, 3'000, 1)}};
    fleet_plan f = usual_fleet(2);
    f.endpoints[0].restart_at_s = 1;
    f.endpoints[0].grace_s = 2;
    note_taker notes;
    const run_result r = run(w, f, notes);
    CHECK(notes.failed == std::vector<std::uint64_t>{0});
    CHECK(notes.asked == std::vector<std::uint64_t>{0, 0});
    CHECK(notes.first_tokens.size() == 2);
    CHECK(r.outcomes[0].attempts == 2);
    CHECK(r.outcomes[0].endpoint == 1);
    CHECK(r.outcomes[0].first_token_s == notes.first_tokens[0]);
    CHECK(r.outcomes[0].done_s > 3);
}

TEST_CASE("while nobody is ready requests wait") {
    const workload w{"", {one(0, 640, 10, 1)}};
    fleet_plan f = usual_fleet(1);
    f.endpoints[0].ready_from_s = 3.2;
    note_taker notes;
    const run_result r = run(w, f, notes);
    CHECK(r.outcomes[0].sent_s == 0);
    CHECK(r.outcomes[0].first_token_s > 3.2);
    CHECK(r.outcomes[0].first_token_s < 3.8);
}

TEST_CASE("policies see endpoints as they were at the last poll") {
    const workload w{"", {one(0.5, 640, 200, 1), one(9, 640, 10, 2)}};
    fleet_plan f = usual_fleet(1);
    f.poll_interval_s = 1;
    note_taker notes;
    (void)run(w, f, notes);
    REQUIRE(notes.polls.size() >= 9);
    CHECK(notes.polls[1] == Approx(1));
    CHECK(notes.running[0] == 0);
    CHECK(notes.running[1] == 1);
    CHECK(notes.running[8] == 0);
}

TEST_CASE("an endpoint of half the speed takes twice as long") {
    const workload w{"", {one(0, 1'000, 50, 1)}};
    fleet_plan f = usual_fleet(1);
    note_taker notes;
    const double usual = run(w, f, notes).outcomes[0].done_s;
    f.endpoints[0].engine = slower(f.endpoints[0].engine, 2);
    CHECK(run(w, f, notes).outcomes[0].done_s == Approx(2 * usual));
}

TEST_CASE("a request that fits no endpoint is refused, not waited for") {
    const workload w{"", {one(0, 10'000, 10, 1)}};
    note_taker notes;
    CHECK_THROWS_AS(run(w, usual_fleet(1, 5'000), notes), std::invalid_argument);
}
