// The traffic that policies are compared by. Every generator is a function of its parameters and the seed; arrivals are
// a Poisson process.
//
// The defaults give, with the engine of usual_fleet() and 8 endpoints, loads between comfortable and hopeless; what is
// run is in cases.hpp.
#pragma once

#include "picker/workload.hpp"

#include <filesystem>
#include <optional>
#include <vector>

namespace sluice::picker_bench {

// Groups of prompts that share a long beginning, each prompt asked again and again: the shape of the capacity benchmark
// "73-capacity" of llm-d-kv-cache (150 groups of 5 questions, system prompt 6,000 tokens, question 1,200, answer 1,000;
// the fleet's memory holds all of it once, one endpoint's does not). Each prompt is sent once, unhurried, before the
// measured part begins.
struct shared_prefix_shape {
    std::uint32_t groups = 150, questions = 5;
    std::uint32_t system_tokens = 6'000, question_tokens = 1'200, output_tokens = 1'000;
    double rate = 25, seconds = 60;
};
workload shared_prefix(const shared_prefix_shape& s, std::uint64_t seed);

// Groups as popular as Zipf's law says, each request with a tail of its own. A high exponent gives one hot prefix.
struct zipf_shape {
    std::uint32_t groups = 200;
    double exponent = 1;
    std::uint32_t system_tokens = 2'500, tail_tokens = 400, output_tokens = 300;
    double rate = 60, seconds = 60;
    std::uint32_t adapters = 0;  // group g asks for adapter 1 + g % adapters; 0: the base model
};
workload zipf_groups(const zipf_shape& s, std::uint64_t seed);

// Conversations that begin at `rate`: each turn sends all that was said so far and a new message, when the user has
// read and thought. System prompts are shared by all.
struct chat_shape {
    double rate = 4, seconds = 120;  // of conversations
    double turns = 10;               // on average, geometric, at least one
    std::uint32_t system_tokens = 500, message_tokens = 300, output_tokens = 400;
    std::uint32_t first_message_tokens = 1'500;  // what it is about
    double think_s = 5;
};
workload chat(const chat_shape& s, std::uint64_t seed);

// Prompts that have nothing in common.
struct unique_shape {
    std::uint32_t prompt_tokens = 4'000, output_tokens = 300;
    double rate = 20, seconds = 60;
};
workload no_reuse(const unique_shape& s, std::uint64_t seed);

// Several kinds of no_reuse() at once: classes of one service, or tenants of one class. Their priorities and tenants
// are for policies that know them.
struct class_shape {
    unique_shape requests;
    int priority = 4;
    std::uint32_t tenant = 0;
};
workload classes(const std::vector<class_shape>& all, std::uint64_t seed);

// A trace in the format of Mooncake (kvcache-ai/Mooncake, FAST'25 release): JSON lines with timestamp in ms,
// input_length, output_length and hash_ids, names of chained blocks of 512 tokens. Sent `speed` times as fast as
// recorded. The trace has times by the three seconds; within them arrivals are spread by the seed. nullopt: there is
// no such file. Throws when it is something else.
struct trace_shape {
    double speed = 2;
    std::size_t requests_max = SIZE_MAX;
};
std::optional<workload> trace(const std::filesystem::path& file, const trace_shape& s, std::uint64_t seed);

}  // namespace sluice::picker_bench
