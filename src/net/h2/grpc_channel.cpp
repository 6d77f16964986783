#include "net/h2/grpc_call.hpp"

#include "net/bell.hpp"
#include "net/h2/h2_pump.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

namespace sluice::net {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

class connection;

class call_state final : public grpc_call {
public:
    call_state(std::shared_ptr<connection> on, services& s, const grpc_options& options)
        : on_(std::move(on)), bell_(s.executor()), options_(options), reader_(options.message_bytes_max) {}
    ~call_state() override;

    void send(std::string_view message, bool last) override;
    void finish() override;
    std::size_t queued_bytes() const override;
    void want_writable(std::size_t low_water) override {
        low_water_ = low_water;
        waits_for_room_ = true;
    }
    awaitable<grpc_event> next(milliseconds timeout) override;

    // --- by the connection ---
    void opened(std::int32_t stream) { stream_ = stream; }
    std::int32_t stream() const { return stream_; }
    std::size_t unconsumed() const { return unconsumed_; }
    void headers(int status, const header_list& fields, bool last);
    void data(std::string_view bytes);
    void closed(std::uint32_t code);
    void sent() {
        if (waits_for_room_ && queued_bytes() <= low_water_) bell_.ring();
    }
    void end(grpc_status how);
    std::string path;
    header_list metadata;
    std::string early;  // queued before there was a stream
    bool early_last = false;

private:
    std::optional<grpc_event> ready();

    const std::shared_ptr<connection> on_;
    bell bell_;
    const grpc_options options_;
    grpc_reader reader_;
    std::int32_t stream_ = 0;
    std::size_t unconsumed_ = 0, low_water_ = 0;
    bool waits_for_room_ = false, got_headers_ = false;
    std::optional<grpc_status> status_;  // said by the peer, not yet final
    std::optional<grpc_status> ended_;
};

// The connection behind a channel: made when it is needed, and replaced when it broke.
class connection final : public std::enable_shared_from_this<connection>, private h2_events {
public:
    connection(upstream_endpoint to, dialer& d, services& s, const grpc_options& options)
        : to_(std::move(to)), dialer_(d), services_(s), options_(options) {}

    void add(call_state& c);
    void remove(call_state& c);
    void send(std::int32_t stream, std::string_view bytes, bool last) {
        if (!pump_) return;
        pump_->session().send(stream, bytes, last);
        pump_->flush();
    }
    std::size_t queued(std::int32_t stream) const { return pump_ ? pump_->session().queued(stream) : 0; }
    // While data arrives; what that leads to is sent when it has been read.
    void consume(std::int32_t stream, std::size_t bytes) {
        if (pump_) pump_->session().consume(stream, bytes);
    }
    void consume_later(std::int32_t stream, std::size_t bytes) {
        consume(stream, bytes);
        if (pump_) pump_->flush();
    }
    // Was it told to take no more calls?
    bool leaving() const { return pump_ && !pump_->session().takes_requests(); }
    void stop();
    // Another one to the same address.
    std::shared_ptr<connection> again() const {
        return std::make_shared<connection>(to_, dialer_, services_, options_);
    }

private:
    // h2_events
    void on_headers(std::int32_t stream, int status, const header_list& fields, bool last) override {
        pause_ = 0ms;
        if (call_state* c = find(stream)) c->headers(status, fields, last);
    }
    void on_data(std::int32_t stream, std::string_view bytes) override {
        if (call_state* c = find(stream)) {
            c->data(bytes);
        } else {
            pump_->session().consume(stream, bytes.size());
        }
    }
    void on_end(std::int32_t) override {}
    void on_closed(std::int32_t stream, std::uint32_t code) override;
    void on_sent(std::int32_t stream) override {
        if (call_state* c = find(stream)) c->sent();
    }

    call_state* find(std::int32_t stream) const {
        const auto found = calls_.find(stream);
        return found == calls_.end() ? nullptr : found->second;
    }
    void open(call_state& c);
    awaitable<void> run();
    void broke(std::string why);

