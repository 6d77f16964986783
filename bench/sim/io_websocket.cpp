// The two WebSocket endpoints: a realtime conversation and an echo.

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>

#include "sim/io_connection.hpp"
#include "sim/json_out.hpp"

namespace sluice::sim {
namespace {

namespace asio = boost::asio;
namespace websocket = boost::beast::websocket;
constexpr auto quiet = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t message_bytes_max = std::size_t{16} << 20;

// One realtime session without its socket: client events in, server events out.
class session {
public:
    explicit session(model_server& server) : server_(server), model_(server.profile().models.front()) {}

    std::string created() {
        std::string out;
        sim::put(out, R"({"type":"session.created","event_id":"event_1","session":)");
        put_session(out);
        out += '}';
        return out;
    }

    // What to send for one client event, in order. A response's deltas are paced by the caller.
    std::vector<std::string> on_event(std::string_view text) {
        simdjson::dom::element root;
        std::string_view type;
        if (parser_.parse(simdjson::padded_string(text)).get(root) != simdjson::SUCCESS ||
            root["type"].get(type) != simdjson::SUCCESS) {
            return {R"({"type":"error","error":{"type":"invalid_request_error","message":"not an event"}})"};
        }
        if (type == "session.update") return {updated(root)};
        if (type == "conversation.item.create") return {add_item(root)};
        if (type == "response.create") return respond();
        if (type == "input_audio_buffer.append") return {};
        std::string out;
        sim::put(out, R"({"type":"error","error":{"type":"invalid_request_error","message":)",
                 quoted{"unknown event: " + std::string(type)}, "}}");
        return {out};
    }

private:
    void put_session(std::string& out) const {
        sim::put(out, R"({"id":"sess_sim","object":"realtime.session","type":"realtime","model":)", quoted{model_},
                 R"(,"output_modalities":["text"]})");
    }

    std::string updated(const simdjson::dom::element& root) {
        std::string_view model;
        if (root.at_pointer("/session/model").get(model) == simdjson::SUCCESS) model_ = model;
        std::string out = R"({"type":"session.updated","session":)";
        put_session(out);
        out += '}';
        return out;
    }

    std::string add_item(const simdjson::dom::element& root) {
        simdjson::dom::array parts;
        std::string_view text;
        if (root.at_pointer("/item/content").get(parts) == simdjson::SUCCESS) {
            for (const auto part : parts) {
                if (part["text"].get(text) == simdjson::SUCCESS) heard_ += text;
            }
        }
        std::string out;
        simdjson::dom::element item;
        sim::put(out, R"({"type":"conversation.item.added","item":)",
                 root["item"].get(item) == simdjson::SUCCESS ? simdjson::minify(item) : std::string("{}"), "}");
        return out;
    }

    std::vector<std::string> respond() {
        reply r;
        server_.handle_turn(model_, heard_, r);
        if (r.how == reply::kind::whole) return {r.body};
        r.said.cached_tokens = server_.engine().run_at_once(r.sequence);
        const token_text& said = r.said.choices.front().text;
        std::vector<std::string> out;
        const auto add = [&](const auto&... parts) {
            std::string event;
            sim::put(event, parts...);
            out.push_back(std::move(event));
        };
        const std::string id = "resp_" + r.said.id;
        add(R"({"type":"response.created","response":{"id":")", id,
            R"(","object":"realtime.response","status":"in_progress"}})");
        for (std::size_t i = 0; i < said.tokens(); ++i) {
            add(R"({"type":"response.output_text.delta","response_id":")", id,
                R"(","output_index":0,"content_index":0,"delta":)", quoted{said.piece(i)}, "}");
        }
        add(R"({"type":"response.output_text.done","response_id":")", id, R"(","output_index":0,"text":)",
            quoted{said.text}, "}");
        add(R"({"type":"response.done","response":{"id":")", id,
            R"(","object":"realtime.response","status":"completed","output":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":)",
            quoted{said.text}, R"(}]}],"usage":{"total_tokens":)", r.said.prompt_tokens + said.tokens(),
            R"(,"input_tokens":)", r.said.prompt_tokens, R"(,"output_tokens":)", said.tokens(),
            R"(,"input_token_details":{"cached_tokens":)", r.said.cached_tokens, "}}}}");
        server_.stats().tokens(r.said.prompt_tokens, r.said.cached_tokens, said.tokens());
        return out;
    }

    model_server& server_;
    simdjson::dom::parser parser_;
    std::string model_;
    std::string heard_;
};

template <class Socket>
asio::awaitable<void> echo_all(websocket::stream<Socket>& socket) {
    for (;;) {
        boost::beast::flat_buffer message;
        const auto [failed, bytes] = co_await socket.async_read(message, quiet);
        if (failed) co_return;
        socket.binary(socket.got_binary());
        const auto [unsent, written] = co_await socket.async_write(message.data(), quiet);
        if (unsent) co_return;
    }
}

// Simulated time of one token here: a realtime session talks to one client only and does not enter the batch.
std::chrono::nanoseconds token_gap(const model_server& server) {
    const auto& speed = server.profile().speed;
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::duration<double, std::nano>(speed.step_base + speed.per_decode) *
        std::max(0.0, server.profile().time_scale));
}

template <class Socket>
asio::awaitable<void> converse(websocket::stream<Socket>& socket, model_server& server) {
    session talk(server);
    asio::steady_timer pause(socket.get_executor());
    std::vector<std::string> answers{talk.created()};
    for (;;) {
        for (const std::string& event : answers) {
            const auto [unsent, written] = co_await socket.async_write(asio::buffer(event), quiet);
            if (unsent) co_return;
            if (server.instant() || event.find("output_text.delta") == std::string::npos) continue;
            pause.expires_after(token_gap(server));
            co_await pause.async_wait(quiet);
        }
        boost::beast::flat_buffer message;
        const auto [failed, bytes] = co_await socket.async_read(message, quiet);
        if (failed) co_return;
        answers = talk.on_event(boost::beast::buffers_to_string(message.data()));
    }
}

template <class Socket>
asio::awaitable<void> run(instance& owner, Socket& under, std::string head, reply::kind kind) {
    websocket::stream<Socket&> socket(under);
    socket.read_message_max(message_bytes_max);
    const auto [refused] = co_await socket.async_accept(asio::buffer(head), quiet);
    if (refused) co_return;
    if (kind == reply::kind::echo_socket) {
        co_await echo_all(socket);
    } else {
        co_await converse(socket, owner.server());
    }
}

asio::awaitable<void> run_channel(instance& owner, std::unique_ptr<channel> c, std::string head, reply::kind kind) {
    if (c->tls) {
        co_await run(owner, *c->tls, std::move(head), kind);
    } else {
        co_await run(owner, c->socket, std::move(head), kind);
    }
}

}  // namespace

void start_websocket(instance& owner, std::unique_ptr<channel> c, std::string head, reply::kind kind) {
    asio::co_spawn(owner.context(), run_channel(owner, std::move(c), std::move(head), kind), asio::detached);
}

}  // namespace sluice::sim
