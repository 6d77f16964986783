// A made-up vocabulary, as a rank file. Without a test framework: fuzz targets use it too.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace sluice::tokens {

inline std::string base64(std::string_view bytes) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = 0;
        for (std::size_t j = 0; j < 3; ++j)
            group = group << 8U | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0U);
        for (std::size_t j = 0; j < 4; ++j)
            text += i + j > bytes.size() ? '=' : alphabet[group >> (18 - 6 * j) & 0x3FU];
    }
    return text;
}

// A rank file: the single bytes as 0 to 255, then these.
inline std::string rank_file(std::initializer_list<std::string_view> tokens) {
    std::string file;
    int rank = 0;
    for (; rank < 256; ++rank) {
        const char byte = static_cast<char>(rank);
        file += base64({&byte, 1}) + ' ' + std::to_string(rank) + '\n';
    }
    for (const auto token : tokens) file += base64(token) + ' ' + std::to_string(rank++) + '\n';
    return file;
}

}  // namespace sluice::tokens
