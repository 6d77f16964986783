#include "governance/catalogue/decimal.hpp"

#include "governance/catalogue/model_info.hpp"

#include <catch2/catch.hpp>

#include <cstdint>
#include <limits>
#include <random>
#include <string>

using namespace sluice::catalogue;

namespace {

decimal price_of(std::string_view text) {
    return parse_decimal(text, 9, price_max);
}

// The other direction, with all nine decimals.
std::string spelled(std::int64_t nano) {
    const std::string fraction = std::to_string(nano % nano_per_dollar);
    return std::to_string(nano / nano_per_dollar) + "." + std::string(9 - fraction.size(), '0') + fraction;
}

}  // namespace

TEST_CASE("a price becomes the same number of nano-dollars, whatever its spelling") {
    CHECK(price_of("0").value == 0);
    CHECK(price_of("1").value == 1'000'000'000);
    CHECK(price_of("1.25").value == 1'250'000'000);
    CHECK(price_of("1.2500000000000000").value == 1'250'000'000);
    CHECK(price_of("0.003625").value == 3'625'000);
    CHECK(price_of("0.000000001").value == 1);
    CHECK(price_of("007.5").value == 7'500'000'000);
    CHECK(price_of("1000000").value == price_max);
}

TEST_CASE("a price with more digits than the unit holds is refused, not rounded") {
    CHECK(price_of("0.0000000001").problem == decimal_problem::too_many_decimals);
    CHECK(price_of("1.1234567891").problem == decimal_problem::too_many_decimals);
    CHECK(price_of("1.123456789").problem == decimal_problem::none);
    CHECK(price_of("1.123456789").value == 1'123'456'789);
}

TEST_CASE("a price above the range is refused, also when it would not fit the type") {
    CHECK(price_of("1000000.000000001").problem == decimal_problem::out_of_range);
    CHECK(price_of("9223372036.854775808").problem == decimal_problem::out_of_range);
    CHECK(price_of(std::string(400, '9')).problem == decimal_problem::out_of_range);
    const auto most = std::numeric_limits<std::int64_t>::max();
    CHECK(parse_decimal("9223372036.854775807", 9, most).value == most);
    CHECK(parse_decimal("9223372036.854775808", 9, most).problem == decimal_problem::out_of_range);
}

TEST_CASE("what is not plainly a decimal number is refused") {
    for (const char* text : {"", ".", "1.", ".5", "-1", "+1", "1e3", "1.5e-3", " 1", "1 ", "1,5", "0x1", "1.2.3", "$1",
                             "1_000", "nan", "١"}) {
        CAPTURE(text);
        CHECK(price_of(text).problem == decimal_problem::malformed);
        CHECK(price_of(text).value == 0);
    }
}

TEST_CASE("every price that can be held reads back as it was written") {
    std::mt19937_64 random{20261123};
    for (int i = 0; i < 20'000; ++i) {
        const auto nano = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(price_max + 1));
        const decimal parsed = price_of(spelled(nano));
        REQUIRE(parsed.problem == decimal_problem::none);
        REQUIRE(parsed.value == nano);
    }
}
