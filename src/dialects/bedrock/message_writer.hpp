// The conversation's messages in Converse's form: the two places (`system`, `messages`), blocks that alternate between
// the roles, and the ids, names and formats that Bedrock restricts.
#pragma once

#include "dialects/bedrock/models.hpp"
#include "dialects/losses.hpp"
#include "http/json_writer.hpp"

#include <sluice/conversation.hpp>

#include <deque>
#include <optional>
#include <string>
#include <unordered_set>

namespace sluice::chat::bedrock {

class message_writer {
public:
    // All outlive the writer.
    message_writer(const conversation& c, const model_facts& facts, losses& lost, text_arena& arena,
                   http::json_writer& w)
        : c_(c), facts_(facts), lost_(lost), arena_(arena), w_(w) {}

    // Writes the member `messages`, and `system` if there is any.
    result<void> write();

private:
    struct place {
        std::size_t message, part;
        std::string text() const { return place_of(message, part); }
    };

    result<void> write_turns();
    result<void> write_system();
    bool says_system() const;
    result<void> write_part(const message& m, const place& at);
    void open_turn(role who);
    void close_turn();
    void cache_point_behind(const part& p, const place& at, bool written);

    // Each answers whether a block was written.
    result<bool> write_text(role who, json text);
    result<bool> write_media(role who, const part& p, const place& at);
    result<bool> write_call(role who, const tool_call& call, const place& at);
    result<bool> write_result(role who, const tool_result& r, const place& at);
    result<bool> write_reasoning(role who, const reasoning_part& r, const place& at);
    result<bool> write_result_part(const part& p, const place& at);
    result<bool> refuse(const place& at, std::string_view what);

    std::string media_problem(const media_part& m) const;  // empty: none
    void write_media_block(const part& p, const place& at);
    void report_extras(const part& p, const std::string& where);
    void write_source(const media_part& m);
    std::string document_name(json name);
    std::string call_id(const tool_call& call, const place& at);
    std::string result_id(const tool_result& r);

    const conversation& c_;
    const model_facts& facts_;
    losses& lost_;
    text_arena& arena_;
    http::json_writer& w_;
    std::optional<role> turn_;  // the one that is open
    std::unordered_set<std::string> document_names_;
    std::size_t documents_ = 0;
    // Calls that came without an id, oldest first: their results have none either.
    struct nameless_call {
        json name;
        std::string id;
    };
    std::deque<nameless_call> nameless_;
};

// A marker for the prompt's cache in Bedrock's form.
std::string cache_point_of(json cache_control, const model_facts& facts);

// Blank: nothing but white space, which Bedrock refuses as the text of a block.
bool is_blank(json text);

}  // namespace sluice::chat::bedrock
