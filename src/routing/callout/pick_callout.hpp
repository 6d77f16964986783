// The HTTP callout of a pool: a service of the operator's own that orders the endpoints for a request, by a POST of
// JSON. Words and bounds only; who asks is stages/route/callout_pick.
//
//   asked:    {"request_id", "route", "pool", "model", "adapter"?, "session"?, "prompt_tokens", "prefix": ["9f3a..",
//   ...],
//              "headers": {...}, "candidates": [{"id", "address", "labels", "inflight", "expected_ttft_ms"?,
//              "cached_tokens"?}, ...]}       those with expectations first, best first
//   answers:  200 {"endpoints": ["id" or "ip:port", ...], "ttl_ms"?: n}          in this order; kept for so long, where
//   the
//                                                                           pool says by which header
//             200 {"status": 429, "headers"?: {...}, "body"?: "..."}             the client's answer
//             204                                                                no opinion
#pragma once

#include <sluice/message.hpp>
#include <sluice/result.hpp>

#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sluice::callout {

inline constexpr std::size_t prefix_max = 64;     // hashes of a prompt's leading blocks
inline constexpr std::size_t endpoints_max = 64;  // in an answer
inline constexpr std::size_t answer_bytes_max = 64 << 10;

struct candidate {
    std::string_view id, address;
    const std::map<std::string, std::string>* labels = nullptr;
    std::int64_t inflight = 0;
    double expected_ttft_s = -1, cached_tokens = 0;  // negative: nothing is expected
};

struct question {
    std::string_view request_id, route, pool, model, adapter, session;
    double prompt_tokens = 0;
    std::span<const std::uint64_t> prefix;
    std::vector<std::pair<std::string_view, std::string_view>> headers;
    std::vector<candidate> candidates;
};
std::string write(const question& q);

struct verdict {
    std::vector<std::string> endpoints;  // empty: no opinion, unless status is set
    int status = 0;                      // not 0: the client gets this
    header_list headers;
    std::string body;
    std::chrono::milliseconds ttl{0};  // 0: not to be kept
};
// Error: upstream_protocol, with what is wrong.
result<verdict> read(int status, std::string_view body);

// Orders that are kept for their time, by what requests have in common: of one worker. The least recently used goes
// first.
class verdict_cache {
public:
    using time_point = std::chrono::steady_clock::time_point;
    explicit verdict_cache(std::size_t entries_max) : entries_max_(entries_max) {}

    // Valid until the next call.
    const std::vector<std::string>* find(std::string_view key, time_point now);
    void keep(std::string_view key, std::vector<std::string> endpoints, std::chrono::milliseconds ttl, time_point now);
    std::size_t size() const { return entries_.size(); }

private:
    struct entry {
        std::string key;
        std::vector<std::string> endpoints;
        time_point until;
    };
    const std::size_t entries_max_;
    std::list<entry> entries_;                                                 // newest first
    std::unordered_map<std::string_view, std::list<entry>::iterator> by_key_;  // keys live in the entries
};

}  // namespace sluice::callout
