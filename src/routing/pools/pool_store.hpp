// Keeps what the admin API changed of a pool in a file, so that it outlives the process.
#pragma once

#include <sluice/result.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace sluice::routing {

// One file per pool in a folder: pool-NAME.json. Blocks on the file system.
class pool_store {
public:
    explicit pool_store(std::string folder) : folder_(std::move(folder)) {}

    // Replaces the file whole: written beside it, synced, renamed. Error: internal, with what the system said.
    result<void> save(std::string_view pool, std::string_view text) const;
    // Nothing: there is no file. Error: internal: there is one, and it cannot be read.
    result<std::optional<std::string>> load(std::string_view pool) const;

private:
    static constexpr std::size_t bytes_max = 4 << 20;
    std::string path_of(std::string_view pool) const;
    std::string folder_;
};

}  // namespace sluice::routing
