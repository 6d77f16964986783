// Traffic by chance, and what must hold whatever it is.
#include "base/random.hpp"
#include "routing/admission/fair_queue.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

using namespace sluice;
using namespace sluice::admission;
using namespace std::chrono_literals;

namespace {

constexpr steady_time start{1000h};

struct entry {
    ticket place;
    std::uint64_t bytes = 0;
    std::string tenant;
    bool in = false;
};

// Counts what became of each request.
struct traffic {
    explicit traffic(std::uint64_t seed, const queue_options& o) : options(o), queue(o), random(seed) {}

    void arrive() {
        auto e = std::make_unique<entry>();
        e->tenant = "t" + std::to_string(random.below(6));
        e->bytes = random.below(300);
        const enqueued done = queue.try_enqueue(e->place,
                                                {.priority = static_cast<int>(random.below(priorities)),
                                                 .tenant = e->tenant,
                                                 .tokens = static_cast<std::int64_t>(random.below(20'000)),
                                                 .bytes = e->bytes,
                                                 .ttl = std::chrono::milliseconds(random.below(9'000))},
                                                now);
        if (done != enqueued::waits) {
            ++refused;
            return;
        }
        ++entered;
        held += e->bytes;
        entries.push_back(std::move(e));
    }
    void gone(ticket& t, std::size_t& counter) {
        ++counter;
        const auto at = std::find_if(entries.begin(), entries.end(), [&](const auto& e) { return &e->place == &t; });
        REQUIRE(at != entries.end());  // nobody goes twice
        held -= (*at)->bytes;
        std::erase(trying, &t);
        entries.erase(at);
    }
    void step() {
        now += std::chrono::milliseconds(random.below(60));
        switch (random.below(8)) {
            case 0:
                if (!entries.empty()) {
                    ticket& t = entries[random.below(entries.size())]->place;
                    queue.leave(t);
                    gone(t, left);
                }
                break;
            case 1:
            case 2:
                if (ticket* t = queue.next(now, 0.01 * static_cast<double>(random.below(120)), round)) {
                    CHECK(t->state() == ticket_state::trying);
                    trying.push_back(t);
                }
                break;
            case 3:
                if (!trying.empty()) {
                    ticket* t = trying[random.below(trying.size())];
                    if (random.below(3) == 0) {
                        std::erase(trying, t);
                        queue.put_back(*t, now);
                    } else {
                        queue.dispatched(*t, now);
                        CHECK(t->state() == ticket_state::out);
                        gone(*t, dispatched);
                    }
                }
                break;
            case 4:
                ++round;
                while (ticket* t = queue.expire(now)) {
                    CHECK(t->deadline() <= now);
                    CHECK(t->state() == ticket_state::expired);
                    gone(*t, expired);
                }
                break;
            default:
                arrive();
        }
        CHECK(queue.size() == entries.size());
        CHECK(queue.bytes() == held);
        CHECK(queue.size() <= options.all.requests);
        CHECK(queue.bytes() <= options.all.bytes);
        for (int p = 0; p < priorities; ++p) CHECK(queue.size(p) <= options.per_priority.requests);
    }

    queue_options options;
    fair_queue queue;
    random_source random;
    steady_time now = start;
    std::uint64_t round = 1, held = 0;
    std::vector<std::unique_ptr<entry>> entries;
    std::vector<ticket*> trying;
    std::size_t entered = 0, refused = 0, dispatched = 0, expired = 0, left = 0;
};

}  // namespace

TEST_CASE("every request that entered the queue is dispatched, expires or leaves, once, within all limits") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        traffic t(seed, {.all = {40, 5'000},
                         .per_priority = {12, 2'000},
                         .per_tenant = {6, 1'000},
                         .ttl = 8s,
                         .age_after = 1s,
                         .aged_every = 3,
                         .hold_back = 0.2,
                         .quantum_tokens = 3'000,
                         .earliest_deadline_first = seed % 2 == 0});
        for (int i = 0; i < 2'000; ++i) t.step();
        CHECK(t.entered == t.dispatched + t.expired + t.left + t.entries.size());
        CHECK(t.refused > 0);
        CHECK(t.dispatched > 0);
        CHECK(t.expired > 0);

        // And with room for all nobody stays.
        for (ticket* w : t.trying) t.queue.put_back(*w, t.now);
        t.trying.clear();
        ++t.round;
        while (ticket* w = t.queue.next(t.now, 0, t.round)) {
            t.queue.dispatched(*w, t.now);
            t.gone(*w, t.dispatched);
        }
        CHECK(t.queue.size() == 0);
        CHECK(t.entries.empty());
    }
}

TEST_CASE("tenants that wait all the time get shares that differ by a quantum and two requests at most") {
    constexpr std::int64_t quantum = 3'000, costliest = 12'000;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        random_source random(seed);
        fair_queue queue({.per_priority = {4'000, 1 << 20}, .per_tenant = {1'000, 1 << 20}, .quantum_tokens = quantum});
        const std::size_t tenants = 2 + random.below(5);
        std::vector<std::unique_ptr<ticket>> tickets;
        std::map<const ticket*, std::pair<std::size_t, std::int64_t>> cost;
        for (std::size_t tenant = 0; tenant < tenants; ++tenant) {
            for (int i = 0; i < 300; ++i) {
                const auto tokens = static_cast<std::int64_t>(1 + random.below(tenant % 2 == 0 ? costliest : 900));
                tickets.push_back(std::make_unique<ticket>());
                REQUIRE(queue.try_enqueue(*tickets.back(), {.tenant = std::to_string(tenant), .tokens = tokens},
                                          start) == enqueued::waits);
                cost[tickets.back().get()] = {tenant, tokens};
            }
        }
        std::vector<std::int64_t> got(tenants, 0);
        std::vector<int> left(tenants, 300);
        while (*std::min_element(left.begin(), left.end()) > 0) {
            ticket* t = queue.next(start, 0, 1);
            REQUIRE(t != nullptr);
            queue.dispatched(*t, start);
            const auto& [tenant, tokens] = cost[t];
            got[tenant] += tokens;
            --left[tenant];
            const auto [least, most] = std::minmax_element(got.begin(), got.end());
            CHECK(*most - *least <= quantum + 2 * costliest);
        }
    }
}

TEST_CASE("no class starves: each request of the lowest goes after a bounded number of others") {
    constexpr std::uint32_t aged_every = 5;
    constexpr int low = 10;
    fair_queue queue({.ttl = 3'600s, .age_after = 1s, .aged_every = aged_every});
    steady_time now = start;
    std::vector<std::unique_ptr<ticket>> lows;
    for (int i = 0; i < low; ++i) {
        lows.push_back(std::make_unique<ticket>());
        REQUIRE(queue.try_enqueue(*lows.back(), {.priority = 0, .tenant = "low"}, now) == enqueued::waits);
    }
    now += 1s;
    // The classes above never run dry.
    std::vector<std::unique_ptr<ticket>> highs;
    int served_low = 0;
    for (std::uint32_t n = 1; n <= aged_every * low; ++n) {
        for (const int p : {3, 7}) {
            highs.push_back(std::make_unique<ticket>());
            REQUIRE(queue.try_enqueue(*highs.back(), {.priority = p, .tenant = "high"}, now) == enqueued::waits);
        }
        ticket* t = queue.next(now, 2, 1);
        REQUIRE(t != nullptr);
        queue.dispatched(*t, now);
        if (t->priority() == 0) {
            CHECK(t == lows[static_cast<std::size_t>(served_low)].get());
            ++served_low;
        }
        CHECK(served_low >= static_cast<int>(n / aged_every));
    }
    CHECK(served_low == low);
}
