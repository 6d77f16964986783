// The tokenizers that are published, by the names under which their publisher lists them.
//
//   o200k_base    gpt-4o, gpt-4.1, gpt-5, o1 and later; gpt-oss (o200k_harmony differs in special tokens only)
//   cl100k_base   gpt-4, gpt-3.5-turbo, text-embedding-3-*, text-embedding-ada-002
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice::tokens {

enum class encoding : std::uint8_t { o200k_base, cl100k_base };

constexpr std::string_view name_of(encoding e) {
    return e == encoding::o200k_base ? "o200k_base" : "cl100k_base";
}

constexpr std::optional<encoding> encoding_named(std::string_view name) {
    for (const encoding e : {encoding::o200k_base, encoding::cl100k_base})
        if (name == name_of(e)) return e;
    return std::nullopt;
}

}  // namespace sluice::tokens
