// What is put on results before they go to a client. Pure; what is there already stays byte for byte.
#pragma once

#include "mcp/protocol/rpc.hpp"
#include "mcp/protocol/version.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace sluice::mcp {

struct server_info {
    std::string name = "sluice";
    std::string title;
    std::string version;
    std::string json() const;  // Implementation
};

// How long clients may keep a list or a resource (2026-07-28, "Caching").
struct cache_hint {
    std::chrono::milliseconds ttl{0};
    bool shared = false;  // is it the same for every caller?
};

// `result` is a JSON object. Adds resultType and _meta's serverInfo from 2026-07-28 on, and with a hint ttlMs and
// cacheScope; for earlier versions takes resultType, ttlMs and cacheScope off.
std::string finished_result(std::string_view result, version speaks, const server_info& info,
                            const cache_hint* hint = nullptr);

}  // namespace sluice::mcp
