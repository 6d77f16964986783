#include "routing/picker/endpoint_picker.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <thread>

using namespace sluice::picker;
using namespace std::chrono_literals;

namespace {

const steady_time start{1h};

struct fixture {
    explicit fixture(std::size_t endpoints = 4) : picker({.index = {.endpoints = endpoints}}) {
        for (std::uint32_t i = 0; i < endpoints; ++i)
            pool.endpoints.push_back({.id = "server-" + std::to_string(i), .slot = i});
    }

    // A prompt of so many bytes of which the first `shared` are the same in all.
    request_features request(int which, std::size_t bytes = 40'000, std::size_t shared = 0) {
        prefix_hasher h({.model = "m"});
        h.add(std::string(shared, 's'));
        h.add("request " + std::to_string(which));
        h.add(std::string(bytes - shared, 'x'));
        kept.push_back(std::make_unique<std::vector<prefix_block>>(h.finish()));
        request_features f;
        f.model = name_hash("m");
        f.blocks = *kept.back();
        f.prompt_bytes = bytes;
        return f;
    }
    ticket send(const request_features& f) {
        auto choice = picker.pick(f, pool, now);
        REQUIRE(choice.count > 0);
        return picker.dispatch(choice, f, pool, now);
    }
    void finish(ticket& t, const request_features& f, std::int64_t cached = -1) {
        now += 600ms;
        picker.on_first_token(t, now);
        now += 2s;
        picker.on_done(t, f,
                       {.prompt_tokens = static_cast<std::int64_t>(f.prompt_bytes) / 4,
                        .cached_tokens = cached,
                        .output_tokens = 200},
                       now);
    }

    endpoint_picker picker;
    pool_snapshot pool;
    steady_time now = start;
    std::vector<std::unique_ptr<std::vector<prefix_block>>> kept;
};

}  // namespace

