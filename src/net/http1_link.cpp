#include "net/http1_link.hpp"

#include "http/message_writer.hpp"
#include "http/response_parser.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace sluice::net {
namespace {

constexpr std::size_t large_read = 64 * 1024;

error broken(std::string text) {
    return error{error_kind::upstream_reset, std::move(text)};
}

// Why no more bytes come.
error gone(std::optional<io_status> how, const char* at_end) {
    if (!how) return error{error_kind::overloaded, "The gateway is out of buffers."};
    return broken(how == io_status::eof ? at_end : "The upstream's connection broke.");
}

}  // namespace

http1_link::http1_link(std::unique_ptr<stream> s, buffer_pool& buffers, std::string pool_key)
    : stream_(std::move(s)), buffers_(buffers), pool_key_(std::move(pool_key)), born_(stream_->owner().now()) {}

bool http1_link::begin() {
    if (requests_ > 0 && !stream_->quiet()) return false;
    ++requests_;
    head_.clear();
    body_done_ = request_sent_ = got_bytes_ = false;
    handed_ = 0;
    return true;
}

awaitable<result<void>> http1_link::send(const outgoing_request& request, std::span<std::string_view> pieces,
                                         bool whole, std::chrono::milliseconds stall) {
    sends_chunks_ = request.body == framing::chunked;
    std::string head;
    http::write_request_head(head, request.method, request.target, request.host, request.headers, request.body,
                             request.length, true, request.upgrade);
    pieces.front() = head;
    const auto sent = co_await write(pieces, whole, stall);
    pieces.front() = {};
    co_return sent;
}

awaitable<result<void>> http1_link::send_body(std::string_view piece, bool last, std::chrono::milliseconds stall) {
    char size_line[18];
    std::array<std::string_view, 4> pieces{std::string_view{}, piece, std::string_view{}, std::string_view{}};
    if (sends_chunks_ && !piece.empty()) {
        pieces[0] = {size_line, http::write_chunk_size(size_line, piece.size())};
        pieces[2] = http::chunk_end;
    }
    if (sends_chunks_ && last) pieces[3] = http::last_chunk;
    if (piece.empty() && pieces[3].empty()) {
        request_sent_ |= last;
        co_return result<void>{};
    }
    co_return co_await write(pieces, last, stall);
}

awaitable<result<void>> http1_link::write(std::span<const std::string_view> pieces, bool last,
                                          std::chrono::milliseconds stall) {
    std::size_t total = 0;
    for (const std::string_view p : pieces) total += p.size();
    if (stream_->owner().put_off(total)) co_await stream_->owner().turn_end();
    // Nearly always the kernel takes it all at once: no frame for the wait that does not happen.
    const io_result first = stream_->write_some(pieces, 0);
    if (first.status != io_status::failed && first.bytes == total) {
        request_sent_ |= last;
        co_return result<void>{};
    }
    io_status how = first.status;
    if (how != io_status::failed) how = co_await stream_->write_all(pieces, stall, first.bytes);
    if (how == io_status::ok) {
        request_sent_ |= last;
        co_return result<void>{};
    }
    failed_ = true;
    if (how == io_status::again) {
        co_return error{error_kind::upstream_idle_timeout, "The upstream stopped reading the request."};
    }
    co_return broken("The upstream closed the connection while the request was sent.");
}

std::optional<io_status> http1_link::pull() {
    // The kernel tells of a broken connection only once, and of its end from then on.
    if (read_failed_) return io_status::failed;
    if (!stream_->may_read()) return io_status::again;
    const std::size_t wanted = left_ > buffer_pool::smallest ? large_read : buffer_pool::smallest;
    if (!in_) in_ = buffers_.acquire(wanted);
    if (!in_ || !in_.reserve(1)) return std::nullopt;
    const io_result r = stream_->read_some(in_.space());
    in_.commit(r.bytes);
    got_bytes_ |= r.bytes > 0;
    eof_ |= r.status == io_status::eof;
    read_failed_ |= r.status == io_status::failed;
    return r.status;
}

awaitable<ready> http1_link::more(std::chrono::steady_clock::time_point deadline) {
    if (in_.size() == 0) in_.release();
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - stream_->owner().now());
    return stream_->readable(std::max(left, std::chrono::milliseconds{0}));
}

