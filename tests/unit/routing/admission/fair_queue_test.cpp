#include "routing/admission/fair_queue.hpp"

#include <catch2/catch.hpp>

#include <deque>
#include <memory>
#include <string>
#include <vector>

using namespace sluice::admission;
using namespace std::chrono_literals;

namespace {

constexpr steady_time start{1000h};

struct fixture {
    queue_options options;
    fair_queue queue;
    std::deque<ticket> tickets;
    std::uint64_t round = 1;
    steady_time now = start;

    explicit fixture(const queue_options& o = {}) : options(o), queue(o) {}

    ticket& enter(const queue_item& item) {
        ticket& t = tickets.emplace_back();
        REQUIRE(queue.try_enqueue(t, item, now) == enqueued::waits);
        return t;
    }
    enqueued refused(const queue_item& item) {
        ticket t;
        return queue.try_enqueue(t, item, now);
    }
    ticket* next(double saturation = 0.5) { return queue.next(now, saturation, round); }
    ticket* serve(double saturation = 0.5) {
        ticket* t = next(saturation);
        if (t != nullptr) queue.dispatched(*t, now);
        return t;
    }
};

}  // namespace

TEST_CASE("higher priorities go first, and within one the first that came") {
    fixture f;
    ticket& low = f.enter({.priority = 1, .tenant = "a"});
    ticket& high = f.enter({.priority = 6, .tenant = "a"});
    ticket& high_later = f.enter({.priority = 6, .tenant = "a"});
    CHECK(f.serve() == &high);
    CHECK(f.serve() == &high_later);
    CHECK(f.serve() == &low);
    CHECK(f.serve() == nullptr);
    CHECK(f.queue.size() == 0);
}

