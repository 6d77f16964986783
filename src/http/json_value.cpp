#include "http/json_validator.hpp"

#include <sluice/json.hpp>

#include <charconv>
#include <cmath>
#include <system_error>

namespace sluice {

std::optional<std::string> json_value::string() const {
    if (type != json_type::string || raw.size() < 2) return std::nullopt;
    return http::unescape_json(raw.substr(1, raw.size() - 2));
}

std::optional<std::int64_t> json_value::integer() const {
    if (type != json_type::number) return std::nullopt;
    if (raw.find_first_of(".eE") == std::string_view::npos) {
        std::int64_t value = 0;
        const auto read = std::from_chars(raw.data(), raw.data() + raw.size(), value);
        if (read.ec != std::errc{}) return std::nullopt;
        return value;
    }
    // 1e3 and 2.0 are integers to most readers of JSON, so a limit written that way must count as one. Above 2^53
    // a double no longer names one integer.
    const std::optional<double> value = number();
    if (!value || std::trunc(*value) != *value || std::fabs(*value) > 9007199254740992.0) return std::nullopt;
    return static_cast<std::int64_t>(*value);
}

std::optional<double> json_value::number() const {
    if (type != json_type::number) return std::nullopt;
    double value = 0;
    const auto read = std::from_chars(raw.data(), raw.data() + raw.size(), value);
    if (read.ec == std::errc::result_out_of_range) return 0.0;  // overflow was refused by the validation
    if (read.ec != std::errc{}) return std::nullopt;
    return value;
}

std::optional<bool> json_value::boolean() const {
    if (type != json_type::boolean) return std::nullopt;
    return raw == "true";
}

}  // namespace sluice
