#include "governance/catalogue/decimal.hpp"

#include <algorithm>

namespace sluice::catalogue {
namespace {

bool digits_only(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// False when the value leaves the range of the type.
bool append_digit(std::int64_t& value, char digit) {
    return !__builtin_mul_overflow(value, std::int64_t{10}, &value) &&
           !__builtin_add_overflow(value, std::int64_t{digit - '0'}, &value);
}

}  // namespace

decimal parse_decimal(std::string_view text, int decimals, std::int64_t max) {
    const std::size_t point = text.find('.');
    const std::string_view whole = text.substr(0, point);
    std::string_view fraction = point == text.npos ? std::string_view{} : text.substr(point + 1);
    if (!digits_only(whole)) return {0, decimal_problem::malformed};
    if (point != text.npos && !digits_only(fraction)) return {0, decimal_problem::malformed};
    while (!fraction.empty() && fraction.back() == '0') fraction.remove_suffix(1);
    if (fraction.size() > static_cast<std::size_t>(decimals)) return {0, decimal_problem::too_many_decimals};

    std::int64_t value = 0;
    bool fits = true;
    for (const char c : whole) fits = fits && append_digit(value, c);
    for (const char c : fraction) fits = fits && append_digit(value, c);
    for (std::size_t i = fraction.size(); i < static_cast<std::size_t>(decimals); ++i) {
        fits = fits && append_digit(value, '0');
    }
    if (!fits || value > max) return {0, decimal_problem::out_of_range};
    return {value, decimal_problem::none};
}

}  // namespace sluice::catalogue
