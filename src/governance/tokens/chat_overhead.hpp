// What a chat request has in tokens besides its texts.
//
// Sources: "How to count tokens with tiktoken" (OpenAI Cookbook, num_tokens_from_messages: tokens_per_message 3,
// tokens_per_name 1, reply priming 3) and "Images and vision" (OpenAI API guide, models that cost by tiles). Both are
// the vendor's approximation; what is billed is the usage that the answer reports. Tools and response formats cost
// more than this, in a form that nobody documents.
#pragma once

#include <cstdint>

namespace sluice::tokens {

// 3 for each message, 1 for each of them that has a `name`, 3 for the beginning of the reply. The texts are counted
// apart: role (one token), content and name of every message. Counts below zero are zero.
std::int64_t chat_overhead(std::int64_t messages, std::int64_t names);

enum class image_detail : std::uint8_t { low, high };  // "auto" may become high

// gpt-4o, gpt-4.1 and gpt-4-turbo. Others of the family differ in these two numbers only: gpt-4o-mini 2833 and 5667.
struct tile_price {
    std::int64_t base = 85;
    std::int64_t tile = 170;
};

// Low detail costs the base. High detail: the image is scaled down to fit 2048 x 2048 pixels, then until its short
// side has 768; it costs the base and each begun tile of 512 x 512. A side of zero or less is not known: the most
// that an image can cost, 8 tiles.
std::int64_t image_tokens(std::int64_t width, std::int64_t height, image_detail detail, const tile_price& price = {});

}  // namespace sluice::tokens
