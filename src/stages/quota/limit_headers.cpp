#include "stages/quota/limit_headers.hpp"

#include "base/ascii.hpp"

#include <algorithm>

namespace sluice::quota {
namespace {

constexpr std::string_view prefix = "x-ratelimit-";

void add_number(header_list& headers, std::string_view name, std::int64_t n) {
    std::array<char, 24> buffer;
    const char* const end =
        ascii::write_number(buffer.data(), static_cast<std::uint64_t>(std::max<std::int64_t>(0, n)));
    headers.add(name, {buffer.data(), static_cast<std::size_t>(end - buffer.data())});
}

void add_duration(header_list& headers, std::string_view name, std::chrono::nanoseconds d) {
    std::array<char, 40> buffer;
    headers.add(name, write_duration(buffer, d));
}

}  // namespace

awaitable<void> limit_headers::head(response_head& h) {
    // What the upstream says of its own limits gives way to ours.
    h.headers.remove_if([this](header_list::field f) {
        if (f.name.size() <= prefix.size() || !iequals(f.name.substr(0, prefix.size()), prefix)) return false;
        const auto of = [&](std::string_view what) {
            return f.name.size() > what.size() && iequals(f.name.substr(f.name.size() - what.size()), what);
        };
        return (requests_.known && of("-requests")) || (tokens_.known && of("-tokens"));
    });
    if (requests_.known) {
        add_number(h.headers, "x-ratelimit-limit-requests", requests_.limit);
        add_number(h.headers, "x-ratelimit-remaining-requests", requests_.remaining);
        add_duration(h.headers, "x-ratelimit-reset-requests", requests_.reset);
    }
    if (tokens_.known) {
        add_number(h.headers, "x-ratelimit-limit-tokens", tokens_.limit);
        add_number(h.headers, "x-ratelimit-remaining-tokens", tokens_.remaining);
        add_duration(h.headers, "x-ratelimit-reset-tokens", tokens_.reset);
    }
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
