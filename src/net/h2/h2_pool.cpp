#include "net/h2/h2_pool.hpp"

#include "net/bell.hpp"
#include "net/h2/h2_pump.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

namespace sluice::net {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using std::chrono::milliseconds;
using time_point = std::chrono::steady_clock::time_point;

constexpr std::size_t send_ahead = 64 << 10;  // of a request's body, before the peer makes room
constexpr std::uint32_t refused_stream = 7;
// One that was made so lately is as good as one's own to somebody who may use none of the pool: when a connection goes,
// all its requests come at once.
constexpr auto fresh = 1s;

error broken(std::string text) {
    return error{error_kind::upstream_reset, std::move(text)};
}

}  // namespace

// --- one connection -------------------------------------------------------------------------------------------------

class h2_pool::link final : public std::enable_shared_from_this<link>, private h2_events {
public:
    link(h2_pool& home, const upstream_endpoint& to)
        : home_(&home), key_(to.pool_key), scheme_(to.tls ? "https" : "http"), born_(home.loop_.now()) {}

    const std::string& key() const { return key_; }
    time_point born() const { return born_; }
    bool has_room() const;

    // --- while it is being made ---
    enum class making : std::uint8_t { under_way, done, failed, given_up };
    making state() const { return state_; }
    const error& failure() const { return failure_; }
    std::vector<bell*> waiting;
    void start(std::unique_ptr<stream> socket);
    void fail(making how, error why);
    // The pool is going, or the connection is of no use any more.
    void stop();

    // --- for calls ---
    void attach() { ++users_; }
    void detach() { --users_; }
    std::int32_t open(call& c, const outgoing_request& r);
    void close(std::int32_t stream, std::size_t unread, bool over);
    void send(std::int32_t stream, std::string_view bytes, bool last) {
        pump_->session().send(stream, bytes, last);
        pump_->flush();
    }
    std::size_t queued(std::int32_t stream) const { return pump_->session().queued(stream); }
    void consume(std::int32_t stream, std::size_t bytes) {
        pump_->session().consume(stream, bytes);
        pump_->flush();
    }

private:
    void on_headers(std::int32_t stream, int status, const header_list& fields, bool last) override;
    void on_data(std::int32_t stream, std::string_view bytes) override;
    void on_end(std::int32_t stream) override;
    void on_closed(std::int32_t stream, std::uint32_t code) override;
    void on_sent(std::int32_t stream) override;
    call* find(std::int32_t stream) const {
        const auto found = calls_.find(stream);
        return found == calls_.end() ? nullptr : found->second;
    }
    awaitable<void> run();

    h2_pool* home_;  // null: gone
    const std::string key_;
    const std::string_view scheme_;
    const time_point born_;
    std::shared_ptr<h2_pump> pump_;
    std::map<std::int32_t, call*> calls_;
    making state_ = making::under_way;
    error failure_;
    std::size_t users_ = 0;  // calls, with a stream or about to have one
    int requests_ = 0;
};

// --- one request on it ----------------------------------------------------------------------------------------------

class h2_pool::call final : public upstream_connection {
public:
    call(std::shared_ptr<link> on, reactor& loop, bool reused)
        : on_(std::move(on)), bell_(loop.executor()), reused_(reused) {
        on_->attach();
    }
    ~call() override {
        on_->detach();
        if (stream_ != 0) on_->close(stream_, arrived_.size() + handed_.size(), closed_);
    }

    awaitable<result<void>> send(const outgoing_request& request, std::span<std::string_view> pieces, bool whole,
                                 milliseconds timeout) override;
    awaitable<result<void>> send_body(std::string_view piece, bool last, milliseconds timeout) override;
    awaitable<result<response_head*>> receive_head(std::string_view method, milliseconds timeout) override;
    awaitable<result<body_piece>> receive(milliseconds timeout) override;
    std::optional<result<body_piece>> receive_now() override;
    bool buffered() override { return !arrived_.empty() || ended_ || closed_; }
    bool answered() override { return got_head_ || closed_; }
    // What was refused has not been looked at either.
    bool reused() const override { return reused_ || refused_; }
    bool got_bytes() const override { return got_head_; }

