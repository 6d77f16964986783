// One client connection: reads requests, runs each through its route's stages, writes the replies.
//
// A session lives on its worker and owns its socket. Between requests it holds no buffer, no exchange and no
// head. It ends when either side closes, a deadline passes, a framing error was answered, or the
// worker drains.
#pragma once

#include "http/head_limits.hpp"
#include "net/buffer_pool.hpp"
#include "net/client_sink.hpp"
#include "net/session_body.hpp"
#include "net/stream.hpp"
#include "pipeline/route_table.hpp"

#include <sluice/config.hpp>
#include <sluice/exchange.hpp>

#include <boost/asio/cancellation_signal.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sluice::net {

class session;

// Limits of a listener's connections.
struct session_limits {
    http::head_limits head;
    std::chrono::milliseconds tls_handshake{10000};
    std::chrono::milliseconds header{10000};        // from a request's first byte to the end of its head
    std::chrono::milliseconds idle{75000};          // between requests
    std::chrono::milliseconds tunnel_idle{300000};  // neither side of a WebSocket says anything
    byte_size websocket_message_bytes{16u << 20};   // of a WebSocket to a model
    int requests = 100000;                          // on one connection, then it closes
};

// What an exchange came to, for those who count and log. Called once per request that had a head.
class exchange_recorder {
public:
    struct facts {
        const exchange& x;
        std::uint64_t bytes_in = 0;   // of the request's body
        std::uint64_t bytes_out = 0;  // on the wire, before TLS
        const error* failure = nullptr;
        bool complete = false;  // the reply was sent to its end
    };
    virtual void began(exchange& x) = 0;  // before the first stage: trace context
    virtual void ended(const facts& f) = 0;
    virtual void refused(std::string_view reason) = 0;  // a request that did not parse
    virtual void bug(std::string_view what) = 0;        // an exception that nobody expected

protected:
    ~exchange_recorder() = default;
};

// What the sessions of one worker share. Outlives them.
struct session_site {
    reactor& loop;
    buffer_pool& buffers;
    exchange_recorder& recorder;
    std::shared_ptr<const route_table> routes;  // swapped by a reload; an exchange holds its own
    bool draining = false;
    std::size_t sessions = 0;
    std::size_t exchanges = 0;
    session* first = nullptr;  // all of them, linked
    std::function<std::string()> make_request_id;

    // Heads are recycled among the sessions: one that is used again has its memory already.
    std::unique_ptr<request_head> take_head();
    void give_back(std::unique_ptr<request_head> head);
    static constexpr std::size_t spare_heads_max = 64, spare_head_bytes_max = 8192;
    std::vector<std::unique_ptr<request_head>> spare_heads{};
};

class session final : private exchange::host, private timer_node {
public:
    session(session_site& site, const session_limits& limits, unique_fd fd, std::string peer);
    ~session();

    // Serves until the connection ends. `ssl` null: plain.
    awaitable<void> run(ssl_ptr ssl);

    // Drain: an idle connection closes now, a busy one after its reply; one that has not asked for anything yet
    // gets a moment for it.
    void drain();
    // The end of the drain: an exchange under way is aborted.
    void cut(abort_reason why);
    boost::asio::cancellation_slot slot() { return signal_.slot(); }
    session* next() const { return next_; }

private:
    enum class outcome : std::uint8_t { keep, close };
    class active_scope;

    // Reads one head. False: the connection is to be closed; an answer was sent if one was due.
    awaitable<bool> read_head(std::unique_ptr<request_head>& head);
    awaitable<outcome> serve(request_head& head);
    awaitable<void> run_stages(exchange& x, const route& chosen);
    awaitable<void> finish_reply(exchange& x, client_sink& sink);
    awaitable<void> refuse(const error& e, std::string_view reason);
    awaitable<void> linger();

    // exchange::host
    void cancel(exchange& x) override;
    std::size_t body_bytes_max() const override { return route_limits_.body_bytes.value; }
    bool unflushed() const override { return sink_->holds_back(); }
    awaitable<void> flush() override { return sink_->flush(); }
    awaitable<result<void>> tunnel(upstream_connection& upstream, response_head& head) override;
    // The exchange's total time is over, or the time that a drain gives a new connection for its first request.
    void expired() override;

    session_site& site_;
    const session_limits& limits_;
    stream stream_;
    std::string peer_;
    buffer in_;
    boost::asio::cancellation_signal signal_;
    route_limits route_limits_;
    // While an exchange is served:
    exchange* active_ = nullptr;
    session_body* body_ = nullptr;
    client_sink* sink_ = nullptr;

    bool waiting_idle_ = false;
    bool closing_ = false;
    int served_ = 0;
    session *prev_ = nullptr, *next_ = nullptr;
};

}  // namespace sluice::net
