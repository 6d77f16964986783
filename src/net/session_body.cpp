#include "net/session_body.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace sluice::net {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t discard_max = 64 * 1024;
constexpr std::size_t collect_step = 256 * 1024;  // borrowed at first, however much is announced
// Read at once: what was just written by the kernel is then still in the core's second cache when it is validated.
constexpr std::size_t read_max = 256 * 1024;
// Bytes that a reader of JSON is shown at a time, at least: many small steps would cost more than they win.
constexpr std::size_t shown_step = 64 * 1024;
constexpr std::int64_t slowest_bytes_per_ms = 16;

}  // namespace

session_body::session_body(stream& s, buffer& in, buffer_pool& buffers, const request_head& head,
                           std::chrono::milliseconds stall, std::uint64_t bytes_max)
    : stream_(s),
      in_(in),
      buffers_(buffers),
      head_(head),
      stall_(stall),
      bytes_max_(bytes_max),
      left_(head.body == framing::length ? head.content_length : 0),
      complete_(head.body == framing::none || (head.body == framing::length && head.content_length == 0)),
      continue_due_(head.expect_continue) {}

std::optional<std::uint64_t> session_body::length() const {
    if (head_.body == framing::chunked) return std::nullopt;
    return head_.content_length;
}

error session_body::fail(error_kind kind, std::string text) {
    failed_ = true;
    return error{kind, std::move(text)};
}

awaitable<result<void>> session_body::send_continue() {
    continue_due_ = false;
    static constexpr std::array<std::string_view, 1> interim{"HTTP/1.1 100 Continue\r\n\r\n"};
    const io_status how = co_await stream_.write_all(interim, stall_);
    if (how != io_status::ok) co_return fail(error_kind::client_gone, {});
    co_return result<void>{};
}

awaitable<result<std::size_t>> session_body::fill(buffer& into, std::uint64_t most) {
    if (continue_due_) {
        auto sent = co_await send_continue();
        if (!sent) co_return sent.error();
    }
    for (;;) {
        if (stream_.may_read()) {
            if (!into) into = buffers_.acquire(static_cast<std::size_t>(std::min<std::uint64_t>(most, collect_step)));
            // Growing copies what is there: by four times, so that it is little, where more is known to come.
            const std::uint64_t room = into.space().empty() ? std::min<std::uint64_t>(most, 3 * into.size()) : 1;
            if (!into || !into.reserve(std::max<std::uint64_t>(room, 1)))
                co_return fail(error_kind::overloaded, "The gateway is out of buffers.");
            const std::span<char> space = into.space();
            const io_result r = stream_.read_some(
                space.first(static_cast<std::size_t>(std::min<std::uint64_t>({most, space.size(), read_max}))));
            if (r.status == io_status::ok) {
                into.commit(r.bytes);
                co_return r.bytes;
            }
            if (r.status != io_status::again) co_return fail(error_kind::client_gone, "The client hung up.");
        }
        if (into.size() == 0) into.release();
        auto waited = co_await wait();
        if (!waited) co_return waited.error();
    }
}

awaitable<result<void>> session_body::wait() {
    const auto allowed =
        stall_ + std::chrono::milliseconds(static_cast<std::int64_t>(received_) / slowest_bytes_per_ms);
    // In the clock's own unit: waits of less than a millisecond count as well.
    const auto patience = std::min<std::chrono::steady_clock::duration>(stall_, allowed - waited_);
    const auto from = stream_.owner().now();
    ready how = ready::timeout;
    if (patience > 0ms) how = co_await stream_.readable(std::chrono::ceil<std::chrono::milliseconds>(patience));
    waited_ += stream_.owner().now() - from;
    if (how == ready::timeout) co_return fail(error_kind::request_timeout, "The request body came too slowly.");
    co_return result<void>{};
}