    // --- by the connection ---
    void head(int status, const header_list& fields, bool last);
    void data(std::string_view bytes) {
        arrived_.append(bytes);
        bell_.ring();
    }
    void end() {
        ended_ = true;
        bell_.ring();
    }
    void closed(std::uint32_t code);
    void broke(std::string why);
    void sent() {
        if (wants_room_) bell_.ring();
    }

private:
    awaitable<result<void>> room(milliseconds timeout);
    error failure() const { return broken(why_); }

    const std::shared_ptr<link> on_;
    bell bell_;
    std::int32_t stream_ = 0;
    response_head head_;
    std::string arrived_, handed_;  // of the body: not asked for yet, and in the caller's hands
    std::string why_;               // it broke
    bool reused_, refused_ = false;
    bool got_head_ = false, ended_ = false, closed_ = false, broke_ = false, wants_room_ = false;
    bool cut_ = false;  // it was answered before all of it was sent
};

void h2_pool::call::head(int status, const header_list& fields, bool last) {
    if (got_head_) return;  // trailers
    got_head_ = true;
    head_.status = status;
    head_.headers = fields;
    head_.body = last ? framing::none : framing::chunked;  // as far as others are concerned: its end is told
    if (const auto length = fields.find("content-length"); length && !last) {
        const auto [end, failed] =
            std::from_chars(length->data(), length->data() + length->size(), head_.content_length);
        if (failed == std::errc{} && end == length->data() + length->size()) head_.body = framing::length;
    }
    ended_ |= last;
    bell_.ring();
}

void h2_pool::call::closed(std::uint32_t code) {
    // Behind a whole answer it only says that no more of the request is wanted (RFC 9113, 8.1).
    refused_ = !ended_ && code == refused_stream;
    broke("The upstream reset the request with code " + std::to_string(code) + ".");
}

void h2_pool::call::broke(std::string why) {
    closed_ = true;
    if (!ended_) {
        broke_ = true;
        why_ = std::move(why);
    }
    bell_.ring();
}

awaitable<result<void>> h2_pool::call::room(milliseconds timeout) {
    wants_room_ = true;
    auto until = std::chrono::steady_clock::now() + timeout;
    for (std::size_t left = on_->queued(stream_); left > send_ahead && !closed_ && !got_head_;) {
        co_await bell_.wait(until);
        const std::size_t now = on_->queued(stream_);
        if (now < left) {
            until = std::chrono::steady_clock::now() + timeout;
        } else if (std::chrono::steady_clock::now() >= until) {
            co_return error{error_kind::upstream_idle_timeout, "The upstream stopped reading the request."};
        }
        left = now;
    }
    wants_room_ = false;
    if (broke_) co_return failure();
    co_return result<void>{};
}

awaitable<result<void>> h2_pool::call::send(const outgoing_request& request, std::span<std::string_view> pieces,
                                            bool whole, milliseconds timeout) {
    stream_ = on_->open(*this, request);
    if (stream_ == 0) {
        refused_ = true;
        co_return broken("The upstream's connection takes no more requests.");
    }
    for (std::size_t i = 1; i < pieces.size(); ++i) {
        auto sent = co_await send_body(pieces[i], false, timeout);
        if (!sent) co_return sent.error();
    }
    if (whole && !closed_ && !cut_) on_->send(stream_, {}, true);
    co_return result<void>{};
}

awaitable<result<void>> h2_pool::call::send_body(std::string_view piece, bool last, milliseconds timeout) {
    cut_ |= got_head_;
    while (!piece.empty() && !closed_ && !cut_) {
        // Copied in portions, so that a large body is not here twice.
        const std::string_view portion = piece.substr(0, send_ahead);
        piece.remove_prefix(portion.size());
        on_->send(stream_, portion, false);
        if (on_->queued(stream_) <= send_ahead) continue;
        auto there = co_await room(timeout);
        if (!there) co_return there.error();
        cut_ |= got_head_;
    }
    if (broke_) co_return failure();
    if (last && !closed_ && !cut_) on_->send(stream_, {}, true);
    co_return result<void>{};
}

