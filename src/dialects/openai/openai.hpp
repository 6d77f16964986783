// OpenAI's chat completions, embeddings and legacy completions, and what many other servers made of them.
//
// Beside OpenAI's own fields, the forms that clients of other providers have long been using in chat completions
// are understood and written: `cache_control` in messages, parts and tools; `reasoning_content`; `thinking_blocks` with
// signatures; `extra_content.google.thought_signature` in calls; `thinking` and `reasoning` as options. docs/dialects
// has the table.
#pragma once

#include "dialects/dialect.hpp"
#include "dialects/openai/quirks.hpp"

namespace sluice::chat::openai {

inline constexpr std::string_view chat_name = "openai.chat";

const client_dialect& chat_client();

// One per provider, for its quirks.
class chat_upstream final : public upstream_dialect {
public:
    explicit chat_upstream(const chat_quirks& q = {}) : quirks_(q) {}
    std::string_view name() const override { return chat_name; }
    family maker() const override { return "openai"; }
    std::string path(const target_facts&, bool) const override { return "/chat/completions"; }
    result<void> write_request(const conversation& c, const target_facts& t, losses& lost,
                               std::string& out) const override;
    result<void> read_answer(std::string_view body, answer& out) const override;
    std::unique_ptr<stream_reader> read_stream() const override;
    error_facts read_error(int status, std::string_view body) const override;
    const embedding_upstream* embeddings() const override;

private:
    const chat_quirks quirks_;
};

// The pieces of the above, by file.
result<void> read_chat_request(const json_object& body, conversation& out);
void write_chat_answer(const answer& a, const client_call& call, std::string& out);
std::unique_ptr<stream_writer> make_chat_stream_writer(const client_call& call);
result<void> write_chat_request(const conversation& c, const target_facts& t, const chat_quirks& q, losses& lost,
                                std::string& out);
result<void> read_chat_answer(std::string_view body, answer& out);
std::unique_ptr<stream_reader> make_chat_stream_reader();

// {"error":{"message":...,"type":...,"param":...,"code":...}}
void write_openai_error(const error_facts& e, std::string& out);
error_facts read_openai_error(int status, std::string_view body);

// `usage` of chat completions.
token_usage read_chat_usage(json usage);
void write_chat_usage(const token_usage& u, std::string& out);
std::string_view finish_name(finish_reason r);
finish_reason finish_of(json name);

}  // namespace sluice::chat::openai
