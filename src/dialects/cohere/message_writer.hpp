// A conversation's messages as Cohere takes them: results of tools are messages of their own, plans and thoughts stand
// beside the calls, and plain documents in a place of their own.
#pragma once

#include "dialects/losses.hpp"
#include "http/json_writer.hpp"

#include <sluice/conversation.hpp>

#include <deque>
#include <string>
#include <vector>

namespace sluice::chat::cohere {

class message_writer {
public:
    // All outlive the writer.
    message_writer(const conversation& c, losses& lost, text_arena& arena, http::json_writer& w)
        : c_(c), lost_(lost), arena_(arena), w_(w) {}

    // Writes the member `messages`. Error: bad_request.
    result<void> write();
    // The documents that stood in the messages: elements of the member `documents`.
    const std::vector<json>& documents() const { return documents_; }

private:
    // What of one message goes into one of Cohere's.
    struct gathered {
        std::vector<std::string> parts;  // JSON, in order
        bool only_texts = true;
        std::vector<const tool_call*> calls;
        std::vector<std::string> call_ids;  // made for those that have none
        std::vector<json> thoughts;
    };

    result<void> write_message(std::size_t i);
    result<void> gather(const part& p, const std::string& at, gathered& out);
    result<void> gather_media(const media_part& m, const std::string& at, gathered& out);
    result<void> write_result(const tool_result& r, const std::string& at);
    void add_text(json text, gathered& out);
    void add_document(json name, json text);
    void flush(const message& m, const gathered& g);
    void write_content(const message& m, const gathered& g);
    json result_id(const tool_result& r);

    const conversation& c_;
    losses& lost_;
    text_arena& arena_;
    http::json_writer& w_;
    std::vector<json> documents_;
    struct nameless_call {
        json name;
        std::string id;
    };
    std::deque<nameless_call> nameless_;  // calls that came without an id, oldest first
};

}  // namespace sluice::chat::cohere
