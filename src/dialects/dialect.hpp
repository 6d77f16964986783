// A wire format of models, from both sides: as clients speak it to the gateway, and as the gateway speaks it to
// upstreams. Pure translators: texts in, texts out. An object of these classes is constant and shared by all threads;
// the readers and writers of streams belong to one exchange.
#pragma once

#include "dialects/losses.hpp"

#include <sluice/answer.hpp>
#include <sluice/conversation.hpp>
#include <sluice/embedding.hpp>
#include <sluice/json.hpp>
#include <sluice/result.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::chat {

// What an error says, in any dialect's terms.
struct error_facts {
    int status = 500;
    std::string message;
    std::string type;   // the provider's or OpenAI's type: "invalid_request_error", "overloaded_error"
    std::string code;   // "context_length_exceeded"; may be empty
    std::string param;  // may be empty
    std::chrono::milliseconds retry_after{0};  // what the body says; 0: nothing
};

// --- the client's side -------------------------------------------------------------------------------------------

// What stands in the path instead of in the body (Gemini), and what an answer needs besides what the upstream said.
struct client_call {
    std::string_view model;       // the public name the client asked for
    bool stream = false;          // the path asks for a stream
    bool json_array = false;      // as one JSON array instead of events (Gemini without alt=sse)
    bool wants_usage = false;     // the client asked for the usage of a stream (OpenAI chat)
    std::int64_t now = 0;         // seconds since 1970, where the upstream gave no time
    std::string_view request_id;  // makes an id, where the upstream gave none
};

// Writes a stream's steps as the client's events, one by one: what comes of a step is complete.
class stream_writer {
public:
    virtual ~stream_writer() = default;
    // Appends the bytes that go to the client: none, one or several whole events.
    virtual void write(const stream_step& step, std::string& out) = 0;
};

// Vectors of texts, where the dialect has them.
struct embedding_client {
    result<void> (*read)(const json_object& body, const client_call& call, embedding_request& out);
    // `asked` is the request that this answers; there is a vector for each of its inputs.
    void (*write)(const embedding_answer& a, const embedding_request& asked, const client_call& call, std::string& out);
};

class client_dialect {
public:
    virtual ~client_dialect() = default;
    virtual std::string_view name() const = 0;  // "anthropic.messages"
    virtual family maker() const = 0;           // whose signatures its clients hold: "anthropic"

    // `body` outlives the conversation. Refuses what cannot be understood, not what no target can do.
    // Error: bad_request with the field as param, in the client's spelling.
    virtual result<void> read_request(const json_object& body, const client_call& call, conversation& out) const = 0;
    virtual void write_answer(const answer& a, const client_call& call, std::string& out) const = 0;
    virtual std::unique_ptr<stream_writer> write_stream(const client_call& call) const = 0;
    // The Content-Type of a stream is text/event-stream for all, application/json for call.json_array.

    virtual void write_error(const error_facts& e, std::string& out) const = 0;  // a body
    virtual const embedding_client* embeddings() const { return nullptr; }
    // The answer to a request that counts tokens; nothing where the dialect has no such request.
    virtual void write_token_count(std::int64_t, std::string&) const {}
};

// --- the upstream's side -----------------------------------------------------------------------------------------

// Where a request goes, as far as its text depends on it.
struct target_facts {
    std::string_view model;  // the model's name at the provider
    // What a client of Anthropic's asks for in its header anthropic-beta: names with commas.
    std::string_view betas = {};
};

// Reads an upstream's stream, event by event.
class stream_reader {
public:
    virtual ~stream_reader() = default;
    // One event: SSE's name and data, or the event type and payload of an AWS event stream. Appends the steps that it
    // makes; their views are valid until the next call. Error: upstream_protocol.
    virtual result<void> read(std::string_view name, std::string_view data, std::vector<stream_step>& out) = 0;
    // The body is over. Error: upstream_reset when the stream was not. A dialect whose streams end without a mark
    // makes the last steps here.
    virtual result<void> finish(std::vector<stream_step>& out) = 0;
    // Events that were missing or came twice and that could be made good.
    int repairs() const { return repairs_; }

protected:
    int repairs_ = 0;
};

enum class stream_framing : std::uint8_t { sse, aws_event_stream };

struct embedding_upstream {
    std::string (*path)(const target_facts& t);
    result<void> (*write)(const embedding_request& r, const target_facts& t, losses& lost, std::string& out);
    result<void> (*read)(std::string_view body, embedding_answer& out);
};

class upstream_dialect {
public:
    virtual ~upstream_dialect() = default;
    virtual std::string_view name() const = 0;
    virtual family maker() const = 0;

    // The request's path behind the provider's base URL, its query with it: "/chat/completions",
    // "/models/gemini-2.5-pro:streamGenerateContent?alt=sse".
    virtual std::string path(const target_facts& t, bool stream) const = 0;
    // Appends the body. What the dialect cannot say goes to `lost`. Error: bad_request.
    virtual result<void> write_request(const conversation& c, const target_facts& t, losses& lost,
                                       std::string& out) const = 0;

    // A body with a status below 300. `body` outlives the answer. Error: upstream_protocol when it is not what the
    // dialect answers.
    virtual result<void> read_answer(std::string_view body, answer& out) const = 0;
    virtual stream_framing framing() const { return stream_framing::sse; }
    virtual std::unique_ptr<stream_reader> read_stream() const = 0;
    // A body with a status of an error. Never fails: what cannot be read is quoted, at most 1 KiB of it.
    virtual error_facts read_error(int status, std::string_view body) const = 0;
    virtual const embedding_upstream* embeddings() const { return nullptr; }
};

}  // namespace sluice::chat
