#include "routing/picker/balancers.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <string>

using namespace sluice::picker;
using namespace std::chrono_literals;

namespace {

std::vector<balanced> endpoints(std::initializer_list<double> weights) {
    std::vector<balanced> out;
    for (const double w : weights) out.push_back({.name = out.size() + 1, .weight = w});
    return out;
}

template <class B>
std::vector<int> shares(B& balancer, const std::vector<balanced>& e, int requests) {
    std::vector<int> n(e.size());
    for (int i = 0; i < requests; ++i) ++n[balancer.next(e).value()];
    return n;
}

}  // namespace

TEST_CASE("round robin gives each its share by weight, and spreads the turns of the heavy ones") {
    round_robin b;
    const auto e = endpoints({5, 1, 1, 0});
    std::string order;
    for (int i = 0; i < 14; ++i) order += static_cast<char>('a' + b.next(e).value());
    CHECK(order == "aabacaaaabacaa");
}

TEST_CASE("round robin goes on where it was when an endpoint comes or goes") {
    round_robin b;
    auto e = endpoints({1, 1, 1});
    CHECK(b.next(e) == choice{0});
    e.push_back({.name = 9});
    CHECK(b.next(e) == choice{1});
    CHECK(b.next(e) == choice{2});
    e.erase(e.begin());
    CHECK(b.next(e) == choice{2});
}

TEST_CASE("least request takes the fewest requests per weight, and draws among equals") {
    least_request b(1);
    auto e = endpoints({1, 2, 0});
    e[0].inflight = 2;
    e[1].inflight = 4;
    CHECK(b.next(e) == choice{1});
    e[1].inflight = 6;
    CHECK(b.next(e) == choice{0});
    const auto n = shares(b, endpoints({1, 1, 1}), 900);
    for (const int k : n) CHECK(k > 230);
}

TEST_CASE("of two choices the busiest endpoint is never taken") {
    two_choices b(1);
    auto e = endpoints({1, 1, 1, 1});
    for (std::size_t i = 0; i < e.size(); ++i) e[i].inflight = static_cast<std::int64_t>(i);
    const auto n = shares(b, e, 1'200);
    CHECK(n[3] == 0);
    CHECK(n[0] > 500);
    CHECK(n[2] > 100);
}

TEST_CASE("peak EWMA avoids the endpoint that has become slow and comes back to it when it is fast again") {
    peak_ewma b(1);
    std::array<latency_ewma, 2> latency;
    auto e = endpoints({1, 1});
    steady_time now{1h};
    const auto fast_share = [&] {
        for (std::size_t i = 0; i < 2; ++i) e[i].latency_s = latency[i].at(now);
        return shares(b, e, 100)[0];
    };
    for (auto& l : latency) l.saw(0.1, now);
    CHECK(latency[0].at(now) == Approx(0.1));
    latency[1].saw(2, now);
    CHECK(latency[1].at(now) == Approx(2));  // a peak counts at once
    CHECK(fast_share() == 100);
    latency[1].saw(0.05, now + 100ms);
    CHECK(latency[1].at(now + 100ms) > 1.9);  // one good answer proves little
    now += 60s;
    latency[0].saw(0.1, now);
    CHECK(fast_share() < 5);
    CHECK(latency_ewma{}.at(now) == 0);
}

TEST_CASE("hashing keeps a key where it is when other endpoints come or go") {
    const bounded_hash b(1'000);
    auto e = endpoints({1, 1, 1, 1});
    std::vector<std::uint64_t> before;
    for (std::uint64_t key = 0; key < 400; ++key) before.push_back(e[b.next(e, key).value()].name);
    const auto gone = e[1].name;
    e.erase(e.begin() + 1);
    e.push_back({.name = 77});
    int to_new = 0;
    for (std::uint64_t key = 0; key < 400; ++key) {
        const auto now = e[b.next(e, key).value()].name;
        if (now == 77)
            ++to_new;
        else if (before[key] != gone)
            CHECK(now == before[key]);
    }
    CHECK(to_new > 60);
    CHECK(to_new < 140);
}

TEST_CASE("hashing follows the weights") {
    const bounded_hash b(1'000);
    const auto e = endpoints({3, 1, 0});
    std::array<int, 3> n{};
    for (std::uint64_t key = 0; key < 4'000; ++key) ++n[b.next(e, key).value()];
    CHECK(n[0] > 2'800);
    CHECK(n[0] < 3'200);
    CHECK(n[2] == 0);
}

TEST_CASE("a key that everybody uses does not overrun its endpoint") {
    const bounded_hash b(1.25);
    auto e = endpoints({1, 1, 1, 1});
    for (int i = 0; i < 100; ++i) ++e[b.next(e, 42).value()].inflight;
    for (const auto& x : e) CHECK(x.inflight <= 32);
}

TEST_CASE("a session stays with its endpoint until that one is gone or takes no more") {
    sticky_sessions s(100);
    auto e = endpoints({1, 1});
    CHECK_FALSE(s.find(e, 5).has_value());
    s.remember(5, e[1].name);
    CHECK(s.find(e, 5) == choice{1});
    e[1].weight = 0;
    CHECK_FALSE(s.find(e, 5).has_value());
    s.remember(5, e[0].name);
    CHECK(s.find(e, 5) == choice{0});
    e.erase(e.begin());
    CHECK_FALSE(s.find(e, 5).has_value());
}

TEST_CASE("any number of sessions takes no more memory, and the newest are remembered") {
    sticky_sessions s(1'000);
    const auto e = endpoints({1});
    for (std::uint64_t i = 1; i <= 10'000; ++i) s.remember(i, 1);
    int found = 0;
    for (std::uint64_t i = 1; i <= 10'000; ++i) found += s.find(e, i).has_value();
    CHECK(found <= 1'000);
    for (std::uint64_t i = 9'990; i <= 10'000; ++i) CHECK(s.find(e, i).has_value());
}

TEST_CASE("no balancer chooses where there is nothing to choose from") {
    const auto none = endpoints({}), off = endpoints({0, 0});
    round_robin rr;
    least_request lr(1);
    two_choices p2c(1);
    peak_ewma ewma(1);
    const bounded_hash hash(1.25);
    for (const auto& e : {none, off}) {
        CHECK_FALSE(rr.next(e).has_value());
        CHECK_FALSE(lr.next(e).has_value());
        CHECK_FALSE(p2c.next(e).has_value());
        CHECK_FALSE(ewma.next(e).has_value());
        CHECK_FALSE(hash.next(e, 1).has_value());
    }
    CHECK(p2c.next(endpoints({1})) == choice{0});
}
