// What a conversation asks for besides its messages, in Converse's form: inferenceConfig, toolConfig, outputConfig,
// and what only one maker's models take, in additionalModelRequestFields.
#pragma once

#include "dialects/bedrock/models.hpp"
#include "dialects/losses.hpp"
#include "http/json_writer.hpp"

#include <sluice/conversation.hpp>

#include <string>
#include <vector>

namespace sluice::chat::bedrock {

class options_writer {
public:
    // All outlive the writer.
    options_writer(const conversation& c, const model_facts& facts, losses& lost, text_arena& arena,
                   http::json_writer& w)
        : c_(c), facts_(facts), lost_(lost), arena_(arena), w_(w) {}

    // Writes the members. Error: bad_request for what Bedrock has no place for.
    result<void> write();

private:
    // Fields of additionalModelRequestFields: JSON by name.
    using field_list = std::vector<std::pair<std::string_view, json>>;

    result<void> refuse_what_is_missing();
    void write_inference(field_list& more);
    result<void> write_tools();
    result<void> write_tool(const tool& t, const std::string& where, bool& open);
    result<void> write_choice(bool any_tool);
    result<void> write_format();
    void write_called_tools();
    bool calls_in_history() const;
    bool forced() const;

    void think(field_list& more);
    void think_as_claude(field_list& more);
    void write_more(const field_list& more);

    void write_tier();
    void write_metadata();
    void pass_native_fields();

    const conversation& c_;
    const model_facts& facts_;
    losses& lost_;
    text_arena& arena_;
    http::json_writer& w_;
    bool thinks_ = false;  // thinking is asked for
};

}  // namespace sluice::chat::bedrock
