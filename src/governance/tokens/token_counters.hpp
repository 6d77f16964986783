// The tokenizers whose ranks are installed.
#pragma once

#include "governance/tokens/bpe_counter.hpp"
#include "governance/tokens/encoding.hpp"

#include <sluice/result.hpp>

#include <array>
#include <filesystem>
#include <memory>

namespace sluice::tokens {

// Immutable: shared by workers.
class token_counters {
public:
    // Reads ENCODING.tiktoken of each encoding that the folder has; 60 ms and 9 MB for o200k_base. Blocks.
    // Error (bad_request): the folder has none, or a file that is not what it should be, with its line.
    static result<std::shared_ptr<const token_counters>> load(const std::filesystem::path& folder);

    // Null: its ranks are not installed. Valid as long as this.
    const bpe_counter* find(encoding e) const { return counters_[static_cast<std::size_t>(e)].get(); }

private:
    std::array<std::unique_ptr<const bpe_counter>, 2> counters_;
};

}  // namespace sluice::tokens
