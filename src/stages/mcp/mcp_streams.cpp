// How answers go out: as JSON where one message is all, else as a stream of events.
#include "stages/mcp/mcp_http.hpp"
#include "stages/mcp/mcp_stage.hpp"

#include "http/sse_reader.hpp"

namespace sluice::mcp_endpoint {

using namespace mcp;

namespace {

// A client that is told to come back does so after this time (2025-11-25).
constexpr std::string_view retry_event = "retry: 100\n\n";
constexpr std::string_view sign_of_life = ":\r\n\r\n";

struct reader_at_exit {
    message_stream& stream;
    std::size_t epoch;
    ~reader_at_exit() { stream.detach(epoch); }
};

awaitable<void> write(exchange& x, std::string_view bytes) {
    const event e{event::form::piece, bytes, {}, {}};
    co_await x.reply().write(e);
}

std::string event_text(const std::string& message, const std::string& id) {
    std::string out;
    if (!id.empty()) out.append("id: ").append(id).append("\n");
    http::append_sse(out, "message", message);
    return out;
}

}  // namespace

awaitable<void> mcp_stage::run(exchange& x, call_plan plan) {
    const accepted_types types = accepted(x.request().headers);
    const version speaks = plan.client.speaks;
    const std::string session = plan.session;
    plan.streams = types.sse;
    plan.figures = figures_.of(plan.request.method, plan.source->name(), plan.counts_as);
    const bool resumable = !session.empty() && types.sse;
    const auto stream =
        resumable ? book_->new_kept_stream() : std::make_shared<message_stream>(services_.executor(), nullptr);
    const auto call = std::make_shared<call_run>(std::move(plan), server_.calls(), book_, stream, services_);
    // A client of the legacy era may come back; a later one that is gone has cancelled.
    std::optional<cancel_at_exit> guard;
    if (!resumable) guard.emplace(*call);
    x.release_body();
    call->start();
    reading r{stream, std::nullopt, 0, types.json, types.sse, resumable && speaks >= version::v2025_11_25, call.get()};
    const bool at_once = types.json && stream->finished() && stream->end() <= 1;
    if (resumable && !at_once) r.kept = book_->keep(stream, session);
    co_await send(x, r);
}

awaitable<void> mcp_stage::send(exchange& x, const reading& r) {
    message_stream& stream = *r.stream;
    const std::size_t epoch = stream.attach();
    const reader_at_exit guard{stream, epoch};
    if (r.json_allowed) {
        // What takes longer than this is a stream: signs of life keep the connection up.
        const auto until = r.sse_allowed ? std::chrono::steady_clock::now() + config_.keep_alive : steady_time::max();
        if (!r.primed || stream.finished()) co_await stream.wait(r.from, epoch, until);
        if (!r.sse_allowed)
            while (!stream.finished() && stream.epoch() == epoch) co_await stream.wait(stream.end(), epoch, until);
        const std::string* last = stream.at(r.from);
        if (stream.finished() && stream.end() == r.from + 1 && last != nullptr) {
            const int code = r.run != nullptr ? r.run->error_code() : 0;
            const bool is_modern = r.run != nullptr && modern(r.run->client().speaks);
            const std::string answer = *last;
            stream.taken(stream.end());
            co_return co_await x.respond_json(is_modern ? status_for(code) : 200, answer);
        }
        // Cancelled by the client itself: it expects no answer.
        if (!r.sse_allowed || (stream.finished() && stream.end() == r.from)) {
            response_head head;
            head.status = 202;
            co_return co_await x.respond(std::move(head), {});
        }
    }
    co_await stream_events(x, r, epoch);
}

awaitable<void> mcp_stage::stream_events(exchange& x, const reading& r, std::size_t epoch) {
    message_stream& stream = *r.stream;
    const std::string name = r.kept ? r.kept->text() : std::string{};
    response_head head = stream_head();
    co_await x.reply().head(head);
    if (r.primed && r.kept) {
        // An id to come back with before anything is said: as if the message before the first had it.
        const std::string first = "id: " + event_id(name, r.numbered_from + r.from) + "\ndata: \n\n";
        co_await write(x, first);
    } else {
        co_await x.session().flush();
    }
    std::size_t next = r.from;
    for (;;) {
        while (const std::string* message = stream.epoch() == epoch ? stream.at(next) : nullptr) {
            const std::string id = r.kept ? event_id(name, r.numbered_from + next + 1) : std::string{};
            const std::string text = event_text(*message, id);
            co_await write(x, text);
            ++next;
            if (stream.epoch() == epoch) stream.taken(next);
        }
        if (stream.epoch() != epoch) {
            co_await write(x, retry_event);
            break;
        }
        if (stream.finished() && next >= stream.end()) break;
        const auto until = std::chrono::steady_clock::now() + config_.keep_alive;
        co_await stream.wait(next, epoch, until);
        const bool silent = stream.epoch() == epoch && stream.at(next) == nullptr && !stream.finished();
        if (silent && std::chrono::steady_clock::now() >= until) co_await write(x, sign_of_life);
    }
    co_await x.reply().end();
}

}  // namespace sluice::mcp_endpoint
