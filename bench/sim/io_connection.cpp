#include "sim/io_connection.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <cstring>
#include <iostream>

#include "sim/json_out.hpp"

namespace sluice::sim {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t buffer_bytes = 16384;
constexpr std::size_t pipelined_max = std::size_t{1} << 20;  // read ahead while an answer is under way
constexpr std::size_t kept_bytes_max = std::size_t{4} << 20;
constexpr std::chrono::seconds linger_time{2};

void log_failure(const std::exception_ptr& failure) {
    if (!failure) return;
    try {
        std::rethrow_exception(failure);
    } catch (const std::exception& e) {
        std::cerr << "sluice-sim: " << e.what() << '\n';
    }
}

}  // namespace

channel::channel(asio::ip::tcp::socket s, asio::ssl::context* context) : socket(std::move(s)) {
    if (context != nullptr) tls.emplace(socket, *context);
}

void channel::close(die_how how) {
    error_code ignored;
    if (how == die_how::rst) {
        socket.set_option(asio::socket_base::linger(true, 0), ignored);
    } else {
        socket.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
    }
    socket.close(ignored);
}

connection::connection(instance& owner, asio::ip::tcp::socket socket, asio::ssl::context* tls, std::uint64_t number)
    : owner_(owner),
      channel_(std::make_unique<channel>(std::move(socket), tls)),
      number_(number),
      buffer_(buffer_bytes),
      wake_(owner.context()) {
    owner_.server().stats().connection_opened();
}

connection::~connection() {
    owner_.server().stats().connection_closed();
}

void connection::start() {
    error_code ignored;
    channel_->socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    channel_->socket.non_blocking(true, ignored);
    if (!channel_->tls) return read();
    channel_->tls->async_handshake(asio::ssl::stream_base::server, [self = shared_from_this()](error_code ec) {
        if (!ec) self->read();
    });
}

void connection::read() {
    if (reading_ || gone_) return;
    reading_ = true;
    const auto room = asio::buffer(buffer_.data() + used_, buffer_.size() - used_);
    auto done = [self = shared_from_this()](error_code ec, std::size_t bytes) { self->on_read(ec, bytes); };
    if (channel_->tls) {
        channel_->tls->async_read_some(room, std::move(done));
    } else {
        channel_->socket.async_read_some(room, std::move(done));
    }
}

void connection::on_read(error_code ec, std::size_t bytes) {
    reading_ = false;
    if (gone_) return;
    if (ec) return client_gone();
    if (closing_) {
        used_ = at_ = 0;  // what still comes is thrown away
        return read();
    }
    used_ += bytes;
    if (!busy_) return pump();
    if (used_ - at_ >= pipelined_max) return;  // from here on nobody notices a hang-up
    make_room();
    read();
}

