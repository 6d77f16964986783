// What an `mcp` stage is told.
#pragma once

#include <sluice/config.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace sluice::mcp_endpoint {

struct mcp_stage_config {
    std::string view;
    std::string title, instructions;
    // Hosts and origins that requests may name beside loopback's own; "*" allows all.
    std::vector<std::string> hosts, origins;
    secret session_key;  // shared by replicas, so that each serves the sessions of all; empty: made at start
    std::chrono::milliseconds session_time{24 * 3'600'000};
    std::chrono::milliseconds keep_alive{15'000};  // between comments on a stream that says nothing
    std::chrono::milliseconds answer_timeout{300'000};
    std::chrono::milliseconds list_ttl{0};
    std::size_t page_size = 500;
};
void read(config_reader& r, mcp_stage_config& c);

}  // namespace sluice::mcp_endpoint
