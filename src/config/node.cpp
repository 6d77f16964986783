#include "config/node.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::config {
namespace {

bool plain_word(std::string_view key) {
    return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
}

}  // namespace

std::string_view noun(const node& n) {
    switch (n.kind) {
        case node_kind::null:
            return "nothing";
        case node_kind::scalar:
            return "a scalar";
        case node_kind::list:
            return "a list";
        case node_kind::map:
            return "a mapping";
    }
    return "nothing";
}

std::string excerpt(std::string_view text) {
    constexpr std::size_t bytes_max = 60;
    std::string out{text.substr(0, bytes_max)};
    if (text.size() > bytes_max) {
        // Not through the middle of a character.
        while (!out.empty() && (static_cast<unsigned char>(text[out.size()]) & 0xC0U) == 0x80U) out.pop_back();
        out += "...";
    }
    for (char& c : out) {
        if (static_cast<unsigned char>(c) < 0x20) c = ' ';
    }
    return '"' + out + '"';
}

std::string join(std::string_view path, std::string_view key) {
    if (!plain_word(key)) return fmt::format("{}[{}]", path, excerpt(key));
    return path.empty() ? std::string{key} : fmt::format("{}.{}", path, key);
}

std::string join(std::string_view path, std::size_t index) {
    return fmt::format("{}[{}]", path, index);
}

}  // namespace sluice::config
