// Tells clients what is left of their limits, with the header names that OpenAI's clients know.
#pragma once

#include <sluice/sink.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace sluice::quota {

struct limit_state {
    bool known = false;
    std::int64_t limit = 0, remaining = 0;
    std::chrono::nanoseconds reset{0};
};

// The fields for what is known: x-ratelimit-{limit,remaining,reset}-{requests,tokens}, replacing those of that name.
void set_limit_headers(header_list& headers, const limit_state& requests, const limit_state& tokens);

// A sink that only touches the head. What an upstream said
// under these names was about our account and is replaced.
class limit_headers final : public reply_sink {
public:
    limit_headers(reply_sink& next, const limit_state& requests, const limit_state& tokens)
        : next_(next), requests_(requests), tokens_(tokens) {}

    // None is a coroutine: passing a piece on costs no frame.
    awaitable<void> head(response_head& h) override;
    awaitable<void> write(const event& e) override { return next_.write(e); }
    awaitable<void> end() override { return next_.end(); }

private:
    reply_sink& next_;
    const limit_state& requests_;
    const limit_state& tokens_;
};

// "120ms", "1.5s", "6m0s", "23h59m2s": rounded up to milliseconds. The view is into `buffer`.
std::string_view write_duration(std::array<char, 40>& buffer, std::chrono::nanoseconds d);

}  // namespace sluice::quota
