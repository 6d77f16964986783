#include "governance/tokens/chat_overhead.hpp"

#include <algorithm>

namespace sluice::tokens {
namespace {

constexpr std::int64_t tile_side = 512, long_side_max = 2048, short_side_max = 768;
constexpr std::int64_t tiles_max = 8;                     // 2048 x 768
constexpr std::int64_t side_max = std::int64_t{1} << 40;  // so that products fit; no image is as large

// Both steps of scaling together are one factor, min(1, 2048 / long side, 768 / short side). Kept as a fraction, so
// that no rounding of pixels adds or loses a tile.
struct scale {
    std::int64_t over = 1, under = 1;
};

scale scale_of(std::int64_t long_side, std::int64_t short_side) {
    scale s;
    if (long_side > long_side_max) s = {long_side_max, long_side};
    if (short_side_max * s.under < short_side * s.over) s = {short_side_max, short_side};
    return s;
}

std::int64_t tiles_along(std::int64_t side, const scale& s) {
    const std::int64_t over = side * s.over, under = tile_side * s.under;
    return (over + under - 1) / under;
}

}  // namespace

std::int64_t chat_overhead(std::int64_t messages, std::int64_t names) {
    constexpr std::int64_t per_message = 3, per_name = 1, reply = 3;
    return per_message * std::max<std::int64_t>(messages, 0) + per_name * std::max<std::int64_t>(names, 0) + reply;
}

std::int64_t image_tokens(std::int64_t width, std::int64_t height, image_detail detail, const tile_price& price) {
    if (detail == image_detail::low) return price.base;
    if (width <= 0 || height <= 0) return price.base + price.tile * tiles_max;
    width = std::min(width, side_max);
    height = std::min(height, side_max);
    const scale s = scale_of(std::max(width, height), std::min(width, height));
    return price.base + price.tile * tiles_along(width, s) * tiles_along(height, s);
}

}  // namespace sluice::tokens