    const upstream_endpoint to_;
    dialer& dialer_;
    services& services_;
    const grpc_options options_;
    std::shared_ptr<h2_pump> pump_;
    std::map<std::int32_t, call_state*> calls_;
    std::set<call_state*> waiting_;  // for a connection
    bool running_ = false, stopped_ = false;
    milliseconds pause_{0};
    clock::time_point not_before_{};
};

// --- call -----------------------------------------------------------------------------------------------

call_state::~call_state() {
    on_->remove(*this);
}

void call_state::send(std::string_view message, bool last) {
    const std::string framed = frame_message(message);
    if (stream_ != 0) return on_->send(stream_, framed, last);
    early += framed;
    early_last = early_last || last;
}

void call_state::finish() {
    if (stream_ != 0) return on_->send(stream_, {}, true);
    early_last = true;
}

std::size_t call_state::queued_bytes() const {
    return stream_ != 0 ? on_->queued(stream_) : early.size();
}

void call_state::headers(int status, const header_list& fields, bool last) {
    if (!got_headers_) {
        got_headers_ = true;
        if (auto wrong = status_of_headers(status, fields)) return end(std::move(*wrong));
        if (!last) return;
    }
    status_ = status_of_trailers(fields);
}

void call_state::data(std::string_view bytes) {
    if (ended_) return on_->consume(stream_, bytes.size());
    if (auto wrong = reader_.add(bytes)) return end(std::move(*wrong));
    // A message that is not complete must be able to become so.
    if (reader_.ready_bytes() < options_.unread_bytes_max) {
        on_->consume(stream_, bytes.size());
    } else {
        unconsumed_ += bytes.size();
    }
    if (reader_.ready_bytes() > 0 || reader_.between_messages()) bell_.ring();
}

void call_state::closed(std::uint32_t code) {
    constexpr std::uint32_t refused = 7, cancel = 8;
    if (status_) return end(std::move(*status_));
    if (code == 0) return end({grpc_unknown, "the call ended without a status"});
    end({code == refused  ? grpc_unavailable
         : code == cancel ? grpc_cancelled
                          : grpc_internal,
         "the stream was reset with code " + std::to_string(code)});
}

void call_state::end(grpc_status how) {
    if (!ended_) ended_ = std::move(how);
    bell_.ring();
}

std::optional<grpc_event> call_state::ready() {
    grpc_event e;
    if (auto message = reader_.next()) {
        e.what = grpc_event::kind::message;
        e.message = std::move(*message);
        if (unconsumed_ > 0 && reader_.ready_bytes() < options_.unread_bytes_max)
            on_->consume_later(stream_, std::exchange(unconsumed_, 0));
        return e;
    }
    if (ended_) {
        e.what = grpc_event::kind::ended;
        e.status = *ended_;
        return e;
    }
    if (waits_for_room_ && queued_bytes() <= low_water_) {
        waits_for_room_ = false;
        e.what = grpc_event::kind::writable;
        return e;
    }
    return std::nullopt;
}

awaitable<grpc_event> call_state::next(milliseconds timeout) {
    const auto until = std::chrono::steady_clock::now() + timeout;
    for (;;) {
        auto now = ready();
        if (now) co_return std::move(*now);
        if (std::chrono::steady_clock::now() >= until) co_return grpc_event{};
        co_await bell_.wait(until);
    }
}

// --- connection -----------------------------------------------------------------------------------------

void connection::add(call_state& c) {
    if (stopped_) return c.end({grpc_unavailable, "the channel is closed"});
    if (pump_ && pump_->alive() && pump_->session().takes_requests()) return open(c);
    if (!running_ && services_.time().now() < not_before_)
        return c.end({grpc_unavailable, "connecting failed a moment ago"});
    waiting_.insert(&c);
    if (std::exchange(running_, true)) return;
    asio::co_spawn(services_.executor(), run(), asio::detached);
}

void connection::remove(call_state& c) {
    waiting_.erase(&c);
    const std::int32_t stream = c.stream();
    if (stream == 0 || calls_.erase(stream) == 0 || !pump_) return;
    pump_->session().consume(stream, c.unconsumed());
    pump_->session().reset(stream);
    pump_->flush();
}

void connection::open(call_state& c) {
    const std::int32_t stream =
        pump_->session().open("POST", to_.tls ? "https" : "http", to_.host_header, c.path, c.metadata);
    if (stream == 0) return c.end({grpc_unavailable, "the connection takes no more calls"});
    calls_[stream] = &c;
    c.opened(stream);
    pump_->session().send(stream, c.early, c.early_last);
    c.early.clear();
    pump_->flush();
}

void connection::on_closed(std::int32_t stream, std::uint32_t code) {
    const auto found = calls_.find(stream);
    if (found == calls_.end()) return;
    call_state* const c = found->second;
    calls_.erase(found);
    c->closed(code);
}

void connection::stop() {
    const auto alive = shared_from_this();
    stopped_ = true;
    broke("the channel is closed");
    if (pump_) pump_->stop();  // ends run()
}

void connection::broke(std::string why) {
    const auto open = std::exchange(calls_, {});
    const auto waiting = std::exchange(waiting_, {});
    for (const auto& [stream, c] : open) c->end({grpc_unavailable, why});
    for (call_state* c : waiting) c->end({grpc_unavailable, why});
}

awaitable<void> connection::run() {
    const auto alive = shared_from_this();
    auto dialled = co_await dialer_.dial(to_);
    if (!dialled || stopped_) {
        pause_ = std::clamp<milliseconds>(pause_ * 2, 100ms, 10'000ms);
        not_before_ = services_.time().now() + pause_;
        broke(dialled ? "the channel is closed" : describe(dialled.error()));
    } else {
        pump_ = std::make_shared<h2_pump>(std::move(*dialled), static_cast<h2_events&>(*this), services_.executor(),
                                          h2_pump_options{.keepalive = options_.keepalive});
        for (call_state* c : std::exchange(waiting_, {})) open(*c);
        co_await pump_->run();
        broke("the connection broke");
        pump_.reset();
    }
    running_ = false;
}

// --- channel --------------------------------------------------------------------------------------------

class channel final : public grpc_channel {
public:
    channel(upstream_endpoint to, dialer& d, services& s, const grpc_options& options)
        : connection_(std::make_shared<connection>(std::move(to), d, s, options)), services_(s), options_(options) {}
    ~channel() override {
        connection_->stop();
        for (const auto& c : leaving_) {
            if (const auto old = c.lock()) old->stop();
        }
    }

    std::unique_ptr<grpc_call> call(std::string_view path, const header_list& metadata) override {
        // One that was told to go away serves its calls to their ends, and no others.
        if (connection_->leaving()) {
            std::erase_if(leaving_, [](const auto& c) { return c.expired(); });
            leaving_.push_back(connection_);
            connection_ = connection_->again();
        }
        auto c = std::make_unique<call_state>(connection_, services_, options_);
        c->path = path;
        c->metadata.add("te", "trailers");
        c->metadata.add("content-type", "application/grpc");
        for (const auto f : metadata) c->metadata.add(f.name, f.value);
        connection_->add(*c);
        return c;
    }

private:
    std::shared_ptr<connection> connection_;
    std::vector<std::weak_ptr<connection>> leaving_;
    services& services_;
    const grpc_options options_;
};

}  // namespace

std::unique_ptr<grpc_channel> make_grpc_channel(upstream_endpoint to, dialer& d, services& s,
                                                const grpc_options& options) {
    return std::make_unique<channel>(std::move(to), d, s, options);
}

awaitable<result<std::string>> unary_call(grpc_channel& channel, std::string path, std::string message,
                                          milliseconds timeout) {
    const auto until = std::chrono::steady_clock::now() + timeout;
    const auto call = channel.call(path, {});
    call->send(message, true);
    std::optional<std::string> reply;
    for (;;) {
        const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
        grpc_event e = co_await call->next(std::max(milliseconds(0), left));
        if (e.what == grpc_event::kind::message) {
            reply = std::move(e.message);
        } else if (e.what == grpc_event::kind::timeout) {
            co_return error{error_kind::upstream_first_byte_timeout, path + " was not answered in time."};
        } else if (e.what == grpc_event::kind::ended) {
            if (e.status.code == grpc_ok && reply) co_return std::move(*reply);
            co_return error{error_kind::upstream_reset,
                            path + " failed with code " + std::to_string(e.status.code) + ": " + e.status.message};
        }
    }
}

awaitable<bool> check_health(grpc_channel& channel, std::string service, milliseconds timeout) {
    // HealthCheckRequest{service = 1}, HealthCheckResponse{status = 1}, 1: SERVING.
    constexpr std::size_t name_max = 127;
    std::string request;
    if (!service.empty() && service.size() <= name_max) {
        request += '\x0a';
        request += static_cast<char>(service.size());
        request += service;
    }
    const auto reply = co_await unary_call(channel, "/grpc.health.v1.Health/Check", std::move(request), timeout);
    co_return reply && *reply == std::string_view("\x08\x01", 2);
}

}  // namespace sluice::net
