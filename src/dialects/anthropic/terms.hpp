// Names that several files of this dialect use.
#pragma once

#include <sluice/answer.hpp>

#include <optional>
#include <string_view>
#include <vector>

namespace sluice::chat::anthropic {

inline constexpr std::string_view dialect_name = "anthropic.messages";
inline constexpr family maker_name = "anthropic";

// How one place that serves Claude differs from the others. Native parts and tools are of `dialect_name` in all.
struct variant {
    std::string_view name;
    std::string_view version;     // "anthropic_version" of the body, which then has neither `model` nor `stream`
    bool urls_and_files = true;   // takes images and documents by URL and by file id
    bool strict_tools = true;     // takes `strict` on tools
    bool account_options = true;  // takes service_tier and the top-level cache_control
    bool betas = false;           // takes names of betas in the body
};

// Fields of inner objects that have no place in the conversation are carried among the extras of the object around
// under a dotted name ("thinking.block_binding"), which is what a client is told when they are lost.
inline constexpr std::string_view thinking_prefix = "thinking.";
inline constexpr std::string_view output_config_prefix = "output_config.";
inline constexpr std::string_view tool_choice_prefix = "tool_choice.";
inline constexpr std::string_view source_prefix = "source.";

// stop_reason and its opposite. Unknown ones are `other`; `other` and what Anthropic lacks become the nearest one.
finish_reason finish_of(json stop_reason);
// Null for finish_reason::none. `calls`: the answer has calls of tools; some upstreams say "stop" all the same.
std::string_view stop_reason_of(finish_reason why, bool calls);  // with its quotes

// Members of a message that have a meaning only together with this dialect: carried as extras of an answer, and written
// again for its clients.
bool is_message_extra(std::string_view key);

// Effort and budget of thinking, by the table of docs/dialects.md.
std::int64_t budget_of_effort(std::string_view effort);
std::string_view effort_of_budget(std::int64_t tokens);  // "low", "medium", "high" or "xhigh"

// The encrypted reasoning of other families as a client of this dialect keeps it: tagged, and with the id of the item
// that it belongs to, which OpenAI wants back ("openai:rs_1:gAAA...").
json_chars pack_secret(json_chars secret, family from, json item_id, text_arena& arena);
struct secret {
    json_chars chars;
    family from;
    json item_id;  // string
};
secret unpack_secret(json_chars packed, text_arena& arena);

// The signature that another family put on a call, for which this format has no place: it stands as a redacted thinking
// block behind the call ("gemini:call:CsQB...") and is put on the call again when the client sends it back. Empty where
// there is none.
json_chars pack_call_secret(json_chars signature, family from, text_arena& arena);
// Puts it on `call`. False: `thinking` is no such block.
bool unpack_call_secret(const reasoning_part& thinking, tool_call& call);

// A usable id of an answer or a call, where the upstream gave none: "msg_<request id>", "toolu_<request id>_<n>".
json make_message_id(std::string_view request_id, text_arena& arena);
json make_call_id(std::string_view request_id, std::size_t n, text_arena& arena);

}  // namespace sluice::chat::anthropic