TEST_CASE("requests with the same beginning go to the endpoint that has it") {
    fixture x;
    const auto first = x.request(0, 40'000, 30'000);
    auto t = x.send(first);
    x.picker.on_first_token(t, x.now + 700ms);
    for (int i = 1; i < 5; ++i) {
        const auto f = x.request(i, 40'000, 30'000);
        const auto choice = x.picker.pick(f, x.pool, x.now);
        CHECK(choice.best[0].slot == t.slot);
        CHECK(choice.best[0].cached_tokens == Approx(30'000 / 4).epsilon(0.02));
        CHECK(choice.prompt_tokens == Approx(10'000));
    }
}

TEST_CASE("prompts that share nothing are spread") {
    fixture x;
    std::array<int, 4> sent{};
    for (int i = 0; i < 40; ++i) ++sent[x.send(x.request(i)).slot];
    for (const int n : sent) CHECK(n == 10);
}

TEST_CASE("a new prompt makes its home where less is kept, though loads are equal") {
    fixture x(2);
    pick_result choice;
    choice.prompt_tokens = 1;
    const auto keep = [&](std::uint32_t slot, int which) {
        const auto f = x.request(which, 200'000);
        ticket t = x.picker.dispatch_to({.at = slot, .slot = slot}, choice, f, x.now);
        x.picker.on_done(t, f, {}, x.now);
    };
    for (int i = 0; i < 12; ++i) keep(0, i);
    for (int i = 12; i < 16; ++i) keep(1, i);
    // Some load, the same on both: nobody is slowed down at an idle endpoint.
    for (std::uint32_t i = 0; i < 40; ++i)
        (void)x.picker.dispatch_to({.at = i % 2, .slot = i % 2}, choice, x.request(100 + static_cast<int>(i), 300),
                                   x.now);
    int less = 0;
    for (int i = 200; i < 220; ++i) less += x.picker.pick(x.request(i), x.pool, x.now).best[0].slot == 1;
    CHECK(less == 20);
}

TEST_CASE("answers that have just begun make an endpoint dearer than answers that are half through") {
    fixture x(2);
    const auto f = x.request(0);
    pick_result choice;
    choice.prompt_tokens = 1'000;
    choice.output_tokens = 250;
    for (int i = 0; i < 60; ++i) {
        ticket old = x.picker.dispatch_to({.at = 0, .slot = 0}, choice, f, x.now);
        x.picker.on_first_token(old, x.now);
    }
    x.now += 10s;
    for (int i = 0; i < 60; ++i) {
        ticket young = x.picker.dispatch_to({.at = 1, .slot = 1}, choice, f, x.now);
        x.picker.on_first_token(young, x.now);
    }
    x.picker.on_metrics(0, {.kv_use = 0.93}, x.now);
    x.picker.on_metrics(1, {.kv_use = 0.93}, x.now);
    const auto next = x.picker.pick(f, x.pool, x.now);
    REQUIRE(next.count == 2);
    CHECK(next.best[0].slot == 0);
    CHECK(next.best[1].expected.cost_s > next.best[0].expected.cost_s + 0.05);
}

TEST_CASE("a beginning that everybody wants is kept by more than one endpoint") {
    fixture x;
    std::set<std::uint32_t> used;
    for (int i = 0; i < 200; ++i) used.insert(x.send(x.request(i, 20'000, 16'000)).slot);
    CHECK(used.size() == 4);
}

TEST_CASE("counters are back at nothing when all requests have ended, however they ended") {
    fixture x;
    for (int i = 0; i < 30; ++i) {
        const auto f = x.request(i);
        auto t = x.send(f);
        if (i % 3 == 0) x.finish(t, f);
        if (i % 3 == 1) x.picker.on_failed(t, f, x.now);
        if (i % 3 == 2) {
            x.picker.on_first_token(t, x.now);
            x.picker.on_first_token(t, x.now);
            x.picker.on_failed(t, f, x.now);
        }
    }
    for (std::uint32_t slot = 0; slot < 4; ++slot) {
        const auto load = x.picker.load(slot);
        CHECK(load.inflight == 0);
        CHECK(load.waiting == 0);
        CHECK(load.prefill_tokens == 0);
        CHECK(load.context_tokens == 0);
    }
}

TEST_CASE("the list holds other endpoints for retries, and an excluded one is never on it") {
    fixture x;
    const auto f = x.request(1);
    const auto choice = x.picker.pick(f, x.pool, x.now);
    REQUIRE(choice.count == 3);
    CHECK(std::set{choice.best[0].slot, choice.best[1].slot, choice.best[2].slot}.size() == 3);
    CHECK(choice.best[1].expected.cost_s <= choice.best[2].expected.cost_s);
    slot_set tried;
    tried.set(choice.best[0].slot);
    const auto again = x.picker.pick(f, x.pool, x.now, tried);
    CHECK(again.count == 3);
    for (std::size_t i = 0; i < again.count; ++i) CHECK(again.best[i].slot != choice.best[0].slot);
    tried.set();
    CHECK(x.picker.pick(f, x.pool, x.now, tried).refused == refusal::no_endpoint);
}

TEST_CASE("after a failure before the first token the endpoint is not taken to have the prompt") {
    fixture x;
    const auto f = x.request(1);
    auto t = x.send(f);
    const auto kept_by = [&](std::uint32_t slot) {
        prefix_match m;
        x.picker.index().match(f.blocks, m);
        return m.blocks[slot];
    };
    CHECK(kept_by(t.slot) == f.blocks.size());
    x.picker.on_failed(t, f, x.now);
    CHECK(kept_by(t.slot) == 0);
}

TEST_CASE(
    "an endpoint that drains, lacks the adapter or the capability, or is full gets nothing, and the reason is told") {
    fixture x(2);
    auto f = x.request(1);
    x.pool.endpoints[0].weight = 0;
    for (int i = 0; i < 8; ++i) CHECK(x.send(x.request(i)).slot == 1);

    f.adapter = name_hash("french");
    CHECK(x.picker.pick(f, x.pool, x.now).refused == refusal::adapter);
    x.pool.endpoints[1].adapters_known = {name_hash("french")};
    auto choice = x.picker.pick(f, x.pool, x.now);
    REQUIRE(choice.count == 1);
    const double loading = choice.best[0].expected.ttft_s;
    x.pool.endpoints[1].adapters_active = {name_hash("french")};
    CHECK(x.picker.pick(f, x.pool, x.now).best[0].expected.ttft_s == Approx(loading - 1));

    f.needs = capability::vision;
    CHECK(x.picker.pick(f, x.pool, x.now).refused == refusal::capability);
    x.pool.endpoints[1].can = capability::vision | capability::tools;
    CHECK(x.picker.pick(f, x.pool, x.now).count == 1);

    x.pool.endpoints[1].context_max = 8'000;
    CHECK(x.picker.pick(f, x.pool, x.now).count == 1);
    f.prompt_tokens = 7'900;
    f.output_tokens_max = 200;
    CHECK(x.picker.pick(f, x.pool, x.now).refused == refusal::context);
    f.output_tokens_max = 100;
    CHECK(x.picker.pick(f, x.pool, x.now).count == 1);

    x.pool.endpoints[1].concurrency_max = 8;
    choice = x.picker.pick(f, x.pool, x.now);
    CHECK(choice.refused == refusal::busy);
    CHECK(choice.retry_after_s > 0);
    CHECK(to_string(choice.refused) == "busy");
}

TEST_CASE("an endpoint that warms up gets less than its share") {
    fixture x(2);
    x.pool.endpoints[1].weight = 0.2;
    std::array<int, 2> sent{};
    for (int i = 0; i < 48; ++i) ++sent[x.send(x.request(i)).slot];
    CHECK(sent[1] > 0);
    CHECK(sent[1] <= 0.2 * sent[0] + 2);
}

TEST_CASE("endpoints that keep a promise come before cheaper ones that do not") {
    fixture x(2);
    const auto hot = x.request(0, 4'000, 3'000);
    const auto home = x.send(hot).slot;
    for (int i = 0; i < 3; ++i) {
        const auto f = x.request(100 + i, 60'000);
        auto choice = x.picker.pick(f, x.pool, x.now);
        for (std::size_t k = 0; k < choice.count; ++k)
            if (choice.best[k].slot == home) x.picker.dispatch_to(choice.best[k], choice, f, x.now);
    }
    auto f = x.request(1, 4'000, 3'000);
    f.ttft_slo_s = 0.5;
    auto choice = x.picker.pick(f, x.pool, x.now);
    REQUIRE(choice.count == 2);
    CHECK(choice.best[0].slot != home);
    CHECK(choice.slo_kept);
    CHECK(choice.best[1].expected.ttft_s > 0.5);
}

TEST_CASE("a request whose promise nobody can keep is refused only if it may be") {
    fixture x(2);
    auto f = x.request(0, 200'000);
    f.ttft_slo_s = 1;
    auto choice = x.picker.pick(f, x.pool, x.now);
    CHECK(choice.count > 0);
    CHECK_FALSE(choice.slo_kept);
    f.sheddable = true;
    choice = x.picker.pick(f, x.pool, x.now);
    CHECK(choice.count == 0);
    CHECK(choice.refused == refusal::ttft_slo);
    CHECK(choice.retry_after_s >= 1);
    f.ttft_slo_s = 0;
    f.tpot_slo_s = 1e-3;
    CHECK(x.picker.pick(f, x.pool, x.now).refused == refusal::tpot_slo);
}

TEST_CASE("an endpoint that stops keeping prompts is believed, and one that was restarted is forgotten") {
    fixture x(1);
    const auto f = x.request(1);
    auto t = x.send(f);
    x.finish(t, f, 0);  // nothing was expected, so nothing is wrong
    const auto expected = [&] { return x.picker.pick(f, x.pool, x.now).best[0].cached_tokens; };
    CHECK(expected() > 9'900);
    t = x.send(f);
    x.finish(t, f, 5'000);
    CHECK(expected() < 9'600);
    CHECK(expected() > 9'000);
    const auto other = x.request(2);
    t = x.send(other);
    x.finish(t, other);
    for (int i = 0; i < 3; ++i) {
        CHECK(x.picker.index().fill(0) > 0.01);
        t = x.send(f);
        x.finish(t, f, 0);
    }
    CHECK(x.picker.pick(other, x.pool, x.now).best[0].cached_tokens == 0);
    CHECK(expected() > 9'900);  // it has computed this one since
}

TEST_CASE("polled metrics count while they are fresh") {
    fixture x(2);
    const auto f = x.request(1, 4'000);
    x.picker.on_metrics(0, {.kv_use = 1.2, .running = 100, .waiting = 20}, x.now);
    x.picker.on_metrics(1, {.kv_use = 0.1, .running = 0, .waiting = 0}, x.now);
    CHECK(x.picker.pick(f, x.pool, x.now).best[0].slot == 1);
    const auto late = x.now + 1min;
    const auto choice = x.picker.pick(f, x.pool, late);
    CHECK(choice.best[0].expected.cost_s == Approx(choice.best[1].expected.cost_s));
}

TEST_CASE("a slot that gets another endpoint starts anew, and the old one's requests do not count there") {
    fixture x(2);
    const auto f = x.request(1);
    auto t = x.send(f);
    x.picker.reset(t.slot, {});
    CHECK(x.picker.load(t.slot).inflight == 0);
    x.picker.on_first_token(t, x.now);
    x.picker.on_done(t, f, {}, x.now);
    CHECK(x.picker.load(t.slot).inflight == 0);
    CHECK(x.picker.pick(f, x.pool, x.now).best[0].cached_tokens == 0);
}

TEST_CASE("gateways with the same seed agree where a conversation begins, and conversations differ") {
    std::set<std::uint32_t> used;
    for (int i = 0; i < 30; ++i) {
        fixture a, b;
        const auto slot = a.send(a.request(i)).slot;
        CHECK(b.send(b.request(i)).slot == slot);
        used.insert(slot);
    }
    CHECK(used.size() == 4);
}

TEST_CASE("a choice that other threads have overtaken is made again") {
    fixture x(2);
    const auto f = x.request(1);
    auto stale = x.picker.pick(f, x.pool, x.now);
    const auto slot = stale.best[0].slot;
    for (int i = 0; i < 5; ++i) {
        const auto g = x.request(10 + i);
        auto choice = x.picker.pick(g, x.pool, x.now);
        for (std::size_t k = 0; k < choice.count; ++k)
            if (choice.best[k].slot == slot) x.picker.dispatch_to(choice.best[k], choice, g, x.now);
    }
    const auto t = x.picker.dispatch(stale, f, x.pool, x.now);
    CHECK(t.slot != slot);
    CHECK(stale.best[0].slot == t.slot);
    CHECK(x.picker.load(slot).inflight == 5);
    CHECK(x.picker.load(t.slot).inflight == 1);
}

TEST_CASE("eight threads that pick, send and finish at once leave the counters at nothing") {
    fixture x(4);
    std::vector<request_features> requests;
    for (int i = 0; i < 40; ++i) requests.push_back(x.request(i % 10, 8'000, 4'000));
    {
        std::vector<std::jthread> workers;
        for (std::size_t w = 0; w < 8; ++w)
            workers.emplace_back([&, w] {
                for (std::size_t i = 0; i < 300; ++i) {
                    const auto& f = requests[(i * 7 + w) % requests.size()];
                    const auto at = start + std::chrono::milliseconds(i);
                    auto choice = x.picker.pick(f, x.pool, at);
                    auto t = x.picker.dispatch(choice, f, x.pool, at);
                    x.picker.on_first_token(t, at + 100ms);
                    x.picker.on_done(t, f, {.prompt_tokens = 2'000, .cached_tokens = 500, .output_tokens = 30},
                                     at + 1s);
                    x.picker.on_metrics(static_cast<std::uint32_t>(i % 4), {.kv_use = 0.5, .running = 3, .waiting = 0},
                                        at);
                }
            });
    }
    for (std::uint32_t slot = 0; slot < 4; ++slot) {
        CHECK(x.picker.load(slot).inflight == 0);
        CHECK(x.picker.load(slot).prefill_tokens == 0);
        CHECK(x.picker.load(slot).context_tokens == 0);
    }
}