// Answers every complete request in the buffer, then reads on.
void connection::pump() {
    while (!busy_ && !closing_ && !gone_) {
        const auto status = parser_.parse({buffer_.data() + at_, used_ - at_}, request_);
        if (status == request_parser::status::bad) {
            send("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            refused_ = true;
            if (!busy_) linger();
            break;
        }
        if (status == request_parser::status::more) {
            if (parser_.wants_continue() && !told_continue_) {
                told_continue_ = true;
                send("HTTP/1.1 100 Continue\r\n\r\n");
            }
            break;
        }
        serve();
    }
    if (gone_) return;
    make_room();
    read();
}

void connection::make_room() {
    if (reading_) return;
    if (at_ > 0) {
        std::memmove(buffer_.data(), buffer_.data() + at_, used_ - at_);
        used_ -= at_;
        at_ = 0;
    }
    if (used_ == 0 && buffer_.size() > kept_bytes_max) buffer_ = std::vector<char>(buffer_bytes);
    if (parser_.expected() > buffer_.size()) buffer_.resize(parser_.expected());
    if (used_ == buffer_.size()) buffer_.resize(buffer_.size() * 2);
}

void connection::serve() {
    model_server& server = owner_.server();
    began_ = steady::now();
    wake_.cancel();  // no longer idle
    server.stats().request_began(request_.head, request_.body.size(), number_);
    reply_.clear();
    server.handle(request_, reply_);
    keep_alive_ = request_.keep_alive;
    told_continue_ = false;
    path_ = request_.path;
    sent_ = sent_body_ = 0;
    events_sent_ = 0;
    const bool head_only = request_.method == "HEAD";
    if (reply_.how == reply::kind::realtime_socket || reply_.how == reply::kind::echo_socket) return upgrade();
    at_ += parser_.consumed();
    parser_.next();
    if (ordinary()) return answer_now(head_only);
    busy_ = true;
    asio::co_spawn(owner_.context(), play(shared_from_this()), log_failure);
}

// True when nothing has to be waited for.
bool connection::ordinary() const {
    if (!reply_.fault.harmless()) return false;
    return reply_.how == reply::kind::whole || (owner_.server().instant() && reply_.paced.events == 0);
}

void connection::answer_now(bool head_only) {
    render_at_once();
    out_.clear();
    if (reply_.how == reply::kind::stream) {
        write_head(out_, reply_, std::nullopt, keep_alive_);
        event_list events;
        write_events(events, reply_.said);
        for (std::size_t i = 0; i < events.size(); ++i) append_frame(out_, events.event(i));
        out_ += "0\r\n\r\n";
        events_sent_ = events.size();
    } else {
        write_head(out_, reply_, reply_.body.size(), keep_alive_);
        if (!head_only) out_ += reply_.body;
    }
    send(out_);
    if (!busy_) finish({});
}

// The engine's part when there is no simulated time.
void connection::render_at_once() {
    if (reply_.how == reply::kind::whole) return;
    model_server& server = owner_.server();
    reply_.said.cached_tokens = server.engine().run_at_once(reply_.sequence);
    server.stats().tokens(reply_.said.prompt_tokens, reply_.said.cached_tokens, reply_.said.completion_tokens());
    if (reply_.how == reply::kind::generated) write_whole(reply_.body, reply_.said);
}

// Writes now what the kernel takes, and the rest when it can; busy_ tells which. `bytes` is out_ or static.
void connection::send(std::string_view bytes) {
    error_code ec;
    std::size_t written = 0;
    if (!channel_->tls) written = channel_->socket.write_some(asio::buffer(bytes), ec);
    if (ec && ec != asio::error::would_block) return client_gone();
    if (written == bytes.size()) return;
    busy_ = true;
    const auto rest = asio::buffer(bytes.substr(written));
    auto done = [self = shared_from_this()](error_code failed, std::size_t) {
        if (failed) return self->client_gone();
        if (self->refused_) return self->linger();
        // While told_continue_ stands, no request has been parsed since: these were interim bytes.
        if (!self->told_continue_ && !self->closing_) self->finish({});
        self->busy_ = false;
        self->pump();
    };
    if (channel_->tls) {
        asio::async_write(*channel_->tls, rest, std::move(done));
    } else {
        asio::async_write(channel_->socket, rest, std::move(done));
    }
}

// Books the request; without a word for it the outcome is the status. Closes if that was the last one.
void connection::finish(std::string_view outcome) {
    if (gone_) return;
    char digits[8];
    const auto end = std::to_chars(digits, digits + sizeof digits, reply_.status).ptr;
    owner_.server().stats().request_ended(
        path_, outcome.empty() ? std::string_view(digits, static_cast<std::size_t>(end - digits)) : outcome);
    busy_ = false;
    if (!keep_alive_) return linger();
    if (!reply_.fault.idle_close) return;
    wake_.expires_after(*reply_.fault.idle_close);
    wake_.async_wait([self = shared_from_this()](error_code ec) {
        if (ec || self->busy_ || self->gone_ || !self->channel_) return;
        self->gone_ = true;
        self->channel_->close(die_how::fin);
    });
}

void connection::client_gone() {
    if (gone_) return;
    gone_ = true;
    if (busy_ && !refused_ && !told_continue_) {
        owner_.server().stats().aborted({path_, began_, last_write_, events_sent_, sent_});
        owner_.server().stats().request_ended(path_, "aborted");
    }
    busy_ = false;
    error_code ignored;
    channel_->socket.close(ignored);
    wake_.cancel();
}

// Sends FIN and waits for the client's, so that it can read all we sent.
void connection::linger() {
    if (closing_ || gone_) return;
    closing_ = true;
    if (channel_->tls) {
        channel_->tls->async_shutdown([self = shared_from_this()](error_code) {});
    } else {
        error_code ignored;
        channel_->socket.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    }
    wake_.expires_after(linger_time);
    wake_.async_wait([self = shared_from_this()](error_code ec) {
        if (ec || self->gone_) return;
        self->gone_ = true;
        self->channel_->close(die_how::fin);
    });
}

void connection::upgrade() {
    owner_.server().stats().request_ended(path_, "websocket");
    gone_ = true;
    if (reading_) return channel_->close(die_how::rst);  // pipelined behind a slow answer: nobody does that
    std::string head(request_.head);
    head += "\r\n\r\n";
    start_websocket(owner_, std::move(channel_), std::move(head), reply_.how);
}

}  // namespace sluice::sim
