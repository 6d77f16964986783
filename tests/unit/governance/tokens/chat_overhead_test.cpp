#include "governance/tokens/chat_overhead.hpp"

#include <catch2/catch.hpp>

#include <limits>

using namespace sluice::tokens;

TEST_CASE("A chat costs three tokens per message, one per name, and three for the reply") {
    CHECK(chat_overhead(1, 0) == 6);
    CHECK(chat_overhead(6, 4) == 25);
    CHECK(chat_overhead(0, 0) == 3);
    CHECK(chat_overhead(-5, -1) == 3);
}

TEST_CASE("An image in low detail costs the same whatever its size") {
    CHECK(image_tokens(4096, 8192, image_detail::low) == 85);
    CHECK(image_tokens(0, 0, image_detail::low, {.base = 2833, .tile = 5667}) == 2833);
}

TEST_CASE("An image in high detail costs its tiles after scaling") {
    // The guide's own examples.
    CHECK(image_tokens(1024, 1024, image_detail::high) == 765);
    CHECK(image_tokens(2048, 4096, image_detail::high) == 1105);
    // A tile that is begun is paid; small images are not enlarged.
    CHECK(image_tokens(1, 1, image_detail::high) == 255);
    CHECK(image_tokens(512, 512, image_detail::high) == 255);
    CHECK(image_tokens(513, 512, image_detail::high) == 425);
    CHECK(image_tokens(768, 768, image_detail::high) == 765);
    // Long and thin: only the long side is scaled.
    CHECK(image_tokens(4096, 100, image_detail::high) == 85 + 4 * 170);
    CHECK(image_tokens(100, 4096, image_detail::high) == 85 + 4 * 170);
    CHECK(image_tokens(1024, 1024, image_detail::high, {.base = 2833, .tile = 5667}) == 2833 + 4 * 5667);
}

TEST_CASE("No image costs more than eight tiles, and one of unknown size costs as much") {
    constexpr auto most = 85 + 8 * 170;
    CHECK(image_tokens(0, 300, image_detail::high) == most);
    CHECK(image_tokens(300, -1, image_detail::high) == most);
    for (const std::int64_t width : {1, 511, 768, 769, 2047, 2049, 5000, 1'000'000})
        for (const std::int64_t height : {1, 512, 767, 1000, 2048, 2731, 9999, 7'654'321}) {
            CHECK(image_tokens(width, height, image_detail::high) <= most);
            CHECK(image_tokens(width, height, image_detail::high) == image_tokens(height, width, image_detail::high));
        }
    constexpr auto huge = std::numeric_limits<std::int64_t>::max();
    CHECK(image_tokens(huge, huge, image_detail::high) == 85 + 4 * 170);
    CHECK(image_tokens(huge, 1, image_detail::high) == 85 + 4 * 170);
}
