#include "net/client_sink.hpp"

#include "http/chunked.hpp"
#include "http/message_writer.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace sluice::net {
namespace {

// The one thing about an exchange that only its last hop knows: the head is on its way.
struct commit : exchange::host {
    static void mark(exchange& x) { mark_committed(x); }

protected:
    ~commit() = default;
};

}  // namespace

client_sink::client_sink(stream& s, exchange& x, const request_head& request, const session_body& body,
                         std::chrono::milliseconds stall, bool may_keep_alive)
    : stream_(s),
      x_(x),
      request_(request),
      body_(body),
      stall_(stall),
      keep_alive_(may_keep_alive && request.keep_alive) {}

void client_sink::give_up(abort_reason why) {
    keep_alive_ = false;
    x_.abort(why);
    throw boost::system::system_error(boost::asio::error::operation_aborted);
}

awaitable<void> client_sink::head(response_head& h) {
    if (started_) throw std::logic_error("a reply with two heads");
    started_ = true;
    commit::mark(x_);
    x_.status = h.status;
    h.headers.set("x-request-id", x_.request_id());
    const bool bodiless = request_.method == "HEAD" || h.status == 204 || h.status == 304;
    if (bodiless) h.body = framing::none;
    if (h.body == framing::until_close) h.body = framing::chunked;  // its end can be told from a break then
    if (!body_.discardable()) keep_alive_ = false;
    framing_ = http::framing_for(h.body, request_.minor_version);
    if (framing_ == framing::until_close) keep_alive_ = false;
    left_ = h.content_length;
    sse_ = h.has_content_type("text/event-stream");
    http::write_response_head(pending_, h, keep_alive_, request_.minor_version);
    co_return;
}

awaitable<void> client_sink::send(std::span<const std::string_view> pieces) {
    mid_write_ = true;
    const io_status how = co_await stream_.write_all(pieces, stall_);
    if (how != io_status::ok) {
        give_up(how == io_status::again ? abort_reason::client_write_stall : abort_reason::client_gone);
    }
    mid_write_ = false;
    for (const std::string_view p : pieces) bytes_ += p.size();
    std::string().swap(pending_);
}

awaitable<void> client_sink::write(const event& e) {
    if (!started_ || ended_) throw std::logic_error("a body outside of a reply");
    if (framing_ == framing::none || e.raw.empty()) co_return;
    if (framing_ == framing::length) {
        if (e.raw.size() > left_) throw std::logic_error("a body longer than its Content-Length");
        left_ -= e.raw.size();
    }
    // A comment sent while the upstream is silent is no answer yet: it has no data.
    if (!e.data.empty() && x_.first_byte == std::chrono::steady_clock::time_point{})
        x_.first_byte = std::chrono::steady_clock::now();
    x_.reply_bytes += static_cast<std::int64_t>(e.raw.size());
    char size_line[18];
    std::array<std::string_view, 4> pieces{pending_, {}, e.raw, {}};
    if (framing_ == framing::chunked) {
        pieces[1] = {size_line, http::write_chunk_size(size_line, e.raw.size())};
        pieces[3] = http::chunk_end;
    }
    std::size_t total = 0;
    for (const std::string_view p : pieces) total += p.size();
    if (stream_.owner().put_off(total)) co_await stream_.owner().turn_end();
    // Nearly always the kernel takes it all at once: no frame for the wait that does not happen.
    const io_result r = stream_.write_some(pieces, 0);
    if (r.status == io_status::failed) give_up(abort_reason::client_gone);
    bytes_ += r.bytes;
    if (r.bytes < total) {
        std::size_t skip = r.bytes;
        for (std::string_view& p : pieces) {
            const std::size_t part = std::min(skip, p.size());
            p.remove_prefix(part);
            skip -= part;
        }
        mid_write_ = true;  // before the await, which may throw instead of calling
        co_await send(pieces);
    } else if (!pending_.empty()) {
        std::string().swap(pending_);  // a stream holds no more memory than it needs
    }
}

awaitable<void> client_sink::end() {
    if (!started_ || ended_) throw std::logic_error("an end outside of a reply");
    if (framing_ == framing::chunked || !pending_.empty()) {
        const std::array<std::string_view, 2> pieces{
            pending_, framing_ == framing::chunked ? http::last_chunk : std::string_view{}};
        co_await send(pieces);
    }
    if (framing_ == framing::length && left_ != 0) keep_alive_ = false;
    ended_ = true;
}

awaitable<void> client_sink::flush() {
    if (pending_.empty()) co_return;
    const std::array<std::string_view, 1> pieces{pending_};
    co_await send(pieces);
}

void client_sink::break_off(std::string_view sse_error_event) {
    keep_alive_ = false;
    if (!started_ || ended_) return;
    // Behind half a write nothing would be understood.
    if (sse_ && framing_ != framing::length && !sse_error_event.empty() && !mid_write_) {
        char size_line[18];
        std::array<std::string_view, 4> pieces{pending_, {}, sse_error_event, {}};
        if (framing_ == framing::chunked) {
            pieces[1] = {size_line, http::write_chunk_size(size_line, sse_error_event.size())};
            pieces[3] = http::chunk_end;
        }
        bytes_ += stream_.write_some(pieces, 0).bytes;
    }
    // With no framing of its own the end of the body is the end of the connection: only a reset tells
    // a truncated body from a whole one.
    if (framing_ == framing::until_close) stream_.reset_on_close();
}

void client_sink::take_back() {
    pending_.clear();
    started_ = false;
}

awaitable<void> client_sink::switch_protocols(response_head& h) {
    started_ = ended_ = true;
    keep_alive_ = false;
    commit::mark(x_);
    x_.status = h.status;
    http::write_response_head(pending_, h, true, request_.minor_version);
    co_await flush();
}

}  // namespace sluice::net
