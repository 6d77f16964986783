#include "sim/engine.hpp"

#include <catch2/catch.hpp>
#include <map>

#include "sim/text.hpp"

using namespace sluice::sim;
using namespace std::chrono_literals;

namespace {

// Round numbers, so that expected times can be read off.
engine_profile round_profile() {
    engine_profile p;
    p.step_base = 10ms;
    p.per_prefill_token = 100us;
    p.per_decode = 1ms;
    p.per_context_token = 0ns;
    p.kv_tokens = 1600;
    p.prefill_budget = 64;
    p.sequences_max = 4;
    return p;
}

sequence_spec spec(std::size_t prompt, std::size_t output, std::uint64_t text = 0) {
    sequence_spec s;
    s.prompt_tokens = prompt;
    s.output_tokens = output;
    for (std::size_t b = 0; b < (prompt + output) / 16; ++b) s.hashes.push_back(mix(text * 1000 + b));
    return s;
}

// Runs until idle; the time at which each request finished and each got its first token.
struct journal {
    std::map<std::uint64_t, sim_time> first, finished;
    std::map<std::uint64_t, std::size_t> cached;
    sim_time now{};
};

void run(engine& e, journal& j) {
    std::vector<progress> out;
    while (const auto next = e.next_event()) {
        j.now = *next;
        out.clear();
        e.advance(j.now, out);
        for (const progress& p : out) {
            j.first.emplace(p.id, j.now);
            j.cached[p.id] = p.cached_tokens;
            if (p.finished) j.finished[p.id] = j.now;
        }
    }
}

}  // namespace

TEST_CASE("the first token comes after the prefill and the others one step each") {
    engine e(round_profile());
    const auto id = e.submit(spec(32, 3), 0ns);
    journal j;
    run(e, j);
    CHECK(j.first[id] == 10ms + 32 * 100us);
    CHECK(j.finished[id] == 10ms + 32 * 100us + 2 * 11ms);
    CHECK(e.load().generated_tokens == 3);
    CHECK_FALSE(e.next_event());
}

TEST_CASE("a long prompt is computed in chunks of the budget") {
    engine e(round_profile());
    const auto id = e.submit(spec(160, 1), 0ns);  // 64 + 64 + 32 tokens
    journal j;
    run(e, j);
    CHECK(j.first[id] == 3 * 10ms + 160 * 100us);
}

TEST_CASE("decodes of several requests share a step") {
    engine e(round_profile());
    const auto a = e.submit(spec(16, 5), 0ns);
    const auto b = e.submit(spec(16, 5, 1), 0ns);
    journal j;
    run(e, j);
    // b arrives while a's prefill runs, is prefilled beside a's second token, and then both go in step.
    CHECK(j.finished[a] == 11600us + 12600us + 3 * 12ms);
    CHECK(j.finished[b] == j.finished[a] + 11ms);
}

TEST_CASE("an equal prefix is found in the cache, all but the last token") {
    engine e(round_profile());
    journal j;
    const auto a = e.submit(spec(64, 1, 7), 0ns);
    run(e, j);
    const auto b = e.submit(spec(64, 1, 7), j.now);
    const auto other = e.submit(spec(64, 1, 8), j.now);
    run(e, j);
    CHECK(j.cached[a] == 0);
    CHECK(j.cached[b] == 48);
    CHECK(j.cached[other] == 0);
    CHECK(e.load().prefix_hits == 48);
    CHECK(e.load().prefix_queries == 192);
}

TEST_CASE("a conversation's answer is part of the next turn's cached prefix") {
    engine e(round_profile());
    journal j;
    (void)e.submit(spec(32, 33, 3), 0ns);
    run(e, j);
    const auto next = e.submit(spec(96, 1, 3), j.now);
    run(e, j);
    CHECK(j.cached[next] == 64);
}

TEST_CASE("requests beyond the running limit wait in order of arrival") {
    auto p = round_profile();
    p.sequences_max = 1;
    engine e(p);
    const auto a = e.submit(spec(16, 2), 0ns);
    const auto b = e.submit(spec(16, 2, 1), 0ns);
    const auto c = e.submit(spec(16, 2, 2), 0ns);
    CHECK(e.load().waiting == 2);
    journal j;
    run(e, j);
    CHECK(j.finished[a] < j.first[b]);
    CHECK(j.finished[b] < j.first[c]);
}

TEST_CASE("when memory runs out the youngest is preempted, and both finish with all their tokens") {
    auto p = round_profile();
    p.kv_tokens = 96;  // six blocks
    engine e(p);
    const auto a = e.submit(spec(32, 40), 0ns);
    const auto b = e.submit(spec(32, 40, 1), 0ns);
    journal j;
    run(e, j);
    CHECK(e.load().preemptions >= 1);
    CHECK(j.finished[a] < j.finished[b]);
    CHECK(e.load().generated_tokens == 80);
    CHECK(e.load().kv_blocks_used == 0);
}

TEST_CASE("unreferenced prefixes are evicted, the least recently used first") {
    auto p = round_profile();
    p.kv_tokens = 128;  // eight blocks
    engine e(p);
    journal j;
    for (const std::uint64_t text : {1U, 2U, 1U, 3U}) {  // three blocks each: 3 must push out 2, not 1
        (void)e.submit(spec(48, 1, text), j.now);
        run(e, j);
    }
    const auto one = e.submit(spec(48, 1, 1), j.now);
    run(e, j);
    CHECK(j.cached[one] == 32);
}

TEST_CASE("a cancelled request frees its memory and is not heard of again") {
    engine e(round_profile());
    const auto a = e.submit(spec(160, 10), 0ns);
    const auto b = e.submit(spec(16, 2, 1), 0ns);
    CHECK(e.load().kv_blocks_used > 0);
    e.cancel(a);
    CHECK(e.load().kv_blocks_used == 0);
    journal j;
    run(e, j);
    CHECK(j.finished.count(a) == 0);
    CHECK(j.finished.count(b) == 1);
}

TEST_CASE("what can never fit is known before it is queued") {
    engine e(round_profile());
    CHECK(e.fits(spec(1500, 100)));
    CHECK_FALSE(e.fits(spec(1600, 1)));
    auto p = round_profile();
    p.model_tokens_max = 100;
    CHECK_FALSE(engine(p).fits(spec(100, 1)));
}

TEST_CASE("an absent adapter costs its load time once and waits while all slots are busy") {
    auto p = round_profile();
    p.lora_slots = 1;
    engine e(p);
    auto with = [](std::string name, std::uint64_t text) {
        auto s = spec(16, 3, text);
        s.lora = std::move(name);
        return s;
    };
    const auto a = e.submit(with("one", 1), 0ns);
    const auto b = e.submit(with("two", 2), 0ns);
    const auto base = e.submit(spec(16, 1, 3), 0ns);
    journal j;
    run(e, j);
    CHECK(j.first[a] == 1s + 11600us);
    CHECK(j.first[base] < j.first[b]);  // the base model needs no slot and does not wait behind b
    CHECK(j.first[b] > j.finished[a] + 1s);
}

TEST_CASE("without simulated time the prefix cache works all the same") {
    engine e(round_profile());
    CHECK(e.run_at_once(spec(64, 4, 5)) == 0);
    CHECK(e.run_at_once(spec(64, 4, 5)) == 48);
    CHECK(e.load().finished == 2);
    CHECK(e.load().kv_blocks_used == 0);
}
