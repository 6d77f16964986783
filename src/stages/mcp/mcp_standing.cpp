// Streams that clients open for what belongs to no request: GET of the legacy era, subscriptions/listen since.
#include "stages/mcp/mcp_http.hpp"
#include "stages/mcp/mcp_stage.hpp"

#include "http/json_writer.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <atomic>

namespace sluice::mcp_endpoint {

using namespace mcp;
namespace asio = boost::asio;

namespace {

// The reader's end of a stream that is another worker's.
struct remote_reader {
    explicit remote_reader(const asio::any_io_executor& worker)
        : executor(worker), stream(std::make_shared<message_stream>(worker, nullptr)) {}
    const asio::any_io_executor executor;
    const std::shared_ptr<message_stream> stream;
    std::atomic<bool> gone{false};
};

struct gone_at_exit {
    remote_reader& reader;
    ~gone_at_exit() { reader.gone = true; }
};

// On the worker of the stream: hands what comes to the reader's.
awaitable<void> forward(std::shared_ptr<message_stream> from, std::size_t next, std::shared_ptr<remote_reader> to) {
    const std::size_t epoch = from->attach();
    while (!to->gone && from->epoch() == epoch) {
        while (const std::string* message = from->at(next)) {
            asio::post(to->executor, [to, text = *message] { to->stream->push(text); });
            from->taken(++next);
        }
        if (from->finished()) break;
        co_await from->wait(next, epoch, std::chrono::steady_clock::now() + std::chrono::seconds(1));
    }
    from->detach(epoch);
    asio::post(to->executor, [to] { to->stream->finish(); });
}

}  // namespace

awaitable<void> mcp_stage::get(exchange& x) {
    const header_list& headers = x.request().headers;
    if (!accepted(headers).sse)
        co_return x.fail(error{error_kind::method_not_allowed, "GET opens a text/event-stream."});
    if (!headers.contains("Mcp-Session-Id"))
        co_return x.fail(
            error{error_kind::method_not_allowed, "A stream belongs to a session: Mcp-Session-Id is missing."});
    const auto session = session_of(x);
    if (!session) co_return x.fail(error{error_kind::not_found, "There is no such session."});
    if (const auto last = headers.find("last-event-id"); last && !last->empty())
        co_return co_await resume(x, *session, std::string(*last));
    const auto stream = book_->new_kept_stream();
    const local_name name = book_->keep(stream, session->id);
    reading r{stream, name, 0};
    r.primed = session->client.speaks >= version::v2025_11_25;
    co_await send(x, r);
}

awaitable<void> mcp_stage::resume(exchange& x, const session_facts& session, std::string last_event) {
    const auto place = parse_event_id(last_event);
    const auto name = place ? local_name::parse(place->stream) : std::nullopt;
    if (!name) co_return x.fail(error{error_kind::bad_request, "Last-Event-ID is none of ours."});
    reading r{nullptr, name, place->message};
    if (name->worker == book_->index()) {
        r.stream = book_->stream(*name, session.id);
        if (!r.stream || r.stream->lost(place->message))
            co_return x.fail(error{error_kind::not_found, "That stream is over, or was too long to be kept."});
        co_return co_await send(x, r);
    }
    const auto reader = std::make_shared<remote_reader>(services_.executor());
    const gone_at_exit guard{*reader};
    books_->to(name->worker, [name = *name, id = session.id, from = place->message, reader](session_book& b) {
        const auto stream = b.stream(name, id);
        if (!stream || stream->lost(from)) return asio::post(reader->executor, [reader] { reader->stream->finish(); });
        asio::co_spawn(b.worker(), forward(stream, from, reader), asio::detached);
    });
    r.stream = reader->stream;
    r.from = 0;
    r.numbered_from = place->message;
    co_await send(x, r);
}

awaitable<void> mcp_stage::listen(exchange& x, const rpc_message& m, const listen_filter& wanted) {
    const auto stream = std::make_shared<message_stream>(services_.executor(), nullptr);
    const auto snapshot = server_.what().now();
    const bool prompts = wanted.prompts && !snapshot->of(feature_kind::prompt).empty();
    const bool resources = wanted.resources && !snapshot->of(feature_kind::resource).empty();
    std::string params;
    http::json_writer w(params);
    w.begin_object().key("_meta").begin_object().key("io.modelcontextprotocol/subscriptionId").raw(m.id).end_object();
    w.key("notifications").begin_object();
    if (wanted.tools) w.key("toolsListChanged").boolean(true);
    if (prompts) w.key("promptsListChanged").boolean(true);
    if (resources) w.key("resourcesListChanged").boolean(true);
    if (!wanted.uris.empty() && snapshot->subscribes()) {
        w.key("resourceSubscriptions").begin_array();
        for (const std::string& uri : wanted.uris) w.string(uri);
        w.end_array();
    }
    w.end_object().end_object();
    std::string acknowledged;
    append_notification(acknowledged, "notifications/subscriptions/acknowledged", params);
    stream->push(std::move(acknowledged));
    x.release_body();
    const reading r{stream, std::nullopt, 0};
    co_await send(x, r);
}

}  // namespace sluice::mcp_endpoint
