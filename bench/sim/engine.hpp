#pragma once
// A model server's scheduler as arithmetic: continuous batching in discrete steps, paged KV cache with prefix
// reuse, preemption, LoRA slots. It does no I/O and has no clock: the caller says what time it is, so a test
// runs an hour of traffic in a millisecond and a server drives it with a timer. Not thread-safe.
//
// A step lasts  base + per_prefill_token * prefill tokens + per_decode * running decodes
//                    + per_context_token * sum of their contexts
// The default constants are those of a 32B model on two H100 (15.9k prefill tokens/s, 300k KV tokens).

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "sim/kv_cache.hpp"

namespace sluice::sim {

using sim_time = std::chrono::nanoseconds;  // since the engine was made

struct engine_profile {
    sim_time step_base = std::chrono::microseconds{9000};
    sim_time per_prefill_token = std::chrono::nanoseconds{62800};
    sim_time per_decode = std::chrono::microseconds{50};
    sim_time per_context_token = std::chrono::nanoseconds{40};
    std::size_t block_tokens = 16;
    std::size_t kv_tokens = 300'000;        // capacity of the cache
    std::size_t prefill_budget = 8192;      // tokens (decodes count one each) a step may compute
    std::size_t sequences_max = 256;        // running at once
    std::size_t model_tokens_max = 131072;  // prompt and output of one request
    std::size_t lora_slots = 4;
    sim_time lora_load = std::chrono::seconds{1};  // added to the step that admits an absent adapter
};

// One request as the scheduler sees it.
struct sequence_spec {
    std::size_t prompt_tokens = 1;
    std::size_t output_tokens = 1;
    std::vector<std::uint64_t> hashes;  // chain hashes of prompt and output, one per block_tokens
    std::string lora;                   // empty: the base model
};

// `delivered` tokens of `id` exist at the time the step ended.
struct progress {
    std::uint64_t id = 0;
    std::size_t delivered = 0;
    std::size_t cached_tokens = 0;  // of the prompt, found in the cache at first admission
    bool finished = false;
};

// Counters since the start, and gauges of now.
struct engine_load {
    std::size_t running = 0, waiting = 0;
    std::size_t kv_blocks = 0, kv_blocks_used = 0;
    std::uint64_t prompt_tokens = 0, generated_tokens = 0, prefix_queries = 0, prefix_hits = 0;
    std::uint64_t preemptions = 0, finished = 0, steps = 0;
    std::vector<std::string> loras_running, loras_waiting;

    double kv_usage() const {
        return kv_blocks == 0 ? 0.0 : static_cast<double>(kv_blocks_used) / static_cast<double>(kv_blocks);
    }
};

class engine {
public:
    explicit engine(const engine_profile& profile);

    // False when the request can never fit; answer it with "context length exceeded".
    bool fits(const sequence_spec& spec) const;

    // Queues a request that fits(); work starts with the next step. Call advance(now) afterwards.
    std::uint64_t submit(sequence_spec spec, sim_time now);

    // Takes a request out at once, whatever its state; unknown ids are ignored.
    void cancel(std::uint64_t id);

    // Ends every step that is due by `now`, reports the tokens of each to `out`, and starts the next step.
    void advance(sim_time now, std::vector<progress>& out);

    // When the step in progress ends; nothing when idle.
    std::optional<sim_time> next_event() const;

    // A request without simulated time: looks up and fills the prefix cache; returns the cached tokens.
    std::size_t run_at_once(const sequence_spec& spec);

    engine_load load() const;
    const engine_profile& profile() const { return profile_; }
    void wipe_cache() { cache_.wipe(); }

private:
    struct sequence {
        std::uint64_t id = 0;
        sequence_spec spec;
        std::vector<kv_cache::block_id> blocks;
        std::size_t computed = 0;     // tokens whose keys and values are in the cache
        std::size_t prefill_end = 0;  // prompt, and after a preemption the tokens generated before it
        std::size_t delivered = 0;
        std::size_t cached = 0;
        std::size_t scheduled = 0;  // tokens of the step in progress
        bool admitted_once = false;

        bool decoding() const { return computed >= prefill_end; }
    };
    using sequences = std::deque<sequence>;

    void begin_step(sim_time now);
    void end_step(std::vector<progress>& out);
    void schedule_decodes(std::size_t& budget);
    void schedule_prefills(std::size_t& budget);
    void admit(std::size_t& budget);
    bool try_admit(sequence& s);
    bool lora_ready(const std::string& name);
    void preempt_last();
    void publish(sequence& s, std::size_t before);
    sim_time step_length() const;
    std::size_t blocks_for(std::size_t tokens) const;
    std::size_t reusable_blocks(const sequence& s) const;

    const engine_profile profile_;
    kv_cache cache_;
    sequences running_;               // in order of admission
    sequences waiting_;               // first come, first served; the preempted in front
    std::vector<std::string> loras_;  // loaded, least recently used first
    sim_time lora_delay_{};           // of the step in progress
    std::optional<sim_time> step_end_;
    std::uint64_t next_id_ = 1;
    engine_load totals_;
};

}  // namespace sluice::sim
