#pragma once
// The command line and the configuration file of sluice-sim.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/model_server.hpp"

namespace sluice::sim {

struct instance_options {
    server_profile profile;
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;  // 0: any free one
};

struct options {
    std::vector<instance_options> instances;
    unsigned threads = 1;          // instances are dealt out over so many
    std::string certificate, key;  // PEM files; both or none
};

// Prints help or what is wrong and sets `exit_code` when the program is to end; nothing is returned then.
std::optional<options> read_options(int argc, char** argv, int& exit_code);

}  // namespace sluice::sim
