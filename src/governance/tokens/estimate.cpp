#include "governance/tokens/estimate.hpp"

#include "governance/tokens/code_points.hpp"
#include "governance/tokens/split.hpp"

#include <algorithm>
#include <array>

namespace sluice::tokens {
namespace {

constexpr std::int64_t token = 60;  // the unit of the weights is a sixtieth of a token

std::int64_t weight_of(code_point c) {
    constexpr std::array<std::int64_t, 5> by_bytes{0, 20, 24, 40, 120};
    if (c.bytes > 1) return by_bytes[c.bytes];
    if (is_letter(c.kind)) return 10;
    return is_white(c.kind) ? 1 : by_bytes[1];
}

}  // namespace

token_estimate estimate(std::string_view text) {
    token_estimate sum;
    splitter pieces{encoding::o200k_base, text};
    std::int64_t bad_bytes = 0;
    while (!pieces.done()) {
        const std::string_view piece = pieces.next();
        std::int64_t weight = 0;
        for (std::size_t at = 0; at < piece.size();) {
            const code_point c = code_point_at(piece, at);
            const bool ascii = static_cast<unsigned char>(piece[at]) < 0x80;
            if (c.bytes == 1 && !ascii) ++bad_bytes;
            weight += weight_of(c);
            at += c.bytes;
        }
        sum.typical += (weight + token - 1) / token;
    }
    sum.upper = static_cast<std::int64_t>(text.size()) + 2 * bad_bytes + 1;
    return sum;
}

}  // namespace sluice::tokens
