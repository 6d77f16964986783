#include "telemetry/access_record.hpp"

#include "base/ascii.hpp"
#include "telemetry/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace sluice::telemetry {
namespace {

constexpr std::size_t text_bytes_max = 256;
constexpr std::size_t path_bytes_max = 1024;

constexpr std::size_t texts_max = 14, paths_max = 2;
constexpr std::size_t escaped_max = 6;  // bytes that one byte may become
constexpr std::size_t buffer_bytes =
    escaped_max * (texts_max * text_bytes_max + paths_max * path_bytes_max) + 2048;  // keys, numbers, quotes

// `,"name":` made by the compiler.
template <std::size_t N>
struct key {
    char text[N + 3] = {',', '"'};
    consteval key(const char (&name)[N]) {
        std::copy(name, name + N - 1, text + 2);
        text[N + 1] = '"';
        text[N + 2] = ':';
    }
};

// Writes fields of one flat object, each with its comma in front: the object begins with a field that is always
// there. The buffer holds buffer_bytes.
class line_writer {
public:
    explicit line_writer(char* at) : at_(at) {}
    char* end() const { return at_; }

    void raw(std::string_view s) {
        std::memcpy(at_, s.data(), s.size());
        at_ += s.size();
    }
    template <key Name>
    void text(std::string_view value, std::size_t bytes_max = text_bytes_max) {
        if (value.empty()) return;
        put<Name>();
        quoted(value, bytes_max);
    }
    template <key Name>
    void number(std::int64_t value) {
        if (value < 0) return;
        put<Name>();
        at_ = ascii::write_number(at_, static_cast<std::uint64_t>(value));
    }
    template <key Name>
    void boolean(bool value) {
        put<Name>();
        raw(value ? "true" : "false");
    }
    // In milliseconds with three decimals, which is exact to the microsecond.
    template <key Name>
    void milliseconds(std::chrono::nanoseconds value) {
        put<Name>();
        const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(value.count() / 1000, 0));
        at_ = ascii::write_number(at_, us / 1000);
        *at_++ = '.';
        three_digits(us % 1000);
    }
    void three_digits(std::uint64_t n) {
        *at_++ = static_cast<char>('0' + n / 100);
        *at_++ = static_cast<char>('0' + n / 10 % 10);
        *at_++ = static_cast<char>('0' + n % 10);
    }

private:
    template <key Name>
    void put() {
        std::memcpy(at_, Name.text, sizeof Name.text);
        at_ += sizeof Name.text;
    }
    void quoted(std::string_view value, std::size_t bytes_max) {
        if (value.size() <= bytes_max && is_plain(value)) {
            *at_++ = '"';
            raw(value);
            *at_++ = '"';
        } else {
            std::string escaped;
            append_json(escaped, value, bytes_max);
            raw(escaped);
        }
    }
    char* at_;
};

}  // namespace

std::chrono::nanoseconds access_record::overhead() const {
    return std::max(duration - upstream, std::chrono::nanoseconds{0});
}

access_record record_of(const exchange& x, std::int64_t bytes_in, std::chrono::steady_clock::time_point now,
                        std::chrono::system_clock::time_point wall) {
    const std::string_view target{x.request().target};
    const auto mark = std::min(target.find('?'), target.size());
    access_record r;
    r.time = wall;
    r.request_id = x.request_id();
    r.trace_id = x.trace_id;
    r.client = x.remote_address();
    r.method = x.request().method;
    r.path = target.substr(0, mark);
    r.query = target.substr(std::min(mark + 1, target.size()));
    r.route = x.route_name();
    r.status = x.status;
    r.key_id = x.caller.key_id;
    r.tenant = x.caller.tenant;
    r.model = x.model;
    if (x.target && x.target->endpoint != nullptr) {
        r.provider = x.target->endpoint->provider;
        r.endpoint = x.target->endpoint->name;
        r.upstream_model = x.target->model;
    }
    r.stream = x.stream;
    r.fell_back = x.fell_back;
    r.attempts = x.attempts;
    r.usage = x.usage;
    r.bytes_in = bytes_in;
    r.bytes_out = x.reply_bytes;
    if (x.stream) r.events = x.reply_events;
    r.duration = now - x.started();
    if (x.first_byte != std::chrono::steady_clock::time_point{}) r.time_to_first_byte = x.first_byte - x.started();
    r.upstream = x.upstream_time;
    if (x.failure()) r.failure = x.failure()->kind;
    r.aborted = x.aborted();
    return r;
}

std::string_view name_of(abort_reason reason) {
    switch (reason) {
        case abort_reason::none:
            return {};
        case abort_reason::client_gone:
            return "client_gone";
        case abort_reason::client_write_stall:
            return "client_write_stall";
        case abort_reason::total_timeout:
            return "total_timeout";
        case abort_reason::drain:
            return "drain";
        case abort_reason::shutdown:
            break;
    }
    return "shutdown";
}

access_line_format::access_line_format(bool query)
    : query_(query), line_(std::make_unique_for_overwrite<char[]>(buffer_bytes)) {}

void access_line_format::append(std::string& out, const access_record& r) {
    const auto second = std::chrono::floor<std::chrono::seconds>(r.time);
    if (second != second_) remember(second);
    line_writer f{line_.get()};
    f.raw("{\"time\":\"");
    f.raw(second_text_);
    f.raw(".");
    f.three_digits(static_cast<std::uint64_t>(std::chrono::floor<std::chrono::milliseconds>(r.time - second).count()));
    f.raw("Z\"");
    f.text<"request_id">(r.request_id);
    f.text<"trace_id">(r.trace_id);
    f.text<"client">(r.client);
    f.text<"method">(r.method);
    f.text<"path">(r.path, path_bytes_max);
    if (query_) f.text<"query">(r.query, path_bytes_max);
    f.text<"route">(r.route);
    f.number<"status">(r.status);
    f.text<"key_id">(r.key_id);
    f.text<"tenant">(r.tenant);
    f.text<"model">(r.model);
    f.text<"provider">(r.provider);
    f.text<"endpoint">(r.endpoint);
    f.text<"upstream_model">(r.upstream_model);
    f.boolean<"stream">(r.stream);
    f.number<"attempts">(r.attempts);
    f.boolean<"fell_back">(r.fell_back);
    f.number<"input_tokens">(r.usage.input);
    f.number<"output_tokens">(r.usage.output);
    f.number<"cached_input_tokens">(r.usage.cached_input);
    f.number<"reasoning_tokens">(r.usage.reasoning);
    f.number<"bytes_in">(r.bytes_in);
    f.number<"bytes_out">(r.bytes_out);
    f.number<"events">(r.events);
    f.milliseconds<"duration_ms">(r.duration);
    if (r.time_to_first_byte) f.milliseconds<"ttft_ms">(*r.time_to_first_byte);
    f.milliseconds<"upstream_ms">(r.upstream);
    f.number<"overhead_us">(r.overhead().count() / 1000);
    if (r.failure) f.text<"error">(traits(*r.failure).code);
    f.text<"aborted">(name_of(r.aborted));
    f.raw("}\n");
    out.append(line_.get(), f.end());
}

void access_line_format::remember(std::chrono::sys_seconds second) {
    const auto day = std::chrono::floor<std::chrono::days>(second);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{second - day};
    second_text_ = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                               static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                               clock.hours().count(), clock.minutes().count(), clock.seconds().count());
    second_ = second;
}

}  // namespace sluice::telemetry
