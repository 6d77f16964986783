// Numbers, encodings, time and what the surroundings know.
#include "mcp/rest/functions.hpp"
#include "mcp/rest/time_format.hpp"

#include "base/base64.hpp"
#include "base/ids.hpp"
#include "base/random.hpp"
#include "http/path.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <cmath>

namespace sluice::mcp::rest {

namespace {

std::string text(const call& c, std::size_t i) {
    return c.args[i].text(c.context.limits.output_bytes_max);
}

// --- numbers: whole ones stay whole as long as they fit ------------------------------------------------
double number_of(const value& v) {
    if (v.is(value::kind::boolean)) return v.truth() ? 1 : 0;
    return v.to_number().value_or(0);
}

template <bool (*Whole)(std::int64_t, std::int64_t, std::int64_t*), double (*Wide)(double, double)>
result<value> fold(const call& c) {
    value sum = c.args[0].is(value::kind::number) ? c.args[0] : value::number(number_of(c.args[0]));
    for (const value& next : c.args.subspan(1)) {
        const auto a = sum.to_integer();
        const auto b = next.to_integer();
        std::int64_t whole = 0;
        sum = a && b && Whole(*a, *b, &whole) ? value::integer(whole)
                                              : value::number(Wide(number_of(sum), number_of(next)));
    }
    return sum;
}
bool whole_add(std::int64_t a, std::int64_t b, std::int64_t* out) {
    return !__builtin_add_overflow(a, b, out);
}
bool whole_sub(std::int64_t a, std::int64_t b, std::int64_t* out) {
    return !__builtin_sub_overflow(a, b, out);
}
bool whole_mul(std::int64_t a, std::int64_t b, std::int64_t* out) {
    return !__builtin_mul_overflow(a, b, out);
}
double wide_add(double a, double b) {
    return a + b;
}
double wide_sub(double a, double b) {
    return a - b;
}
double wide_mul(double a, double b) {
    return a * b;
}
result<value> add1(const call& c) {
    return value::number(number_of(c.args[0]) + 1);
}

// Whole division, as in Go: towards zero.
result<value> divide(const call& c, bool remainder) {
    const std::int64_t a = c.args[0].to_integer().value_or(0);
    const std::int64_t b = c.args[1].to_integer().value_or(0);
    if (b == 0) return error{error_kind::bad_request, "division by zero"};
    if (b == -1) return remainder ? value::integer(0) : value::number(-static_cast<double>(a));
    return value::integer(remainder ? a % b : a / b);
}
result<value> div(const call& c) {
    return divide(c, false);
}
result<value> mod(const call& c) {
    return divide(c, true);
}
result<value> max(const call& c) {
    return *std::max_element(c.args.begin(), c.args.end(),
                             [](const value& a, const value& b) { return number_of(a) < number_of(b); });
}
result<value> min(const call& c) {
    return *std::min_element(c.args.begin(), c.args.end(),
                             [](const value& a, const value& b) { return number_of(a) < number_of(b); });
}
result<value> floor_(const call& c) {
    return value::number(std::floor(number_of(c.args[0])));
}
result<value> ceil_(const call& c) {
    return value::number(std::ceil(number_of(c.args[0])));
}
// round number places
result<value> round_(const call& c) {
    const auto places = std::clamp<std::int64_t>(c.args.size() > 1 ? c.args[1].to_integer().value_or(0) : 0, 0, 15);
    const double scale = std::pow(10.0, static_cast<double>(places));
    return value::number(std::round(number_of(c.args[0]) * scale) / scale);
}
result<value> int_(const call& c) {
    if (const auto n = c.args[0].to_integer()) return value::integer(*n);
    return value::number(std::trunc(number_of(c.args[0])));
}
result<value> float_(const call& c) {
    return value::number(number_of(c.args[0]));
}

// --- encodings -------------------------------------------------------------------------------------------
result<value> b64enc(const call& c) {
    return value::string(base64_encode(text(c, 0)));
}
result<value> b64dec(const call& c) {
    auto decoded = base64_decode(text(c, 0));
    if (!decoded) return error{error_kind::bad_request, "b64dec: this is not base64"};
    return value::string(std::move(*decoded));
}
result<value> urlquery(const call& c) {
    std::string out;
    http::percent_encode(out, text(c, 0));
    return value::string(std::move(out));
}
result<value> html(const call& c) {
    placed_text out{placing::xml, 6 * c.context.limits.output_bytes_max};
    if (auto done = out.insert(value::string(text(c, 0))); !done) return done.error();
    return value::string(out.take());
}
result<value> sha256sum(const call& c) {
    const std::string s = text(c, 0);
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256(reinterpret_cast<const unsigned char*>(s.data()), s.size(), digest);
    return value::string(to_hex(std::string_view(reinterpret_cast<const char*>(digest), sizeof digest)));
}

// --- kinds -------------------------------------------------------------------------------------------------
result<value> to_string(const call& c) {
    return value::string(text(c, 0));
}
result<value> to_strings(const call& c) {
    value::list out;
    for (const value& v : c.args[0].items()) out.push_back(value::string(v.text(c.context.limits.output_bytes_max)));
    return value::array(std::move(out));
}
result<value> kind_of(const call& c) {
    constexpr std::string_view names[] = {"invalid", "invalid", "bool", "float64", "string", "slice", "map"};
    return value::string(std::string{names[static_cast<std::size_t>(c.args[0].type())]});
}

// --- surroundings ------------------------------------------------------------------------------------------
// RFC 9562 5.4.
result<value> uuidv4(const call& c) {
    random_source& random = c.context.random != nullptr ? *c.context.random : thread_random();
    const std::uint64_t high = (random.next() & ~std::uint64_t{0xf000}) | 0x4000;
    const std::uint64_t low = (random.next() & ~(std::uint64_t{3} << 62)) | std::uint64_t{2} << 62;
    std::string out = to_hex(trace_id{high, low});
    for (const std::size_t at : {8U, 13U, 18U, 23U}) out.insert(at, 1, '-');
    return value::string(std::move(out));
}

// A time is a number: seconds since 1970.
result<value> now(const call& c) {
    using namespace std::chrono;
    return value::number(static_cast<double>(floor<milliseconds>(c.context.now.time_since_epoch()).count()) / 1000);
}
result<value> unix_epoch(const call& c) {
    return value::number(std::floor(number_of(c.args[0])));
}
result<value> date_in(const call& c, std::string_view zone) {
    const auto offset = zone_offset(zone);
    if (!offset) return error{error_kind::bad_request, "dateInZone: write an offset such as +08:00 for this zone"};
    using namespace std::chrono;
    const double seconds_since = std::clamp(number_of(c.args[1]), -6e9, 9e9);  // within nanoseconds of 64 bits
    const sys_time<nanoseconds> when{milliseconds{static_cast<std::int64_t>(std::round(seconds_since * 1000))}};
    return value::string(format_time(text(c, 0), when, zone, *offset));
}
result<value> date(const call& c) {
    return date_in(c, "UTC");
}
// dateInZone layout time zone
result<value> date_in_zone(const call& c) {
    return date_in(c, text(c, 2));
}
result<value> remote_address(const call& c) {
    return value::string(c.context.remote_address);
}

constexpr function table[] = {
    {"add", 1, any_number, fold<whole_add, wide_add>},
    {"add1", 1, 1, add1},
    {"sub", 2, 2, fold<whole_sub, wide_sub>},
    {"mul", 1, any_number, fold<whole_mul, wide_mul>},
    {"div", 2, 2, div},
    {"mod", 2, 2, mod},
    {"max", 1, any_number, max, true},
    {"min", 1, any_number, min, true},
    {"floor", 1, 1, floor_},
    {"ceil", 1, 1, ceil_},
    {"round", 1, 2, round_},
    {"int", 1, 1, int_},
    {"int64", 1, 1, int_},
    {"atoi", 1, 1, int_},
    {"float64", 1, 1, float_},
    {"b64enc", 1, 1, b64enc},
    {"b64dec", 1, 1, b64dec},
    {"urlquery", 1, 1, urlquery},
    {"html", 1, 1, html},
    {"sha256sum", 1, 1, sha256sum},
    {"toString", 1, 1, to_string},
    {"toStrings", 1, 1, to_strings},
    {"kindOf", 1, 1, kind_of},
    {"uuidv4", 0, 0, uuidv4},
    {"now", 0, 0, now},
    {"unixEpoch", 1, 1, unix_epoch},
    {"date", 2, 2, date},
    {"dateInZone", 3, 3, date_in_zone},
    {"getRealIP", 0, 0, remote_address, true},
    {"getSocketIP", 0, 0, remote_address, true},
};

}  // namespace

std::span<const function> other_functions() {
    return table;
}

}  // namespace sluice::mcp::rest
