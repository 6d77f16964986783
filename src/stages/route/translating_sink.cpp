#include "stages/route/translating_sink.hpp"

#include "dialects/steps.hpp"
#include "dialects/values.hpp"

namespace sluice::route {
namespace {

// What the upstream measured of its own body is not true of ours.
void describe(response_head& h, std::string_view type, std::string_view dropped) {
    h.headers.set("Content-Type", type);
    h.headers.remove("content-length");
    h.headers.remove("content-encoding");
    h.headers.remove("etag");
    h.headers.remove("content-md5");
    if (!dropped.empty()) h.headers.set("x-sluice-dropped", dropped);
}

bool is_stream(const response_head& h, chat::stream_framing framing) {
    return h.has_content_type(framing == chat::stream_framing::sse ? "text/event-stream"
                                                                   : "application/vnd.amazon.eventstream");
}

bool readable(const response_head& h) {
    const auto coding = h.headers.find("content-encoding");
    return !coding || iequals(*coding, "identity");
}

}  // namespace

translating_sink::translating_sink(exchange& x, services& s, reply_sink& next, const chat::client_dialect& client,
                                   const chat::upstream_dialect& upstream, const chat::client_call& call,
                                   const chat::embedding_request* embedding, std::string_view dropped)
    : x_(x),
      next_(next),
      client_(client),
      upstream_(upstream),
      call_(call),
      dropped_(dropped),
      embedding_(embedding),
      memory_(s) {}

awaitable<void> translating_sink::head(response_head& h) {
    if (!readable(h)) {
        x_.fail(error{error_kind::upstream_protocol, "The upstream's answer has a content coding."});
        co_return;
    }
    form_ = h.status >= 300 ? form::error : call_.stream ? form::stream : form::answer;
    if (form_ == form::stream && !is_stream(h, upstream_.framing())) form_ = form::replayed;
    if (form_ != form::stream) {
        head_ = h;
        co_return;
    }
    if (upstream_.framing() == chat::stream_framing::aws_event_stream)
        frames_ = std::make_unique<http::aws_event_reader>();
    reader_ = upstream_.read_stream();
    writer_ = client_.write_stream(call_);
    describe(h, stream_type(), dropped_);
    h.headers.set("Cache-Control", "no-cache");
    h.body = framing::chunked;
    co_await next_.head(h);
}

awaitable<void> translating_sink::write(const event& e) {
    if (x_.failure() || ended_) return send();  // nothing is left to be sent then
    if (form_ != form::stream) return collect(e.raw);
    if (frames_ != nullptr) return pass_pieces(e.raw);
    return pass_event(e);
}

awaitable<void> translating_sink::collect(std::string_view bytes) {
    if (collected_.size() + bytes.size() > answer_bytes_max) {
        collected_.clear();
        x_.fail(error{error_kind::upstream_protocol, "The upstream's answer is larger than the gateway translates."});
        co_return;
    }
    if (!memory_.reach(collected_.size() + bytes.size())) {
        collected_ = {};
        x_.fail(error{error_kind::overloaded, "The gateway is out of buffers."});
        co_return;
    }
    collected_.append(bytes);
}

awaitable<void> translating_sink::pass_event(const event& e) {
    const bool comment = e.kind == event::form::sse && e.data.empty() && e.name.empty();
    if (comment && !call_.json_array) return next_.write(e);
    if (e.kind == event::form::sse && !comment) translate(e.name, e.data);
    return send();
}

awaitable<void> translating_sink::pass_pieces(std::string_view bytes) {
    frames_->feed(bytes);
    http::aws_event e;
    while (!ended_) {
        const auto got = frames_->next(e);
        if (!got) x_.fail(got.error());
        if (!got || !*got || !translate(e.name, e.data)) break;
    }
    return send();
}

bool translating_sink::translate(std::string_view name, std::string_view data) {
    steps_.clear();
    const auto read = reader_->read(name, data, steps_);
    write_steps();
    if (!read && !x_.failure()) x_.fail(read.error());
    return !x_.failure();
}

void translating_sink::write_steps() {
    for (const chat::stream_step& s : steps_) {
        using kind = chat::stream_step::kind;
        if (s.usage.reported()) x_.usage = s.usage;
        if (s.what == kind::end) ended_ = true;
        if (s.what == kind::failure) {
            // The client gets it as an event of its own dialect; then the body is left truncated.
            writer_->write(s, out_);
            x_.failure_told = true;
            x_.fail(error{error_kind::upstream_reset,
                          "The upstream ended its stream with an error: " + chat::decode(s.text)});
            return;
        }
        writer_->write(s, out_);
    }
}

awaitable<void> translating_sink::send() {
    if (out_.empty()) co_return;
    const event piece{event::form::piece, out_, out_, {}};
    co_await next_.write(piece);
    out_.clear();
}

awaitable<void> translating_sink::end() {
    return form_ == form::stream ? end_stream() : end_whole();
}

awaitable<void> translating_sink::end_stream() {
    if (x_.failure()) co_return;
    if (frames_ != nullptr && !ended_) {
        const auto whole = frames_->finish();
        if (!whole) co_return x_.fail(whole.error());
    }
    if (!ended_) {
        steps_.clear();
        const auto whole = reader_->finish(steps_);
        write_steps();
        if (!whole) x_.fail(whole.error());
    }
    co_await send();
    if (!x_.failure()) co_await next_.end();
}

result<void> translating_sink::translate_whole() {
    if (form_ == form::error) {
        client_.write_error(upstream_.read_error(head_.status, collected_), out_);
        return {};
    }
    if (embedding_ != nullptr) return translate_vectors();
    chat::answer a;
    const auto read = upstream_.read_answer(collected_, a);
    if (!read) return read.error();
    x_.usage = a.usage;
    if (form_ == form::answer) {
        client_.write_answer(a, call_, out_);
        return {};
    }
    writer_ = client_.write_stream(call_);
    chat::steps_of(a, steps_);
    write_steps();
    return {};
}

result<void> translating_sink::translate_vectors() {
    chat::embedding_answer a;
    const auto read = upstream_.embeddings()->read(collected_, a);
    if (!read) return read.error();
    if (a.vectors.size() != embedding_->inputs.size()) {
        return error{error_kind::upstream_protocol, "The upstream gave " + std::to_string(a.vectors.size()) +
                                                        " vectors for " + std::to_string(embedding_->inputs.size()) +
                                                        " texts."};
    }
    x_.usage = a.usage;
    client_.embeddings()->write(a, *embedding_, call_, out_);
    return {};
}

awaitable<void> translating_sink::end_whole() {
    if (x_.failure()) co_return;
    const auto translated = translate_whole();
    if (!translated) co_return x_.fail(translated.error());
    describe(head_, form_ == form::replayed ? stream_type() : "application/json", dropped_);
    head_.body = framing::length;
    head_.content_length = out_.size();
    co_await next_.head(head_);
    co_await send();
    co_await next_.end();
}

}  // namespace sluice::route
