// What clients ask of a fleet: requests with their times and the names of their blocks. Plain values, made by the
// generators of generators.hpp or read from a trace; a run (fleet.hpp) only reads them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::picker_bench {

// Prompts and answers are cut into blocks of this many tokens, in the simulated engines and in what policies see: the
// size at which the approximate prefix scorer of llm-d-router works. A token is 4 bytes of text.
inline constexpr std::uint32_t block_tokens = 64;
inline constexpr std::uint32_t token_bytes = 4;

struct request {
    static constexpr std::int32_t nothing = -1;

    // When it is sent: seconds since the start, or after the answer to `follows` was complete.
    double at_s = 0;
    std::int32_t follows = nothing;  // index of the turn before it in the same conversation
    std::uint32_t prompt_tokens = 1;
    std::uint32_t output_tokens = 1;
    std::uint64_t session = 0;  // of its conversation; 0: none
    std::uint32_t adapter = 0;  // number of its LoRA adapter; 0: the base model
    int priority = 4;           // 0 to 7, higher first; for policies that know classes
    std::uint32_t tenant = 0;   // who sends it, likewise
    bool measured = true;       // false: it warms the caches up and counts in no figure

    // Chained names of the blocks of prompt and answer, one per block_tokens; a rest that fills no block has none.
    // Policies see those of the prompt alone.
    std::vector<std::uint64_t> blocks;
};

struct workload {
    std::string name;
    std::vector<request> requests;  // a request stands behind the one it follows
};

}  // namespace sluice::picker_bench
