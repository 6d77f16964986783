#include "routing/picker/rates.hpp"

#include <algorithm>
#include <cmath>

namespace sluice::picker {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;
constexpr double keep = 0.98;         // of what is known at each observation: about the last 50 count
constexpr double believed_from = 20;  // times the prior, up or down: beyond it something else is being measured

double within(double value, double prior) {
    return std::clamp(value, prior / believed_from, prior * believed_from);
}

// A queue elsewhere, a stalled client: such times say little about the rate.
double capped(double seconds, double expected) {
    return std::clamp(seconds, expected / 1.5, expected * 1.5);
}

// One learner at a time; the others go on with their work.
class turn {
public:
    explicit turn(std::atomic_flag& f) : flag_(f), mine_(!f.test_and_set(std::memory_order_acquire)) {}
    ~turn() {
        if (mine_) flag_.clear(std::memory_order_release);
    }
    turn(const turn&) = delete;
    turn& operator=(const turn&) = delete;
    explicit operator bool() const { return mine_; }

private:
    std::atomic_flag& flag_;
    bool mine_;
};

double determinant(const std::array<std::array<double, 3>, 3>& m) {
    return m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
           m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
}

}  // namespace

learned_rates::learned_rates(const step_rates& prior) {
    reset(prior);
}

void learned_rates::reset(const step_rates& prior) {
    prior_ = prior;
    prefill_ = {};
    decode_ = {};
    c0_.store(prior.c0_s, relaxed);
    cp_.store(prior.cp_s, relaxed);
    cd_.store(prior.cd_s, relaxed);
    ckv_.store(prior.ckv_s, relaxed);
}

step_rates learned_rates::get() const {
    return {c0_.load(relaxed), cp_.load(relaxed), cd_.load(relaxed), ckv_.load(relaxed)};
}

void learned_rates::saw_first_token(double prompt_tokens, double sequences, double context_tokens, double seconds) {
    // A short prompt's time is mostly that of the step it came into.
    constexpr double tokens_min = 256;
    const turn mine(learning_);
    if (!mine || prompt_tokens < tokens_min || !(seconds > 0)) return;
    const step_rates now = get();
    const double step = now.c0_s + now.cd_s * sequences + now.ckv_s * context_tokens;
    const double y = capped(seconds - (1.5 + prompt_tokens / 8192) * step, prompt_tokens * now.cp_s);
    prefill_.xx = keep * prefill_.xx + prompt_tokens * prompt_tokens;
    prefill_.xy = keep * prefill_.xy + prompt_tokens * y;
    // The prior weighs as much as four prompts of 3,000 tokens.
    constexpr double prior_xx = 4 * 3'000.0 * 3'000.0;
    cp_.store(within((prefill_.xy + prior_xx * prior_.cp_s) / (prefill_.xx + prior_xx), prior_.cp_s), relaxed);
}

void learned_rates::saw_decode(double sequences, double context_tokens, double seconds) {
    const turn mine(learning_);
    if (!mine || !(seconds > 0)) return;
    const step_rates now = get();
    const double y = capped(seconds, now.c0_s + now.cd_s * sequences + now.ckv_s * context_tokens);
    const std::array<double, 3> x{1, sequences, context_tokens};
    for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t j = 0; j < 3; ++j) decode_[i][j] = keep * decode_[i][j] + x[i] * x[j];
        decode_[i][3] = keep * decode_[i][3] + x[i] * y;
    }
    publish_decode();
}

void learned_rates::publish_decode() {
    std::array<row, 3> a = decode_;
    // The prior as observations at an idle, a busy and a long-context endpoint, which also keep the equations solvable.
    constexpr std::array<std::array<double, 3>, 4> typical{
        {{1, 1, 1'000}, {1, 64, 40'000}, {1, 16, 200'000}, {1, 128, 300'000}}};
    for (const auto& x : typical) {
        const double y = prior_.c0_s * x[0] + prior_.cd_s * x[1] + prior_.ckv_s * x[2];
        for (std::size_t i = 0; i < 3; ++i) {
            for (std::size_t j = 0; j < 3; ++j) a[i][j] += x[i] * x[j];
            a[i][3] += x[i] * y;
        }
    }
    std::array<std::array<double, 3>, 3> m;
    for (std::size_t i = 0; i < 3; ++i) m[i] = {a[i][0], a[i][1], a[i][2]};
    const double all = determinant(m);
    if (!std::isfinite(all) || all == 0) return;
    std::array<double, 3> solved;
    for (std::size_t k = 0; k < 3; ++k) {
        auto replaced = m;
        for (std::size_t i = 0; i < 3; ++i) replaced[i][k] = a[i][3];
        solved[k] = determinant(replaced) / all;
    }
    c0_.store(within(solved[0], prior_.c0_s), relaxed);
    cd_.store(within(solved[1], prior_.cd_s), relaxed);
    ckv_.store(within(solved[2], prior_.ckv_s), relaxed);
}

std::size_t model_statistics::place_of(std::uint64_t model) const {
    for (std::size_t i = 0; i + 1 < models; ++i) {
        const std::size_t at = (model + i) % (models - 1);
        const std::uint64_t there = entries_[at].model.load(relaxed);
        if (there == model || there == 0) return at;
    }
    return models - 1;
}

model_statistics::reading model_statistics::get(std::uint64_t model) const {
    const entry& e = entries_[place_of(model)];
    reading r;
    if (const double b = e.bytes_per_token.load(relaxed); b > 0) r.bytes_per_token = b;
    if (const double o = e.output_tokens.load(relaxed); o > 0) r.output_tokens = o;
    return r;
}

void model_statistics::saw(std::uint64_t model, std::uint64_t prompt_bytes, std::int64_t prompt_tokens,
                           std::int64_t output_tokens) {
    constexpr double share = 0.05;            // of the newest
    constexpr std::uint64_t bytes_min = 200;  // a template's own tokens outweigh a shorter prompt
    std::size_t at = place_of(model);
    std::uint64_t expected = 0;
    // Of two models that come to the same free place at once the later one looks on.
    while (at + 1 < models && !entries_[at].model.compare_exchange_strong(expected, model) && expected != model) {
        at = place_of(model);
        expected = 0;
    }
    entry& e = entries_[at];
    const auto learn = [](std::atomic<double>& a, double prior, double seen) {
        const double old = a.load(relaxed);
        a.store((old > 0 ? old : prior) * (1 - share) + seen * share, relaxed);
    };
    if (prompt_tokens > 0 && prompt_bytes >= bytes_min) {
        const double ratio = static_cast<double>(prompt_bytes) / static_cast<double>(prompt_tokens);
        learn(e.bytes_per_token, bytes_per_token_prior, std::clamp(ratio, 0.5, 16.0));
    }
    if (output_tokens > 0) learn(e.output_tokens, output_tokens_prior, static_cast<double>(output_tokens));
}

}  // namespace sluice::picker