awaitable<result<response_head*>> h2_pool::call::receive_head(std::string_view, milliseconds timeout) {
    const auto until = std::chrono::steady_clock::now() + timeout;
    while (!got_head_) {
        if (broke_) co_return failure();
        if (std::chrono::steady_clock::now() >= until)
            co_return error{error_kind::upstream_first_byte_timeout, "The upstream did not answer in time."};
        co_await bell_.wait(until);
    }
    co_return &head_;
}

std::optional<result<body_piece>> h2_pool::call::receive_now() {
    if (!handed_.empty()) {
        // It has been passed on: the peer may send so much more.
        on_->consume(stream_, handed_.size());
        handed_.clear();
    }
    if (!arrived_.empty()) {
        std::swap(arrived_, handed_);
        return body_piece{handed_, ended_};
    }
    if (ended_) return body_piece{{}, true};
    if (broke_) return failure();
    return std::nullopt;
}

awaitable<result<body_piece>> h2_pool::call::receive(milliseconds timeout) {
    const auto until = std::chrono::steady_clock::now() + timeout;
    for (;;) {
        auto here = receive_now();
        if (here) co_return std::move(*here);
        if (std::chrono::steady_clock::now() >= until) co_return error{error_kind::upstream_idle_timeout, {}};
        co_await bell_.wait(until);
    }
}

// --- the connection, again ------------------------------------------------------------------------------------------

bool h2_pool::link::has_room() const {
    if (home_ == nullptr) return false;
    if (state_ == making::under_way) return waiting.size() + 1 < requests_at_once_max;
    if (state_ != making::done) return false;
    const pool_limits& limits = home_->limits_;
    if (!pump_->alive() || !pump_->session().takes_requests()) return false;
    if (requests_ >= limits.requests || home_->loop_.now() - born_ >= limits.age) return false;
    return users_ < std::min(requests_at_once_max, pump_->session().streams_max());
}

void h2_pool::link::start(std::unique_ptr<stream> socket) {
    pump_ = std::make_shared<h2_pump>(std::move(socket), static_cast<h2_events&>(*this), home_->loop_.executor(),
                                      h2_pump_options{.idle = home_->limits_.idle_time});
    asio::co_spawn(
        home_->loop_.executor(), [](std::shared_ptr<link> l) { return l->run(); }(shared_from_this()), asio::detached);
    state_ = making::done;
    for (bell* b : waiting) b->ring();
}

void h2_pool::link::fail(making how, error why) {
    state_ = how;
    failure_ = std::move(why);
    for (bell* b : waiting) b->ring();
}

awaitable<void> h2_pool::link::run() {
    const auto alive = shared_from_this();
    co_await pump_->run();
    for (const auto& [stream, c] : std::exchange(calls_, {})) c->broke("The upstream's connection broke.");
    if (home_ != nullptr) home_->forget(*this);
}

void h2_pool::link::stop() {
    const auto alive = shared_from_this();
    home_ = nullptr;
    if (pump_) pump_->stop();
}

std::int32_t h2_pool::link::open(call& c, const outgoing_request& r) {
    if (!pump_->alive() || !pump_->session().takes_requests()) return 0;
    ++requests_;
    header_list fields;
    fields.add_from(r.headers, [](const header_list::field& f) { return !iequals(f.name, "content-length"); });
    if (r.body == framing::length) fields.add("content-length", std::to_string(r.length));
    const std::string_view target = r.target.empty() ? std::string_view("/") : r.target;
    const std::int32_t stream = pump_->session().open(r.method, scheme_, r.host, target, fields);
    if (stream == 0) return 0;
    calls_[stream] = &c;
    pump_->flush();
    return stream;
}

void h2_pool::link::close(std::int32_t stream, std::size_t unread, bool over) {
    calls_.erase(stream);
    if (!pump_->alive()) return;
    pump_->session().consume(stream, unread);
    if (!over) pump_->session().reset(stream);
    pump_->flush();
    // Of no more use to anybody: too old, or told to go away.
    if (calls_.empty() && home_ != nullptr && !has_room()) {
        const auto alive = shared_from_this();
        home_->forget(*this);
        stop();
    }
}

