#include <catch2/catch.hpp>

#include <sluice/metrics.hpp>

#include <cmath>
#include <limits>
#include <vector>

using namespace sluice;

TEST_CASE("a value falls into the first bucket whose bound is not below it") {
    const double bounds[] = {1, 2, 4};
    histogram h{bounds};
    for (const double v : {0.0, -5.0, 1.0, 1.5, 2.0, 3.9, 4.0, 4.1, 1e9}) h.observe(v);
    CHECK(h.bucket(0) == 3);  // 0, -5, 1
    CHECK(h.bucket(1) == 2);  // 1.5, 2
    CHECK(h.bucket(2) == 2);  // 3.9, 4
    CHECK(h.bucket(3) == 2);  // the rest
    CHECK(h.sum() == Approx(0 - 5 + 1 + 1.5 + 2 + 3.9 + 4 + 4.1 + 1e9));
}

TEST_CASE("few and many buckets are searched alike") {
    std::vector<double> bounds;
    for (int i = 0; i < 100; ++i) bounds.push_back(i);
    histogram many{bounds};
    histogram few{std::span{bounds}.first(10)};
    for (const double v : {-1.0, 0.0, 0.5, 9.0, 9.5}) {
        many.observe(v);
        few.observe(v);
    }
    for (std::size_t i = 0; i <= 10; ++i) CHECK(many.bucket(i) == few.bucket(i));
    many.observe(std::numeric_limits<double>::infinity());
    CHECK(many.bucket(100) == 1);
}

TEST_CASE("a value that is not a number is not counted") {
    const double bounds[] = {1};
    histogram h{bounds};
    h.observe(std::nan(""));
    CHECK(h.bucket(0) + h.bucket(1) == 0);
    CHECK(h.sum() == 0);
}

TEST_CASE("bounds that do not ascend are a bug") {
    using bounds = std::vector<double>;
    for (const bounds& bad : {bounds{}, bounds{2, 1}, bounds{1, 1}, bounds{1, std::nan("")},
                              bounds{1, std::numeric_limits<double>::infinity()}}) {
        CHECK_THROWS_AS(histogram{bad}, std::invalid_argument);
    }
}
