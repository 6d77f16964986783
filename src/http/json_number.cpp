#include "http/json_number.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <system_error>

namespace sluice::http {
namespace {

bool digit(const char* p, const char* end) {
    return p != end && *p >= '0' && *p <= '9';
}

const char* skip_digits(const char* p, const char* end) {
    while (digit(p, end)) ++p;
    return p;
}

// Is the magnitude of a well-formed number above the largest double (1.797...e308)? Only the rare numbers at
// the edge are converted: from_chars alone cannot tell overflow from underflow.
bool overflows(std::string_view number) {
    const std::size_t e = number.find_first_of("eE");
    std::string_view mantissa = number.substr(0, e);
    if (mantissa.front() == '-') mantissa.remove_prefix(1);
    std::int64_t exponent = 0;
    if (e != std::string_view::npos) {
        std::size_t at = e + 1;
        const bool negative = number[at] == '-';
        if (number[at] == '-' || number[at] == '+') ++at;
        // Saturates above any mantissa's length (texts have at most 2^30 bytes).
        for (; at < number.size(); ++at) {
            exponent = std::min<std::int64_t>(exponent * 10 + (number[at] - '0'), 1'000'000'000'000);
        }
        if (negative) exponent = -exponent;
    }
    const std::size_t first = mantissa.find_first_not_of("0.");
    if (first == std::string_view::npos) return false;  // zero
    const auto point = static_cast<std::int64_t>(std::min(mantissa.find('.'), mantissa.size()));
    const auto at = static_cast<std::int64_t>(first);
    // The power of ten of the first digit that is not zero.
    const std::int64_t power = exponent + (at < point ? point - at - 1 : point - at);
    if (power != 308) return power > 308;
    double ignored = 0;
    return std::from_chars(number.data(), number.data() + number.size(), ignored).ec == std::errc::result_out_of_range;
}

}  // namespace

json_number_scan scan_json_number(const char* begin, const char* end) {
    const char* p = begin;
    if (p != end && *p == '-') ++p;
    const char* const integer = p;
    if (!digit(p, end)) return {p, "expected a digit"};
    p = *p == '0' ? p + 1 : skip_digits(p, end);
    if (digit(p, end)) return {p, "a number may not begin with 0"};
    const bool many_digits = p - integer > 308;
    bool whole = true, scaled = false;
    if (p != end && *p == '.') {
        whole = false;
        if (!digit(++p, end)) return {p, "expected a digit behind the point"};
        p = skip_digits(p, end);
    }
    if (p != end && (*p == 'e' || *p == 'E')) {
        whole = false;
        scaled = true;
        ++p;
        if (p != end && (*p == '+' || *p == '-')) ++p;
        if (!digit(p, end)) return {p, "expected a digit in the exponent"};
        p = skip_digits(p, end);
    }
    if ((many_digits || scaled) && overflows({begin, static_cast<std::size_t>(p - begin)})) {
        return {begin, "the number is out of the range of a double"};
    }
    return {p, nullptr, whole};
}

}  // namespace sluice::http