void h2_pool::link::on_headers(std::int32_t stream, int status, const header_list& fields, bool last) {
    if (call* const c = find(stream)) c->head(status, fields, last);
}

void h2_pool::link::on_data(std::int32_t stream, std::string_view bytes) {
    if (call* const c = find(stream)) {
        c->data(bytes);
    } else {
        pump_->session().consume(stream, bytes.size());
    }
}

void h2_pool::link::on_end(std::int32_t stream) {
    if (call* const c = find(stream)) c->end();
}

void h2_pool::link::on_closed(std::int32_t stream, std::uint32_t code) {
    if (call* const c = find(stream)) c->closed(code);
}

void h2_pool::link::on_sent(std::int32_t stream) {
    if (call* const c = find(stream)) c->sent();
}

// --- the pool -------------------------------------------------------------------------------------------------------

h2_pool::h2_pool(reactor& loop, dialer& d, pool_limits limits) : loop_(loop), dialer_(d), limits_(limits) {}

h2_pool::~h2_pool() {
    for (auto& [key, all] : std::exchange(links_, {})) {
        for (const auto& l : all) l->stop();
    }
}

std::size_t h2_pool::connections() const {
    std::size_t n = 0;
    for (const auto& [key, all] : links_) n += all.size();
    return n;
}

void h2_pool::forget(link& gone) {
    const auto found = links_.find(gone.key());
    if (found == links_.end()) return;
    std::erase_if(found->second, [&](const auto& l) { return l.get() == &gone; });
    if (found->second.empty()) links_.erase(found);
}

std::shared_ptr<h2_pool::link> h2_pool::with_room(const upstream_endpoint& e, reuse which) {
    const auto found = links_.find(e.pool_key);
    if (found == links_.end()) return nullptr;
    const auto oldest = which == reuse::allowed ? time_point{} : loop_.now() - fresh;
    for (const auto& l : found->second) {
        if (l->born() >= oldest && l->has_room()) return l;
    }
    return nullptr;
}

std::unique_ptr<upstream_connection> h2_pool::pooled(const upstream_endpoint& e) {
    auto l = with_room(e, reuse::allowed);
    if (!l || l->state() != link::making::done) return nullptr;
    return std::make_unique<call>(std::move(l), loop_, true);
}

// Takes a connection that did not come about out of the pool, and tells those who wait for it.
class h2_pool::dialling {
public:
    dialling(h2_pool& home, link& l) : home_(home), link_(l) {}
    ~dialling() {
        if (link_.state() == link::making::done) return;
        if (link_.state() == link::making::under_way) link_.fail(link::making::given_up, {});
        home_.forget(link_);
    }

private:
    h2_pool& home_;
    link& link_;
};

// For as long as somebody waits.
class h2_pool::wait_scope {
public:
    wait_scope(link& l, bell& b) : link_(l), bell_(b) { l.waiting.push_back(&b); }
    ~wait_scope() { std::erase(link_.waiting, &bell_); }

private:
    link& link_;
    bell& bell_;
};

awaitable<result<std::unique_ptr<upstream_connection>>> h2_pool::open(const upstream_endpoint& e, reuse which) {
    while (const auto l = with_room(e, which)) {
        if (l->state() == link::making::done) {
            co_return std::unique_ptr<upstream_connection>(std::make_unique<call>(l, loop_, true));
        }
        bell here(loop_.executor());
        const wait_scope waits(*l, here);
        while (l->state() == link::making::under_way) co_await here.wait(loop_.now() + 1s);
        if (l->state() == link::making::failed) co_return l->failure();
        // Given up: who made it was cancelled, and somebody else does.
    }
    const auto l = std::make_shared<link>(*this, e);
    links_[e.pool_key].push_back(l);
    const dialling making(*this, *l);
    auto socket = co_await dialer_.dial(e);
    if (!socket) {
        l->fail(link::making::failed, socket.error());
        co_return socket.error();
    }
    l->start(std::move(*socket));
    co_return std::unique_ptr<upstream_connection>(std::make_unique<call>(l, loop_, false));
}

}  // namespace sluice::net
