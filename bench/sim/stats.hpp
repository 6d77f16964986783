#pragma once
// What a test may ask an instance afterwards: counters, the heads it saw, the aborts it noticed.
// Belongs to one instance; not thread-safe.

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::sim {

using steady = std::chrono::steady_clock;

class stats {
public:
    explicit stats(std::size_t heads_max) : heads_max_(heads_max) {}

    void connection_opened();
    void connection_closed() { --connections_open_; }
    void request_began(std::string_view head, std::size_t body_bytes, std::uint64_t connection);
    // `outcome` is the status, "aborted" (the client went away) or "died" (a fault ended it).
    void request_ended(std::string_view path, std::string_view outcome);
    void tokens(std::size_t prompt, std::size_t cached, std::size_t generated);

    // The client went away before the response was complete.
    struct abort {
        std::string path;
        steady::time_point request_began, last_write;
        std::size_t events_sent = 0;
        std::uint64_t bytes_sent = 0;
    };
    void aborted(const abort& a);

    // A test calls this just before it hangs up; aborts noticed later tell the time since.
    void mark() { mark_ = steady::now(); }

    void reset();
    std::string to_json(std::string_view name) const;

private:
    struct seen_head {
        std::string head;
        std::size_t body_bytes = 0;
        std::uint64_t connection = 0;
    };
    struct seen_abort {
        abort what;
        steady::time_point noticed;
        std::int64_t unix_us = 0;
        std::optional<steady::duration> since_mark;
    };

    std::size_t heads_max_;
    std::map<std::string, std::map<std::string, std::uint64_t, std::less<>>, std::less<>> requests_;
    std::deque<seen_head> heads_;  // oldest first
    std::deque<seen_abort> aborts_;
    std::uint64_t requests_total_ = 0, aborts_total_ = 0;
    std::uint64_t connections_accepted_ = 0;
    std::int64_t connections_open_ = 0, connections_open_max_ = 0;
    std::int64_t concurrent_ = 0, concurrent_max_ = 0;
    std::uint64_t prompt_tokens_ = 0, cached_tokens_ = 0, generated_tokens_ = 0;
    std::optional<steady::time_point> mark_;
};

}  // namespace sluice::sim
