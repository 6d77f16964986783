// Which targets suit a request: those that can what the route demands, and whose context window holds the prompt.
//
// A prompt is refused here only where it surely does not fit: what is counted exactly leaves out what nobody can count
// (images, tools), and what is estimated is taken at the least it can be. All else is left to the upstream, whose own
// words for a prompt that is too long have the same consequence: targets with a larger window are asked, first the
// model's own, then its fallbacks'. A target whose window is not known may be larger than another model's.
//
// max_tokens is not added to the prompt: providers differ in whether they refuse the sum.
#pragma once

#include "routing/attempt_plan.hpp"
#include "stages/route/known_models.hpp"

#include <sluice/conversation.hpp>
#include <sluice/error.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace sluice::route {

class suitable_targets final : public routing::target_filter {
public:
    // All outlive it.
    suitable_targets(const known_models& known, const std::vector<catalogue::capability>& demanded,
                     std::string_view star)
        : known_(known), demanded_(demanded), star_(star) {}

    bool allows(const routing::model& m, const routing::target& t) const override;
    // Has the model, or one that it falls back to, a target that can what the route demands?
    bool any(const routing::model& m) const;

    // --- the context window ------------------------------------------------------------------------------------
    // Tokens that it holds; 0: not known.
    std::int64_t window_of(const routing::candidate& c) const { return window_of(*c.of, *c.to); }
    // Must a request of so many bytes be counted to know whether it fits? No text that people or programs write has
    // more than a token per two bytes.
    bool must_count(const routing::candidate& c, std::size_t body_bytes) const;
    const tokens::bpe_counter* counter(const routing::candidate& c) const;
    // It does not fit this one: from now on neither this nor a smaller one is allowed.
    void too_small(const routing::candidate& c);

private:
    struct refusal {
        const routing::model* by;
        std::int64_t window;  // 0: not known
    };
    const catalogue::model_info* info_of(const routing::model& m, const routing::target& t) const;
    std::int64_t window_of(const routing::model& m, const routing::target& t) const;
    bool can(const routing::model& m, const routing::target& t) const;

    const known_models& known_;
    const std::vector<catalogue::capability>& demanded_;
    const std::string_view star_;
    std::vector<refusal> refusals_;
};

// "context_length_exceeded", in words that clients of OpenAI and of Anthropic know.
error too_long(std::int64_t tokens, std::int64_t window);
// Is that what an attempt failed of, by our own count or by the upstream's word?
bool is_too_long(const error& e);

}  // namespace sluice::route
