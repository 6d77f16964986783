// The versions of the Model Context Protocol that are spoken here, to clients and to servers.
//
// There are two eras. In the legacy one a client begins a session with `initialize`; from 2026-07-28 on every request
// says all about itself and no session is kept.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice::mcp {

enum class version : std::uint8_t { v2024_11_05, v2025_03_26, v2025_06_18, v2025_11_25, v2026_07_28 };

inline constexpr std::array<version, 5> versions{version::v2026_07_28, version::v2025_11_25, version::v2025_06_18,
                                                 version::v2025_03_26, version::v2024_11_05};
inline constexpr version newest_legacy = version::v2025_11_25;

std::string_view to_string(version v);
std::optional<version> parse_version(std::string_view text);
inline bool modern(version v) {
    return v >= version::v2026_07_28;
}

}  // namespace sluice::mcp
