// What is known about an exchange when it is over: the source of its access log line and of its span.
//
// It never holds content: no prompt, no answer, no header values, no credentials.
#pragma once

#include <sluice/exchange.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::telemetry {

// Views are into the exchange or whatever else the caller keeps alive until the record was written. Text that is
// empty and numbers that are -1 are left out of the line.
struct access_record {
    std::chrono::system_clock::time_point time;  // when the exchange ended
    std::string_view request_id, trace_id;
    std::string_view client;  // address, without port
    std::string_view method, path, query;
    std::string_view route;
    int status = 0;  // sent to the client; 0: none
    std::string_view key_id, tenant;
    std::string_view model, provider, endpoint, upstream_model;
    bool stream = false, fell_back = false;
    int attempts = 0;
    token_usage usage;
    std::int64_t bytes_in = -1, bytes_out = -1, events = -1;
    std::chrono::nanoseconds duration{0};  // head received -> last byte sent
    std::optional<std::chrono::nanoseconds> time_to_first_byte;
    std::chrono::nanoseconds upstream{0};  // waiting for upstreams
    std::optional<error_kind> failure;
    abort_reason aborted = abort_reason::none;

    // What the gateway added: the duration without the time spent waiting for upstreams. Never negative.
    std::chrono::nanoseconds overhead() const;
};

// The record of an exchange that ended now. `bytes_in` is the size of the request's body as received. Bytes, tokens
// and times come from the exchange, which must outlive the record.
access_record record_of(const exchange& x, std::int64_t bytes_in, std::chrono::steady_clock::time_point now,
                        std::chrono::system_clock::time_point wall);

// "client_gone"; empty for none.
std::string_view name_of(abort_reason reason);

// Writes records as JSON lines. Remembers the second it wrote last, whose text it can copy. Not thread-safe.
class access_line_format {
public:
    // With `query`, the query string is part of the line.
    explicit access_line_format(bool query);

    // Appends one JSON object and '\n', under 32 KiB whatever the record holds: any text is escaped, and cut at
    // 256 bytes (a path or query at 1024).
    void append(std::string& out, const access_record& record);

private:
    void remember(std::chrono::sys_seconds second);

    bool query_;
    std::unique_ptr<char[]> line_;  // where a line is made: large enough for any, so that nothing is checked
    std::chrono::sys_seconds second_{std::chrono::seconds{-1}};
    std::string second_text_;  // "2026-05-01T12:00:00"
};

}  // namespace sluice::telemetry
