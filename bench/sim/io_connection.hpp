#pragma once
// One client connection. Reading never stops while it lives, so that a client that goes away is noticed at
// once even in the middle of an answer. Ordinary answers are written where the request is parsed; whatever
// takes time or goes wrong on purpose is played by a coroutine (io_player.cpp).

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/io_instance.hpp"
#include "sim/wire.hpp"

namespace sluice::sim {

// A socket, and TLS over it when the instance has it.
struct channel {
    boost::asio::ip::tcp::socket socket;
    std::optional<boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>> tls;

    channel(boost::asio::ip::tcp::socket s, boost::asio::ssl::context* context);
    void close(die_how how);
};

class connection : public std::enable_shared_from_this<connection> {
public:
    // `owner` outlives the connection.
    connection(instance& owner, boost::asio::ip::tcp::socket socket, boost::asio::ssl::context* tls,
               std::uint64_t number);
    ~connection();
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    void start();

private:
    // Reading.
    void read();
    void on_read(boost::system::error_code ec, std::size_t bytes);
    void pump();
    void make_room();
    void serve();
    bool ordinary() const;
    void answer_now(bool head_only);
    void render_at_once();
    void send(std::string_view bytes);
    void finish(std::string_view outcome);
    void client_gone();
    void linger();
    void upgrade();

    // Playing; see io_player.cpp.
    boost::asio::awaitable<void> play(std::shared_ptr<connection> self);
    boost::asio::awaitable<bool> play_reply();
    boost::asio::awaitable<bool> play_preamble();
    boost::asio::awaitable<bool> play_head(std::optional<std::size_t> length);
    boost::asio::awaitable<bool> play_whole();
    boost::asio::awaitable<bool> play_stream();
    boost::asio::awaitable<bool> play_events(const event_list& events, generation* engine);
    boost::asio::awaitable<bool> play_event(std::size_t index, std::string_view event, bool last);
    boost::asio::awaitable<bool> put(std::string_view bytes, bool body);
    boost::asio::awaitable<bool> write(std::string_view bytes);
    boost::asio::awaitable<bool> sleep_until(std::chrono::steady_clock::time_point t);
    boost::asio::awaitable<bool> wait_tokens(const generation& g, std::size_t tokens);
    void append_frame(std::string& out, std::string_view bytes) const;
    void die();

    instance& owner_;
    std::unique_ptr<channel> channel_;
    const std::uint64_t number_;

    std::vector<char> buffer_;
    std::size_t at_ = 0, used_ = 0;  // the unread bytes of buffer_
    request_parser parser_;
    request request_;
    bool reading_ = false;
    bool busy_ = false;     // an answer is under way
    bool closing_ = false;  // nothing will be answered any more
    bool gone_ = false;     // the client has left, or we have
    bool told_continue_ = false;
    bool refused_ = false;  // what came was not HTTP: the refusal is the last thing written

    reply reply_;
    std::string out_;
    std::string path_;
    bool keep_alive_ = true;
    boost::asio::steady_timer wake_;  // sleeping player; idle or lingering connection
    steady::time_point began_{}, last_write_{};
    std::uint64_t sent_ = 0;       // bytes of this response
    std::uint64_t sent_body_ = 0;  // of these, paced by `rate`
    std::size_t events_sent_ = 0;
    steady::time_point body_began_{};
};

// Takes over a connection whose request asked for WebSocket; ends by itself. See io_websocket.cpp.
void start_websocket(instance& owner, std::unique_ptr<channel> c, std::string head, reply::kind kind);

}  // namespace sluice::sim
