#include "routing/admission/capacity.hpp"

#include "base/random.hpp"
#include "sim/engine.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <thread>
#include <unordered_map>
#include <vector>

using namespace sluice;
using namespace sluice::admission;

namespace {

// More clients than the endpoint can serve, each sending the next request as soon as the limit lets it.
struct saturated_engine {
    struct sent {
        double at_s;
        std::int64_t inflight;
    };
    sim::engine engine;
    learned_capacity& capacity;
    std::size_t prompt_tokens, output_tokens;
    std::unordered_map<std::uint64_t, sent> under_way = {};
    sim::sim_time now = {};
    random_source random{1};
    std::size_t finished = 0;
    double ttft_sum = 0;
    std::size_t first_tokens = 0;

    static double seconds(sim::sim_time t) { return std::chrono::duration<double>(t).count(); }

    double alone_s() const {
        const sim::engine_profile& p = engine.profile();
        return 1.5 * seconds(p.step_base) + static_cast<double>(prompt_tokens) * seconds(p.per_prefill_token);
    }

    void send() {
        while (static_cast<std::int64_t>(under_way.size()) < capacity.limit()) {
            const std::uint64_t id =
                engine.submit({prompt_tokens, output_tokens / 2 + random.below(output_tokens), {}, ""}, now);
            under_way[id] = {seconds(now), static_cast<std::int64_t>(under_way.size()) + 1};
        }
    }
    void run(double for_s) {
        const double end = seconds(now) + for_s;
        std::vector<sim::progress> progress;
        while (seconds(now) < end) {
            send();
            progress.clear();
            engine.advance(now, progress);
            if (progress.empty()) {
                now = engine.next_event().value();
                engine.advance(now, progress);
            }
            for (const sim::progress& p : progress) {
                const sent& s = under_way.at(p.id);
                if (p.delivered == 1) {
                    capacity.saw_first_token(seconds(now) - s.at_s, alone_s(), s.inflight);
                    ttft_sum += seconds(now) - s.at_s;
                    ++first_tokens;
                }
                if (p.finished) {
                    under_way.erase(p.id);
                    ++finished;
                }
            }
        }
    }
    double mean_ttft() const { return ttft_sum / static_cast<double>(first_tokens); }
};

double throughput(std::int64_t fixed_limit, std::size_t prompt, std::size_t output) {
    learned_capacity capacity({.floor = fixed_limit, .initial = fixed_limit, .max = fixed_limit});
    saturated_engine e{sim::engine(sim::engine_profile{}), capacity, prompt, output};
    e.run(30);
    e.finished = 0;
    e.run(60);
    return static_cast<double>(e.finished) / 60;
}

}  // namespace

TEST_CASE("the limit of a saturated engine comes to the knee, from below and from above") {
    // 300k tokens of memory hold about 68 requests of this size: more than that only wait for room.
    constexpr std::size_t prompt = 4'000, output = 400;
    for (const std::int64_t initial : {8, 256}) {
        learned_capacity capacity({.initial = initial, .max = 256});
        saturated_engine e{sim::engine(sim::engine_profile{}), capacity, prompt, output};
        e.run(240);
        const std::int64_t learned = capacity.limit();
        CAPTURE(initial, learned);
        CHECK(learned >= 12);
        CHECK(learned <= 75);

        // Nearly all of the throughput, at a fraction of the waiting.
        e.finished = e.first_tokens = 0;
        e.ttft_sum = 0;
        e.run(60);
        CHECK(static_cast<double>(e.finished) / 60 >= 0.8 * throughput(256, prompt, output));
        CHECK(e.mean_ttft() <= 4 * e.alone_s());
    }
}

TEST_CASE("a limit that nothing pushes against stays where it is") {
    learned_capacity capacity({.initial = 32});
    for (int i = 0; i < 1'000; ++i) capacity.saw_first_token(0.1, 0.1, 5);
    CHECK(capacity.limit() == 32);
    for (int i = 0; i < 1'000; ++i) capacity.saw_first_token(0.1, 0.1, capacity.limit());
    CHECK(capacity.limit() > 60);
}

TEST_CASE("the limit keeps between its floor and its maximum") {
    learned_capacity capacity({.floor = 4, .initial = 32, .max = 40});
    for (int i = 0; i < 10'000; ++i) capacity.saw_first_token(0.1, 0.1, capacity.limit());
    CHECK(capacity.limit() == 40);
    for (int i = 0; i < 10'000; ++i) capacity.saw_first_token(10, 0.1, capacity.limit());
    CHECK(capacity.limit() == 4);
}

TEST_CASE("a long prompt is slow without being a sign of load") {
    learned_capacity capacity({.initial = 32});
    for (int i = 0; i < 1'000; ++i) capacity.saw_first_token(8, 7, 32);
    CHECK(capacity.limit() >= 32);
}

TEST_CASE("a burst of refusals lowers the limit once") {
    learned_capacity capacity({.initial = 100, .max = 256, .decrease = 0.5});
    for (int i = 0; i < 50; ++i) capacity.saw_overload();
    CHECK(capacity.limit() == 25);
}

TEST_CASE("samples that make no sense are not looked at") {
    learned_capacity capacity({.initial = 32, .window_samples = 1});
    for (int i = 0; i < 100; ++i) {
        capacity.saw_first_token(1, 0, 32);
        capacity.saw_first_token(-1, 1, 32);
        capacity.saw_first_token(std::nan(""), 1, 32);
    }
    CHECK(capacity.limit() == 32);
}

TEST_CASE("many threads may tell what they saw") {
    learned_capacity capacity({.floor = 4, .initial = 32, .max = 64});
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 5'000; ++i) capacity.saw_first_token(0.1, 0.1, 32);
        });
    for (std::thread& t : threads) t.join();
    CHECK(capacity.limit() >= 32);
    CHECK(capacity.limit() <= 64);
}

TEST_CASE("a pool is as full as its endpoints together") {
    CHECK(saturation({}) == 1);
    const std::vector<endpoint_fill> half{{.inflight = 10, .limit = 10}, {.inflight = 0, .limit = 10}};
    CHECK(saturation(half) == Approx(0.5));
    const std::vector<endpoint_fill> shrunk{{.inflight = 30, .limit = 20}};
    CHECK(saturation(shrunk) == Approx(1.5));
    const std::vector<endpoint_fill> unlimited{{.inflight = 30, .limit = 0}};
    CHECK(saturation(unlimited) == 0);
}