awaitable<result<response_head*>> http1_link::receive_head(std::string_view method, std::chrono::milliseconds timeout) {
    const auto deadline = stream_->owner().now() + timeout;
    const http::head_limits limits;
    std::size_t scanned = 0;
    int interim = 0;
    left_ = 0;
    for (;;) {
        const http::parsed p = http::parse_response_head(in_.data(), scanned, limits, method, head_);
        if (p.state == http::progress::bad) {
            failed_ = true;
            co_return error{error_kind::upstream_protocol,
                            "The upstream's answer is not valid HTTP: " + std::string(p.why.reason) + "."};
        }
        if (p.state == http::progress::done) {
            in_.consume(p.consumed);
            scanned = 0;
            if (head_.status >= 200 || head_.status == 101) {
                start_body();
                co_return &head_;
            }
            if (++interim > 16) {
                failed_ = true;
                co_return error{error_kind::upstream_protocol, "The upstream sent too many interim answers."};
            }
            continue;
        }
        const std::optional<io_status> got = pull();
        if (got == io_status::ok) continue;
        if (got != io_status::again) {
            failed_ = true;
            co_return gone(got, "The upstream closed the connection before it answered.");
        }
        const ready how = co_await more(deadline);
        if (how == ready::timeout) {
            failed_ = true;
            co_return error{error_kind::upstream_first_byte_timeout, "The upstream did not answer in time."};
        }
    }
}

void http1_link::start_body() {
    body_ = head_.status == 101 ? framing::none : head_.body;
    left_ = head_.content_length;
    if (body_ == framing::length && left_ == 0) body_ = framing::none;
    if (body_ == framing::chunked) chunks_.reset();
    body_done_ = body_ == framing::none;
}

result<std::optional<body_piece>> http1_link::take() {
    in_.consume(handed_);
    handed_ = 0;
    if (body_done_) return std::optional(body_piece{{}, true});
    const std::string_view here = in_.data();
    if (body_ == framing::length) {
        if (here.empty()) return std::optional<body_piece>{};
        handed_ = static_cast<std::size_t>(std::min<std::uint64_t>(left_, here.size()));
        left_ -= handed_;
        body_done_ = left_ == 0;
        return std::optional(body_piece{here.substr(0, handed_), body_done_});
    }
    if (body_ == framing::until_close) {
        if (here.empty() && !eof_) return std::optional<body_piece>{};
        handed_ = here.size();
        body_done_ = eof_;
        return std::optional(body_piece{here, body_done_});
    }
    return take_chunks();
}

// Data of all chunks that are here, moved together in place: one piece and so one write, however small
// the upstream's chunks were.
result<std::optional<body_piece>> http1_link::take_chunks() {
    char* const start = in_.mutable_data();
    char* data = nullptr;
    std::size_t size = 0, eaten = 0;
    while (eaten < in_.size() && !body_done_) {
        const auto step = chunks_.feed(in_.data().substr(eaten));
        if (step.state == http::progress::bad) {
            failed_ = true;
            return error{error_kind::upstream_protocol,
                         "The upstream's chunks are malformed: " + std::string(step.reason) + "."};
        }
        if (!step.data.empty()) {
            char* const from = start + (step.data.data() - start);
            if (data == nullptr) data = from;
            if (data + size != from) std::memmove(data + size, from, step.data.size());
            size += step.data.size();
        }
        eaten += step.consumed;
        body_done_ = step.state == http::progress::done;
    }
    if (size == 0) {
        in_.consume(eaten);
        if (body_done_) return std::optional(body_piece{{}, true});
        return std::optional<body_piece>{};
    }
    handed_ = eaten;
    return std::optional(body_piece{{data, size}, body_done_});
}

awaitable<result<body_piece>> http1_link::receive(std::chrono::milliseconds timeout) {
    const auto deadline = stream_->owner().now() + timeout;
    for (;;) {
        auto here = take();
        if (!here) co_return here.error();
        if (*here) co_return **here;
        const std::optional<io_status> got = pull();
        if (got == io_status::ok || (got == io_status::eof && body_ == framing::until_close)) continue;
        if (got != io_status::again) {
            failed_ |= got == io_status::eof;
            co_return gone(got, "The upstream closed the connection in the middle of its answer.");
        }
        const ready how = co_await more(deadline);
        if (how == ready::timeout) co_return error{error_kind::upstream_idle_timeout, {}};  // the caller may call again
    }
}

std::optional<result<body_piece>> http1_link::receive_now() {
    for (;;) {
        auto here = take();
        if (!here) return here.error();
        if (*here) return **here;
        if (pull() != io_status::ok) return std::nullopt;
    }
}

bool http1_link::buffered() {
    if (body_done_ || in_.size() > handed_ || eof_) return true;
    in_.consume(std::exchange(handed_, 0));
    return pull() != io_status::again;
}

bool http1_link::reusable() const {
    return body_done_ && request_sent_ && !failed_ && !read_failed_ && !eof_ && head_.keep_alive &&
           head_.status != 101 && body_ != framing::until_close && in_.size() == handed_ && !stream_->hung_up();
}

void http1_link::rest() {
    in_.release();
    handed_ = 0;
}

}  // namespace sluice::net
