#include "mcp/protocol/version.hpp"

namespace sluice::mcp {

std::string_view to_string(version v) {
    constexpr std::array<std::string_view, 5> names{"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25",
                                                    "2026-07-28"};
    return names[static_cast<std::size_t>(v)];
}

std::optional<version> parse_version(std::string_view text) {
    for (const version v : versions)
        if (to_string(v) == text) return v;
    return std::nullopt;
}

}  // namespace sluice::mcp
