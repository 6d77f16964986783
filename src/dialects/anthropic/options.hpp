// What a request says besides its messages, for the Messages API: how many tokens, how to think, how to sample, which
// tools. Decided before anything is written, because these things depend on each other and on the model.
#pragma once

#include "dialects/anthropic/block_writer.hpp"
#include "dialects/anthropic/model_traits.hpp"
#include "dialects/anthropic/terms.hpp"
#include "dialects/losses.hpp"

#include <cstdint>
#include <string_view>

namespace sluice::chat::anthropic {

struct thinking_plan {
    enum class kind : std::uint8_t { unsaid, adaptive, enabled, disabled, between_tools };
    kind what = kind::unsaid;
    std::int64_t budget = 0;      // of enabled
    std::string_view effort;      // output_config.effort; empty: none is written
    std::string_view display;     // "summarized", "omitted" or empty
    std::int64_t tokens_max = 0;  // max_tokens, which holds the thinking too
};

class request_options {
public:
    request_options(const conversation& c, const variant& v, const model_traits& traits, losses& lost)
        : c_(c), v_(v), traits_(traits), lost_(lost), native_(c.dialect == dialect_name) {}

    // Decides, and reports what is lost. Error: bad_request of losses::feature().
    result<void> decide();

    // The members, in the order in which the API's documentation has them.
    void write_tokens_max(json_output& o) const;
    void write(json_output& o) const;

private:
    result<void> decide_tools();
    void decide_thinking();
    void turn_off();
    void decide_display();
    void decide_effort();
    void decide_tokens();
    void decide_sampling();
    void decide_stops();
    void decide_tier();
    result<void> refuse_what_is_missing();
    result<void> decide_format();
    bool forced() const;
    bool writes(const tool& t) const;
    void write_tools(json_output& o) const;
    void write_tool(json_output& o, const tool& t) const;
    void write_tool_choice(json_output& o) const;
    void write_thinking(json_output& o) const;
    void write_output_config(json_output& o) const;
    void write_sampling(json_output& o) const;
    void write_account(json_output& o) const;

    const conversation& c_;
    const variant& v_;
    const model_traits& traits_;
    losses& lost_;
    const bool native_;  // the client speaks this dialect

    thinking_plan thinking_;
    tool_choice::mode choice_ = tool_choice::mode::unset;
    json temperature_, top_p_, top_k_;
    json service_tier_;
    std::vector<json> stop_;
    std::vector<const tool*> tools_;
};

}  // namespace sluice::chat::anthropic
