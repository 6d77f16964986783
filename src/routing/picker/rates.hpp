// How fast an endpoint is, learned from what it does, and how long texts and answers of a model are.
//
// One step of a model server with continuous batching takes
//     c0 + cp * (prompt tokens computed in it) + cd * (sequences that decode) + ckv * (their context tokens)
// Each endpoint has its own four numbers, so a fleet of two generations of hardware, or a slow node, needs no
// configuration. They come from two regressions that forget exponentially: time to first token over the prompt tokens
// ahead, and time per token over sequences and context. Priors enter as observations that never fade, so an endpoint
// starts with the configured numbers and a few odd requests cannot carry it away.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

namespace sluice::picker {

// Seconds. The defaults are of a 32 B model on two H100: 15,900 prompt tokens per second.
struct step_rates {
    double c0_s = 9e-3;      // a step
    double cp_s = 62.8e-6;   // a prompt token
    double cd_s = 0.05e-3;   // a sequence in a step
    double ckv_s = 0.04e-6;  // a token of context in a step
};

// Thread-safe: anybody reads; an observation that finds another one being taken in is dropped.
class learned_rates {
public:
    explicit learned_rates(const step_rates& prior = {});

    step_rates get() const;
    // The first token came `seconds` after the request was sent, with so many prompt tokens to compute, its own and
    // those ahead of it, while `sequences` decoded over `context_tokens`.
    void saw_first_token(double prompt_tokens, double sequences, double context_tokens, double seconds);
    // A token of an answer took `seconds`, on average over the answer.
    void saw_decode(double sequences, double context_tokens, double seconds);
    // Another endpoint took the slot: all that was learned is forgotten. Not while others observe.
    void reset(const step_rates& prior);

private:
    struct line {  // y = slope * x, weighted
        double xx = 0, xy = 0;
    };
    using row = std::array<double, 4>;  // three coefficients, right side

    void publish_decode();
    std::atomic<double> c0_{0}, cp_{0}, cd_{0}, ckv_{0};
    step_rates prior_;
    std::atomic_flag learning_ = ATOMIC_FLAG_INIT;
    line prefill_;                 // guarded by learning_
    std::array<row, 3> decode_{};  // normal equations of (c0, cd, ckv), guarded by learning_
};

// Bytes per prompt token and tokens per answer, by model. Thread-safe, without locks. The first 63 models have their
// own; further ones share.
class model_statistics {
public:
    static constexpr double bytes_per_token_prior = 4.0;
    static constexpr double output_tokens_prior = 250;

    struct reading {
        double bytes_per_token = bytes_per_token_prior;
        double output_tokens = output_tokens_prior;
    };
    reading get(std::uint64_t model) const;
    // What an answer reported; 0: not known.
    void saw(std::uint64_t model, std::uint64_t prompt_bytes, std::int64_t prompt_tokens, std::int64_t output_tokens);

private:
    static constexpr std::size_t models = 64;
    struct entry {
        std::atomic<std::uint64_t> model{0};
        std::atomic<double> bytes_per_token{0}, output_tokens{0};  // 0: nothing seen
    };
    std::size_t place_of(std::uint64_t model) const;
    std::array<entry, models> entries_;
};

}  // namespace sluice::picker