result<std::string_view> session_body::take() {
    in_.consume(handed_);
    handed_ = 0;
    if (head_.body == framing::length) {
        handed_ = static_cast<std::size_t>(std::min<std::uint64_t>(left_, in_.size()));
        left_ -= handed_;
        received_ += handed_;
        complete_ = left_ == 0;
        return in_.data().substr(0, handed_);
    }
    while (in_.size() > 0) {
        const auto step = chunks_.feed(in_.data());
        if (step.state == http::progress::bad) {
            return fail(error_kind::bad_request, "The chunked body is malformed: " + std::string(step.reason) + ".");
        }
        complete_ = step.state == http::progress::done;
        received_ += step.data.size();
        if (received_ > bytes_max_) return fail(error_kind::payload_too_large, "The request body is too large.");
        if (!step.data.empty()) {
            handed_ = step.consumed;
            return step.data;
        }
        in_.consume(step.consumed);
        if (complete_) break;
    }
    return std::string_view{};
}

awaitable<result<std::string_view>> session_body::read() {
    if (length().value_or(0) > bytes_max_)
        co_return fail(error_kind::payload_too_large, "The request body is too large.");
    while (!complete_) {
        auto piece = take();
        if (!piece) co_return piece.error();
        if (!piece->empty()) co_return *piece;
        if (complete_) break;
        auto more = co_await fill(in_, buffer_pool::smallest);
        if (!more) co_return more.error();
    }
    in_.consume(handed_);
    handed_ = 0;
    co_return std::string_view{};
}

std::optional<result<std::string_view>> session_body::collect_now(std::size_t bytes_max) {
    if (collected_ || in_place_) return collected_ ? collected_.data() : in_.data().substr(0, handed_);
    bytes_max_ = std::min<std::uint64_t>(bytes_max_, bytes_max);
    if (length().value_or(0) > bytes_max_) return fail(error_kind::payload_too_large, "The request body is too large.");
    if (complete_) return std::string_view{};
    if (head_.body != framing::length || in_.size() < left_) return std::nullopt;
    // The usual small body came along with its head: it stays where it is.
    auto here = take();
    in_place_ = true;
    return here;
}

awaitable<result<std::string_view>> session_body::collect(std::size_t bytes_max, json_reader* reader) {
    if (auto here = collect_now(bytes_max)) co_return *here;
    const bool sized = head_.body == framing::length;
    std::size_t shown = 0;
    while (!complete_) {
        auto piece = take();
        if (!piece) co_return piece.error();
        if (!piece->empty()) {
            if (!append(*piece)) co_return fail(error_kind::overloaded, "The gateway is out of buffers.");
            continue;
        }
        if (complete_) break;
        if (!sized) {
            auto more = co_await fill(in_, buffer_pool::smallest);
            if (!more) co_return more.error();
            continue;
        }
        in_.release();  // it is empty: what comes goes straight into place
        auto more = co_await fill(collected_, left_);
        if (!more) co_return more.error();
        left_ -= *more;
        received_ += *more;
        complete_ = left_ == 0;
        if (reader == nullptr || collected_.size() - shown < shown_step) continue;
        reader->advance(collected_.data());
        shown = collected_.size();
    }
    in_.consume(handed_);
    handed_ = 0;
    co_return collected_.data();
}

bool session_body::append(std::string_view piece) {
    if (!collected_)
        collected_ = buffers_.acquire(
            std::max(piece.size(), static_cast<std::size_t>(std::min<std::uint64_t>(left_, collect_step))));
    if (!collected_ || !collected_.reserve(piece.size())) return false;
    std::memcpy(collected_.space().data(), piece.data(), piece.size());
    collected_.commit(piece.size());
    return true;
}

void session_body::release() {
    collected_.release();
    if (!complete_) return;
    in_place_ = false;
    in_.consume(handed_);
    handed_ = 0;
    if (in_.size() == 0) in_.release();
}

bool session_body::discardable() const {
    // A body that waits for "100 Continue" may come or not: only closing is safe.
    return complete_ || (!failed_ && !continue_due_ && left_ <= discard_max);
}

awaitable<bool> session_body::discard() {
    release();
    if (!discardable()) co_return false;
    std::uint64_t dropped = 0;
    while (!complete_) {
        auto piece = co_await read();
        if (!piece) co_return false;
        dropped += piece->size();
        if (dropped > discard_max) co_return false;
    }
    // What was handed out last still stands in the buffer: left there it would be read as the next request.
    in_.consume(handed_);
    handed_ = 0;
    co_return true;
}

}  // namespace sluice::net