TEST_CASE("two tenants that both wait get the same number of tokens, whatever the size of their requests") {
    constexpr std::int64_t big = 8'000, small = 500;
    fixture f({.quantum_tokens = 2'000});
    for (int i = 0; i < 20; ++i) f.enter({.tenant = "big", .tokens = big});
    for (int i = 0; i < 320; ++i) f.enter({.tenant = "small", .tokens = small});
    std::int64_t got_big = 0, got_small = 0;
    for (int i = 0; i < 200; ++i) {
        const ticket* t = f.serve();
        REQUIRE(t != nullptr);
        bool is_big = false;
        for (std::size_t k = 0; k < 20; ++k) is_big |= t == &f.tickets[k];
        (is_big ? got_big : got_small) += is_big ? big : small;
        CHECK(std::abs(got_big - got_small) <= 2'000 + 2 * big);
    }
}

TEST_CASE("a flood of one tenant does not make another wait behind it") {
    fixture f;
    for (int i = 0; i < 400; ++i) f.enter({.tenant = "flood", .tokens = 8'192});
    ticket& other = f.enter({.tenant = "other", .tokens = 8'192});
    int before = 0;
    while (f.serve() != &other) ++before;
    CHECK(before <= 2);
}

TEST_CASE("tries that find nothing pay nobody's debts") {
    fixture f({.quantum_tokens = 64});
    for (int i = 0; i < 6; ++i) f.enter({.tenant = "greedy", .tokens = 500});
    for (int i = 0; i < 4; ++i) f.enter({.tenant = "modest", .tokens = 50});
    std::vector<std::int64_t> order;
    for (int i = 0; i < 10; ++i) {
        ++f.round;
        ticket* t = f.next();
        REQUIRE(t != nullptr);
        order.push_back(t->tokens());
        f.queue.dispatched(*t, f.now);
        // Then the server is full: whoever tries is put back.
        while ((t = f.next()) != nullptr) f.queue.put_back(*t, f.now);
    }
    CHECK(order == std::vector<std::int64_t>{500, 50, 50, 50, 50, 500, 500, 500, 500, 500});
}

TEST_CASE("a tenant that sends one request after the other pays for the large ones") {
    fixture f({.quantum_tokens = 1'000});
    for (int i = 0; i < 100; ++i) f.enter({.tenant = "small", .tokens = 1'000});
    f.enter({.tenant = "large", .tokens = 10'000});
    int large = 0;
    for (int i = 0; i < 60; ++i) {
        const ticket* t = f.serve();
        REQUIRE(t != nullptr);
        if (t != &f.tickets.back()) continue;
        ++large;
        f.enter({.tenant = "large", .tokens = 10'000});
    }
    // 60 requests hold about 55 small ones and 5 large ones; without memory of debts every second one would be large.
    CHECK(large >= 4);
    CHECK(large <= 7);
}

TEST_CASE("an old class gets its share under lasting overload, and no more than that") {
    fixture f({.ttl = 600s, .age_after = 10s, .aged_every = 4});
    for (int i = 0; i < 40; ++i) f.enter({.priority = 0, .tenant = "low"});
    for (int i = 0; i < 40; ++i) f.enter({.priority = 7, .tenant = "high"});
    for (int i = 0; i < 3; ++i) CHECK(f.serve()->priority() == 7);
    f.now += 10s;
    int low = 0;
    for (int i = 0; i < 32; ++i) low += f.serve()->priority() == 0;
    CHECK(low == 8);
}

TEST_CASE("the last part of a pool is kept for high classes") {
    fixture f({.age_after = 10s, .aged_every = 2, .hold_back = 0.2});
    ticket& low = f.enter({.priority = 0, .tenant = "low"});
    CHECK(f.next(0.85) == nullptr);
    ticket& high = f.enter({.priority = 7, .tenant = "high"});
    CHECK(f.serve(0.85) == &high);
    CHECK(f.next(0.85) == nullptr);
    CHECK(f.serve(0.75) == &low);
}

TEST_CASE("who was put back stands where it stood and is not asked again in the same round") {
    fixture f;
    ticket& first = f.enter({.tenant = "a"});
    ticket& second = f.enter({.tenant = "a"});
    ticket& other = f.enter({.tenant = "b"});
    REQUIRE(f.next() == &first);
    f.queue.put_back(first, f.now);
    CHECK(first.state() == ticket_state::waiting);
    ticket* then = f.next();
    CHECK(then == &other);  // the tenant of the first is passed over, the second with it
    f.queue.dispatched(*then, f.now);
    CHECK(f.next() == nullptr);
    ++f.round;
    CHECK(f.serve() == &first);
    CHECK(f.serve() == &second);
}

TEST_CASE("earliest deadline first orders the requests of a tenant") {
    fixture f({.earliest_deadline_first = true});
    ticket& patient = f.enter({.tenant = "a"});
    ticket& hasty = f.enter({.tenant = "a", .ttl = 500ms});
    ticket& less_hasty = f.enter({.tenant = "a", .ttl = 2s});
    CHECK(f.serve() == &hasty);
    CHECK(f.serve() == &less_hasty);
    CHECK(f.serve() == &patient);
}

TEST_CASE("who waited too long expires, not before its time and at most a tick after it") {
    fixture f({.ttl = 60s});
    ticket& t = f.enter({.tenant = "a"});
    ticket& shorter = f.enter({.tenant = "a", .ttl = 1s});
    ticket& cut = f.enter({.tenant = "a", .ttl = 1h});
    CHECK(f.queue.expire(start + 1s) == nullptr);
    REQUIRE(f.queue.next_deadline());
    CHECK(*f.queue.next_deadline() > start + 1s);
    CHECK(*f.queue.next_deadline() <= start + 1s + 120ms);
    CHECK(f.queue.expire(*f.queue.next_deadline()) == &shorter);
    CHECK(shorter.state() == ticket_state::expired);
    CHECK(f.queue.expire(start + 60s) == nullptr);
    CHECK(f.queue.expire(start + 60s + 120ms) == &t);
    CHECK(f.queue.expire(start + 60s + 120ms) == &cut);
    CHECK_FALSE(f.queue.next_deadline());
    CHECK(f.queue.size() == 0);
}

TEST_CASE("who is put back after its time expires next") {
    fixture f({.ttl = 10s});
    ticket& t = f.enter({.tenant = "a"});
    REQUIRE(f.next() == &t);
    CHECK(f.queue.expire(start + 40s) == nullptr);  // it tries: nobody takes it away
    f.queue.put_back(t, start + 40s);
    CHECK(f.queue.expire(start + 40s + 20ms) == &t);
}

TEST_CASE("limits hold for the whole queue, a class and a tenant") {
    fixture f({.all = {4, 1'000}, .per_priority = {3, 500}, .per_tenant = {2, 300}});
    f.enter({.priority = 1, .tenant = "a", .bytes = 100});
    f.enter({.priority = 1, .tenant = "a", .bytes = 100});
    CHECK(f.refused({.priority = 1, .tenant = "a"}) == enqueued::tenant_full);
    CHECK(f.refused({.priority = 1, .tenant = "b", .bytes = 301}) == enqueued::priority_full);
    f.enter({.priority = 1, .tenant = "b", .bytes = 300});
    CHECK(f.refused({.priority = 1, .tenant = "c"}) == enqueued::priority_full);
    CHECK(f.refused({.priority = 2, .tenant = "a", .bytes = 501}) == enqueued::queue_full);
    CHECK(f.refused({.priority = 2, .tenant = "a", .bytes = 301}) == enqueued::tenant_full);
    f.enter({.priority = 2, .tenant = "a", .bytes = 300});
    CHECK(f.refused({.priority = 3, .tenant = "a"}) == enqueued::queue_full);
    CHECK(f.refused({.priority = 8, .tenant = "a"}) == enqueued::invalid_request);
    CHECK(f.refused({.priority = -1, .tenant = "a"}) == enqueued::invalid_request);

    // One that tries still counts; one that is dispatched does not.
    ticket* t = f.next();
    CHECK(f.refused({.priority = 3, .tenant = "a"}) == enqueued::queue_full);
    f.queue.dispatched(*t, f.now);
    CHECK(f.refused({.priority = 3, .tenant = "a"}) == enqueued::waits);
}

TEST_CASE("a ticket leaves the queue when it dies, waiting or trying") {
    fixture f;
    ticket& stays = f.enter({.tenant = "a", .bytes = 5});
    {
        ticket t;
        REQUIRE(f.queue.try_enqueue(t, {.priority = 3, .tenant = "b", .bytes = 7}, start) == enqueued::waits);
        REQUIRE(f.queue.next(start, 0.5, 1) == &t);
        CHECK(f.queue.bytes() == 12);
    }
    {
        ticket t;
        REQUIRE(f.queue.try_enqueue(t, {.priority = 3, .tenant = "b", .bytes = 7}, start) == enqueued::waits);
    }
    CHECK(f.queue.size() == 1);
    CHECK(f.queue.bytes() == 5);
    CHECK(f.serve() == &stays);
}

TEST_CASE("names of tenants that come once are forgotten while others wait on") {
    fixture f({.all = {1'000, 1 << 20}, .per_priority = {100, 1 << 20}});
    ticket& stays = f.enter({.tenant = "stays"});
    REQUIRE(f.next() == &stays);
    for (int i = 0; i < 10'000; ++i) {
        const std::string name = "tenant " + std::to_string(i);
        ticket t;
        REQUIRE(f.queue.try_enqueue(t, {.tenant = name}, start) == enqueued::waits);
    }
    CHECK(f.queue.tenants() <= 100 + 64 + 1);
    f.queue.put_back(stays, start);
    f.round = 2;
    CHECK(f.serve() == &stays);
}
