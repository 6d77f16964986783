// Configuration of the stage `quota`: how much each caller may do.
#pragma once

#include <sluice/config.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::quota {

// What a limit counts per.
enum class per : std::uint8_t { key, tenant, model, ip, header, route };

// Limits of one kind of subject. 0 means: no such limit.
struct rule_config {
    // Rules of one name share their counters wherever they stand. Empty: the counters are the stage's own.
    std::string name;
    std::string subject = "key";  // key, tenant, model, ip, route or header:<name>

    std::int64_t requests_per_second = 0, requests_per_minute = 0, requests_per_hour = 0, requests_per_day = 0;
    std::int64_t tokens_per_second = 0, tokens_per_minute = 0, tokens_per_hour = 0, tokens_per_day = 0;
    // Requests that may come at once, of the shortest requests window; 0: the whole window's.
    std::int64_t burst = 0;
    std::int64_t concurrency = 0;   // exchanges of one subject at the same time
    std::int64_t subjects = 10000;  // that are remembered at the same time; 128 to 256 bytes for each limit

    bool limits_anything() const;
};

enum class when_full : std::uint8_t { allow, refuse };

struct quota_config {
    rule_config rule;                // written in the stage itself
    std::vector<rule_config> rules;  // more of them; a request must pass all
    // A subject for whom there is no room. Refusing would let strangers shut others out by using up the room.
    when_full on_full = when_full::allow;
    bool headers = true;  // x-ratelimit-* on replies
    // Tokens reserved per request until its usage is known. 0: a quarter of its bytes, and max_tokens or ...
    std::int64_t reserve_tokens = 0;
    std::int64_t default_output_tokens = 1024;  // ... this, when the client sets no bound
};

void read(config_reader& r, rule_config& c);
void read(config_reader& r, quota_config& c);

inline constexpr std::size_t rules_max = 8;
inline constexpr std::size_t windows_max = 16;  // rate limits of one stage, over all rules

// Of a text that read() accepted; header_of() is the lower or upper case name as written.
per per_of(std::string_view subject);
std::string_view header_of(std::string_view subject);

}  // namespace sluice::quota
