// Turns an upstream's answer into the client's dialect as it passes.
//
// A stream is translated event by event and nothing of it is kept. A plain answer and an error are collected first.
#pragma once

#include "dialects/dialect.hpp"
#include "http/event_stream.hpp"

#include <sluice/exchange.hpp>
#include <sluice/services.hpp>
#include <sluice/sink.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::route {

class translating_sink final : public reply_sink {
public:
    static constexpr std::size_t answer_bytes_max = std::size_t{64} << 20;

    // All outlive the sink. `embedding` is the request for vectors, if it is one; `dropped` goes into x-sluice-dropped
    // when it is not empty.
    translating_sink(exchange& x, services& s, reply_sink& next, const chat::client_dialect& client,
                     const chat::upstream_dialect& upstream, const chat::client_call& call,
                     const chat::embedding_request* embedding, std::string_view dropped);

    awaitable<void> head(response_head& h) override;
    awaitable<void> write(const event& e) override;
    awaitable<void> end() override;

    // Events of the upstream's stream that were missing or came twice and were made good.
    int repairs() const { return reader_ != nullptr ? reader_->repairs() : 0; }

private:
    enum class form : std::uint8_t {
        stream,
        answer,
        replayed,  // the client wanted a stream, the upstream gave a whole answer
        error,
    };

    awaitable<void> collect(std::string_view bytes);
    awaitable<void> pass_event(const event& e);
    awaitable<void> pass_pieces(std::string_view bytes);
    awaitable<void> end_stream();
    awaitable<void> end_whole();
    // Writes what was collected into out_. Error: upstream_protocol.
    result<void> translate_whole();
    result<void> translate_vectors();
    std::string_view stream_type() const {
        return call_.json_array ? std::string_view{"application/json"} : std::string_view{"text/event-stream"};
    }
    // Feeds one event of the upstream and sends what became of it. False: the exchange has failed.
    bool translate(std::string_view name, std::string_view data);
    void write_steps();
    awaitable<void> send();

    exchange& x_;
    reply_sink& next_;
    const chat::client_dialect& client_;
    const chat::upstream_dialect& upstream_;
    const chat::client_call call_;
    const std::string dropped_;
    const chat::embedding_request* const embedding_;

    form form_ = form::answer;
    response_head head_;     // of an answer that is collected
    std::string collected_;  // its body
    memory_hold memory_;     // of collected_
    std::unique_ptr<chat::stream_reader> reader_;
    std::unique_ptr<chat::stream_writer> writer_;
    std::unique_ptr<http::aws_event_reader> frames_;  // of an AWS event stream
    std::vector<chat::stream_step> steps_;
    std::string out_;
    bool ended_ = false;  // the stream's last step was written
};

}  // namespace sluice::route
