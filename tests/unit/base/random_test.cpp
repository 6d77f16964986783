#include "base/random.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <thread>

using namespace sluice;

TEST_CASE("the generator gives the numbers of xoshiro256++ seeded by splitmix64") {
    random_source r{1};  // expected: the authors' C code
    CHECK(r.next() == 0xcfc5d07f6f03c29b);
    CHECK(r.next() == 0xbf424132963fe08d);
    CHECK(r.next() == 0x19a37d5757aaf520);
    CHECK(r.next() == 0xbf08119f05cd56d6);
}

TEST_CASE("a bounded number stays below its bound and reaches every value") {
    random_source r{7};
    std::array<int, 3> seen{};
    for (int i = 0; i < 3000; ++i) ++seen[r.below(3)];
    for (const int n : seen) CHECK(n > 850);
    CHECK(r.below(1) == 0);
}

TEST_CASE("a unit number lies in [0, 1) and its mean in the middle") {
    random_source r{3};
    double sum = 0;
    for (int i = 0; i < 10000; ++i) {
        const double u = r.unit();
        REQUIRE((u >= 0 && u < 1));
        sum += u;
    }
    CHECK(sum / 10000 == Approx(0.5).margin(0.02));
}

TEST_CASE("two threads draw different numbers") {
    const std::uint64_t here = thread_random().next();
    std::uint64_t there = here;
    std::thread{[&] { there = thread_random().next(); }}.join();
    CHECK(here != there);
}

TEST_CASE("secure bytes fill the whole span") {
    std::array<std::byte, 512> bytes{};
    fill_secure(bytes);
    CHECK(std::count(bytes.begin(), bytes.end(), std::byte{0}) < 20);
    fill_secure({});
}
