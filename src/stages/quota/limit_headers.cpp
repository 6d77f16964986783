#include "stages/quota/limit_headers.hpp"

#include "base/ascii.hpp"

#include <algorithm>

namespace sluice::quota {
namespace {

void set_number(header_list& headers, std::string_view name, std::int64_t n) {
    std::array<char, 24> buffer;
    const char* const end =
        ascii::write_number(buffer.data(), static_cast<std::uint64_t>(std::max<std::int64_t>(0, n)));
    headers.set(name, {buffer.data(), static_cast<std::size_t>(end - buffer.data())});
}

void set_duration(header_list& headers, std::string_view name, std::chrono::nanoseconds d) {
    std::array<char, 40> buffer;
    headers.set(name, write_duration(buffer, d));
}

}  // namespace

void set_limit_headers(header_list& headers, const limit_state& requests, const limit_state& tokens) {
    if (requests.known) {
        set_number(headers, "x-ratelimit-limit-requests", requests.limit);
        set_number(headers, "x-ratelimit-remaining-requests", requests.remaining);
        set_duration(headers, "x-ratelimit-reset-requests", requests.reset);
    }
    if (tokens.known) {
        set_number(headers, "x-ratelimit-limit-tokens", tokens.limit);
        set_number(headers, "x-ratelimit-remaining-tokens", tokens.remaining);
        set_duration(headers, "x-ratelimit-reset-tokens", tokens.reset);
    }
}

awaitable<void> limit_headers::head(response_head& h) {
    set_limit_headers(h.headers, requests_, tokens_);
    return next_.head(h);
}

std::string_view write_duration(std::array<char, 40>& buffer, std::chrono::nanoseconds d) {
    std::int64_t ms = std::max<std::int64_t>(0, std::chrono::ceil<std::chrono::milliseconds>(d).count());
    char* at = buffer.data();
    const auto put = [&](std::int64_t n, std::string_view suffix) {
        at = ascii::write_number(at, static_cast<std::uint64_t>(n));  // 11 bytes at most stand before the last one
        at = std::copy(suffix.begin(), suffix.end(), at);
    };
    if (ms < 1000) {
        put(ms, ms == 0 ? "s" : "ms");
    } else {
        const std::int64_t hours = ms / 3'600'000, minutes = ms / 60'000 % 60;
        if (hours > 0) put(hours, "h");
        if (hours > 0 || minutes > 0) put(minutes, "m");
        put(ms / 1000 % 60, "");
        if (ms %= 1000; ms > 0) {
            *at++ = '.';
            for (std::int64_t digit = 100; ms > 0; digit /= 10) {
                *at++ = static_cast<char>('0' + ms / digit);
                ms %= digit;
            }
        }
        *at++ = 's';
    }
    return {buffer.data(), static_cast<std::size_t>(at - buffer.data())};
}

}  // namespace sluice::quota
