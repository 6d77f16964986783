// Plays the answers that take time or go wrong on purpose, byte for byte as the fault plan says.
// Every step returns false once the connection is over, and then nothing more is done.

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <charconv>

#include "sim/io_connection.hpp"

namespace sluice::sim {
namespace {

namespace asio = boost::asio;
constexpr auto quiet = asio::as_tuple(asio::use_awaitable);

std::string with_line_ends(std::string_view event, std::string_view end) {
    std::string out;
    for (const char c : event) {
        if (c == '\n') {
            out += end;
        } else {
            out += c;
        }
    }
    return out;
}

// One event, spoilt as the plan says; `event` ends with its blank line.
std::string spoil(const fault_plan& plan, std::size_t index, std::string_view event, bool last) {
    std::string out;
    if (plan.sse_extra) {
        out += ": a comment\nid: 1\nid: " + std::to_string(index) + "\nretry: 3000\nunknown: field\nno-colon-field\n";
    }
    if (plan.malformed == index) {
        out += event.substr(0, event.size() / 2);
        out += "\n\n";
    } else {
        out += event;
    }
    if (last && plan.no_last_blank && out.ends_with("\n\n")) out.pop_back();
    if (plan.ends == line_end::cr) return with_line_ends(out, "\r");
    if (plan.ends == line_end::crlf) return with_line_ends(out, "\r\n");
    return out;
}

}  // namespace

asio::awaitable<void> connection::play(std::shared_ptr<connection> self) {
    read();  // from now on only to see the client leave
    last_write_ = began_;
    const bool complete = co_await play_reply();
    if (gone_) co_return;
    if (!complete || reply_.fault.drop_keep_alive) {
        owner_.server().stats().request_ended(path_, "died");
        die();
        co_return;
    }
    finish({});
    if (closing_) co_return;
    // Not from within this frame: the next answer may be played too, and would grow the stack.
    asio::post(owner_.context(), [self] { self->pump(); });
}

asio::awaitable<bool> connection::play_reply() {
    const bool begun = co_await play_preamble();
    if (!begun) co_return false;
    bool done = false;
    if (reply_.how == reply::kind::stream) {
        done = co_await play_stream();
    } else {
        done = co_await play_whole();
    }
    co_return done;
}

// Everything before the status line.
asio::awaitable<bool> connection::play_preamble() {
    const fault_plan& plan = reply_.fault;
    if (plan.at == die_at::request) co_return false;
    if (plan.delay.count() > 0) {
        const bool there = co_await sleep_until(began_ + plan.delay);
        if (!there) co_return false;
    }
    if (plan.garbage) {
        co_await put("\x16\x03\x01 this is not HTTP \r\n\x00\xff\r\n\r\n", false);
        co_return false;
    }
    for (std::size_t i = 0; i < plan.interim; ++i) {
        const bool sent = co_await put("HTTP/1.1 103 Early Hints\r\nlink: </hint>\r\n\r\n", false);
        if (!sent) co_return false;
    }
    co_return true;
}

asio::awaitable<bool> connection::play_head(std::optional<std::size_t> length) {
    const fault_plan& plan = reply_.fault;
    if (plan.no_length) keep_alive_ = false;
    out_.clear();
    write_head(out_, reply_, length, keep_alive_);
    if (plan.at == die_at::status) out_.resize(out_.find("\r\n") + 2);
    bool sent = co_await put(out_, false);
    if (!sent || plan.at == die_at::status || plan.at == die_at::head) co_return false;
    if (plan.first.count() > 0) sent = co_await sleep_until(steady::now() + plan.first);
    body_began_ = steady::now();
    co_return sent;
}

asio::awaitable<bool> connection::play_whole() {
    if (owner_.server().instant() || reply_.how == reply::kind::whole) {
        render_at_once();
    } else {
        const std::size_t tokens = reply_.said.longest();
        generation engine(owner_.driver(), std::move(reply_.sequence), wake_);
        const bool spoken = co_await wait_tokens(engine, tokens);
        if (!spoken) co_return false;
        reply_.said.cached_tokens = engine.cached_tokens();
        owner_.server().stats().tokens(reply_.said.prompt_tokens, engine.cached_tokens(),
                                       reply_.said.completion_tokens());
        write_whole(reply_.body, reply_.said);
    }
    const bool chunked = reply_.fault.chunk > 0 || reply_.fault.no_final_chunk || reply_.fault.te_gzip;
    const bool begun = co_await play_head(chunked ? std::nullopt : std::optional(reply_.body.size()));
    if (!begun) co_return false;
    if (!chunked) {
        const bool sent = co_await put(reply_.body, true);
        co_return sent;
    }
    out_.clear();
    append_frame(out_, reply_.body);
    if (!reply_.fault.no_final_chunk) out_ += "0\r\n\r\n";
    const bool sent = co_await put(out_, true);
    co_return sent && !reply_.fault.no_final_chunk;
}

asio::awaitable<bool> connection::play_stream() {
    std::optional<generation> engine;
    const bool timed = !owner_.server().instant() && reply_.paced.events == 0;
    if (timed) engine.emplace(owner_.driver(), std::move(reply_.sequence), wake_);
    const bool begun = co_await play_head(std::nullopt);
    if (!begun) co_return false;
    if (timed) {
        const bool spoken = co_await wait_tokens(*engine, 1);
        if (!spoken) co_return false;
        reply_.said.cached_tokens = engine->cached_tokens();
    } else if (reply_.paced.events == 0) {
        reply_.said.cached_tokens = owner_.server().engine().run_at_once(reply_.sequence);
    }
    owner_.server().stats().tokens(reply_.said.prompt_tokens, reply_.said.cached_tokens,
                                   reply_.said.completion_tokens());
    event_list events;
    write_events(events, reply_.said);
    const bool played = co_await play_events(events, engine ? &*engine : nullptr);
    if (!played || reply_.fault.no_final_chunk) co_return false;
    if (reply_.fault.no_length) co_return true;
    const bool ended = co_await put("0\r\n\r\n", true);
    co_return ended;
}

asio::awaitable<bool> connection::play_events(const event_list& events, generation* engine) {
    const fault_plan& plan = reply_.fault;
    const auto first_at = steady::now();
    if (plan.huge > 0) {
        const std::string huge = "data: {\"huge\":\"" + std::string(plan.huge, 'h') + "\"}\n\n";
        const bool sent = co_await play_event(events.size(), huge, false);
        if (!sent) co_return false;
    }
    std::string batch;
    for (std::size_t i = 0; i < events.size(); ++i) {
        bool there = true;
        if (plan.stall_after == i) there = co_await sleep_until(steady::now() + plan.stall);
        // The tail of a paced stream (finish, usage, [DONE]) comes with its last event.
        const std::size_t beat = std::max<std::size_t>(1, events.after_tokens(i)) - 1;
        if (there && reply_.paced.gap.count() > 0) {
            there = co_await sleep_until(first_at + static_cast<std::int64_t>(beat) * reply_.paced.gap);
        }
        if (there && engine != nullptr) there = co_await wait_tokens(*engine, events.after_tokens(i));
        if (!there) co_return false;
        if (reply_.paced.batch > 1) {
            batch += events.event(i);
            if ((i + 1) % reply_.paced.batch != 0 && i + 1 < events.size()) continue;
            there = co_await play_event(i, batch, i + 1 == events.size());
            batch.clear();
        } else {
            there = co_await play_event(i, events.event(i), i + 1 == events.size());
        }
        if (!there) co_return false;
        ++events_sent_;
    }
    co_return true;
}

asio::awaitable<bool> connection::play_event(std::size_t index, std::string_view event, bool last) {
    const fault_plan& plan = reply_.fault;
    const bool spoilt = plan.sse_extra || plan.malformed || plan.no_last_blank || plan.ends != line_end::lf;
    std::string changed;
    if (spoilt) {
        changed = spoil(plan, index, event, last);
        event = changed;
    }
    const bool dies = plan.die_event == index;
    if (dies) event = event.substr(0, event.size() / 2);
    out_.clear();
    append_frame(out_, event);
    const bool sent = co_await put(out_, true);
    co_return sent && !dies;
}

// Sends bytes of the response; the faults that count or slow bytes act here. `bytes` outlives the call.
asio::awaitable<bool> connection::put(std::string_view bytes, bool body) {
    const fault_plan& plan = reply_.fault;
    bool dies = false;
    if (plan.die && sent_ + bytes.size() >= *plan.die) {
        bytes = bytes.substr(0, *plan.die - std::min(*plan.die, sent_));
        dies = true;
    }
    const bool slow = body && plan.rate > 0;
    // A slow body goes in fiftieths of a second.
    const std::size_t step = plan.cut > 0 ? plan.cut : slow ? std::max<std::size_t>(1, plan.rate / 50) : bytes.size();
    while (!bytes.empty()) {
        const auto piece = bytes.substr(0, step);
        bool sent = co_await write(piece);
        if (!sent) co_return false;
        bytes.remove_prefix(piece.size());
        if (!slow) continue;
        sent_body_ += piece.size();
        const double seconds = static_cast<double>(sent_body_) / static_cast<double>(plan.rate);
        sent = co_await sleep_until(
            body_began_ + std::chrono::duration_cast<steady::duration>(std::chrono::duration<double>(seconds)));
        if (!sent) co_return false;
    }
    co_return !dies;
}

asio::awaitable<bool> connection::write(std::string_view bytes) {
    if (gone_) co_return false;
    last_write_ = steady::now();
    boost::system::error_code ec;
    std::size_t written = 0;
    if (!channel_->tls) written = channel_->socket.write_some(asio::buffer(bytes), ec);
    sent_ += bytes.size();
    if (written == bytes.size()) co_return true;
    const auto rest = asio::buffer(bytes.substr(written));
    if (channel_->tls) {
        const auto [failed, n] = co_await asio::async_write(*channel_->tls, rest, quiet);
        ec = failed;
    } else {
        const auto [failed, n] = co_await asio::async_write(channel_->socket, rest, quiet);
        ec = failed;
    }
    if (ec) client_gone();
    co_return !gone_;
}

asio::awaitable<bool> connection::sleep_until(steady::time_point t) {
    while (!gone_ && steady::now() < t) {
        wake_.expires_at(t);
        co_await wake_.async_wait(quiet);
    }
    co_return !gone_;
}

asio::awaitable<bool> connection::wait_tokens(const generation& g, std::size_t tokens) {
    while (!gone_ && g.delivered() < tokens) {
        wake_.expires_at(steady::time_point::max());
        co_await wake_.async_wait(quiet);
    }
    co_return !gone_;
}

// Puts bytes into HTTP chunks, or leaves them as they are when the body has no framing.
void connection::append_frame(std::string& out, std::string_view bytes) const {
    if (reply_.fault.no_length) {
        out += bytes;
        return;
    }
    const std::size_t step = reply_.fault.chunk > 0 ? reply_.fault.chunk : bytes.size();
    while (!bytes.empty()) {
        const auto piece = bytes.substr(0, step);
        char digits[20];
        const auto end = std::to_chars(digits, digits + sizeof digits, piece.size(), 16).ptr;
        out.append(digits, end);
        out += "\r\n";
        out += piece;
        out += "\r\n";
        bytes.remove_prefix(piece.size());
    }
}

void connection::die() {
    gone_ = true;
    busy_ = false;
    channel_->close(reply_.fault.how);
}

}  // namespace sluice::sim
