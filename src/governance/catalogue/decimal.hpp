// Decimal numbers as exact integers.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice::catalogue {

enum class decimal_problem : std::uint8_t {
    none,
    malformed,          // a sign, an exponent, no digit before or after the point, anything but digits
    too_many_decimals,  // a digit other than 0 behind the last that the unit holds
    out_of_range,
};

struct decimal {
    std::int64_t value = 0;  // in units; 0 when there is a problem
    decimal_problem problem = decimal_problem::none;
};

// `text` times 10^decimals: parse_decimal("1.25", 9, max) is 1'250'000'000. Exact or refused: no digit is ever
// dropped but zeros at the end. `decimals` is at most 18.
decimal parse_decimal(std::string_view text, int decimals, std::int64_t max);

}  // namespace sluice::catalogue
