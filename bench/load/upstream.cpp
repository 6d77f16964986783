#include "upstream.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace sluice::bench {
namespace {

constexpr std::uint64_t listener_tag = ~std::uint64_t{0};
constexpr std::size_t read_bytes = 256 * 1024;

}  // namespace

upstream::upstream(std::uint16_t port) : listener_(listen_on(port)), scratch_(read_bytes) {
    poller_.add(listener_.get(), listener_tag);
    use_precise_sleep();
}

void upstream::run() {
    while (true) {
        std::optional<std::chrono::nanoseconds> limit;
        if (!ready_.empty()) {
            limit = std::chrono::nanoseconds{0};
        } else if (!timers_.empty()) {
            limit = std::chrono::nanoseconds{timers_.top().due_ns - now_ns()};
        }
        for (const epoll_event& event : poller_.wait(limit)) {
            if (event.data.u64 == listener_tag) {
                accept_all();
            } else if (connection* c = find(event.data.u64)) {
                serve(*c, event.events);
            }
        }
        send_due();
        send_ready();
    }
}

upstream::connection* upstream::find(std::uint64_t tag) {
    connection& c = *slots_[static_cast<std::uint32_t>(tag)];
    return c.socket && c.generation == tag >> 32 ? &c : nullptr;
}

void upstream::accept_all() {
    while (descriptor socket = accept_from(listener_.get())) {
        if (free_.empty()) {
            free_.push_back(static_cast<std::uint32_t>(slots_.size()));
            slots_.push_back(std::make_unique<connection>());
        }
        const std::uint32_t slot = free_.back();
        free_.pop_back();
        connection& c = *slots_[slot];
        c.slot = slot;
        c.socket = std::move(socket);
        poller_.add(c.socket.get(), tag_of(c));
    }
}

void upstream::close(connection& c) {
    const std::uint32_t slot = c.slot;
    const std::uint32_t generation = c.generation + 1;
    c = connection{};
    c.slot = slot;
    c.generation = generation;
    free_.push_back(slot);
}

void upstream::serve(connection& c, std::uint32_t events) {
    bool alive = true;
    if ((events & EPOLLOUT) != 0 && !c.unsent.empty()) {
        const std::string rest = std::move(c.unsent);
        c.unsent.clear();
        alive = send(c, rest);
        if (alive && c.event != nullptr && c.spec.gap.count() == 0) schedule(c);
    }
    const bool leaving = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    if (alive && (leaving || (events & EPOLLIN) != 0)) alive = read_requests(c, leaving);
    if (!alive) close(c);
}

// Reads until the socket is empty; a read that did not fill the buffer emptied it, and what arrives later
// raises a new edge. Only a peer that is leaving has to be read to its end, as no edge follows that one.
// Returns false when the connection is over.
bool upstream::read_requests(connection& c, bool leaving) {
    while (true) {
        const transfer got = read_some(c.socket.get(), scratch_);
        if (got.closed) return false;
        std::string_view bytes{scratch_.data(), got.bytes};
        while (!bytes.empty()) {
            const std::string_view piece = c.reader.take(bytes);
            if (c.body_start.size() < body_start_max) {
                c.body_start += piece.substr(0, body_start_max - c.body_start.size());
            }
            if (c.reader.bad()) return false;
            if (c.reader.complete() && !answer(c)) return false;
        }
        if (got.would_block || (!leaving && got.bytes < scratch_.size())) return true;
    }
}

bool upstream::answer(connection& c) {
    const std::optional<stream_spec> stream = wanted_stream(c.body_start, c.reader.stream_header());
    c.reader.reset();
    c.body_start.clear();
    return stream ? begin_stream(c, *stream) : send(c, chat_answer());
}

// Sends now or keeps what the socket does not take. Returns false when the connection is over.
bool upstream::send(connection& c, std::string_view bytes) {
    if (!c.unsent.empty()) {
        c.unsent += bytes;
        return true;
    }
    while (!bytes.empty()) {
        const transfer sent = write_some(c.socket.get(), bytes);
        if (sent.closed) return false;
        if (sent.would_block) break;
        bytes.remove_prefix(sent.bytes);
    }
    c.unsent = bytes;
    return true;
}

bool upstream::begin_stream(connection& c, const stream_spec& spec) {
    c.spec = spec;
    c.event = &events_.try_emplace(spec.bytes, spec.bytes).first->second;
    c.events_sent = 0;
    if (!send(c, stream_head())) return false;
    if (!send_event(c)) return false;
    if (spec.idle) {
        c.event = nullptr;
        return true;
    }
    // Streams begin together in a bench; the golden ratio spreads their events evenly over the gap.
    double whole = 0;
    const double phase = std::modf(static_cast<double>(++streams_begun_) * 0.6180339887498949, &whole);
    const auto gap_ns = static_cast<double>(std::chrono::nanoseconds{spec.gap}.count());
    c.first_due_ns = now_ns() + static_cast<std::int64_t>(phase * gap_ns);
    schedule(c);
    return true;
}

bool upstream::send_event(connection& c) {
    ++c.events_sent;
    return send(c, c.event->at(now_ns()));
}

// Puts the next event of a running stream into its queue. A stream whose socket is full waits for the
// next writable edge instead.
void upstream::schedule(connection& c) {
    if (c.spec.gap.count() > 0) {
        const std::int64_t gap_ns = std::chrono::nanoseconds{c.spec.gap}.count();
        timers_.push({c.first_due_ns + static_cast<std::int64_t>(c.events_sent) * gap_ns, tag_of(c)});
    } else if (!c.ready && c.unsent.empty()) {
        c.ready = true;
        ready_.push_back(tag_of(c));
    }
}

// One event for each ready stream: the streams take turns, as many models talking at once do.
void upstream::send_ready() {
    for (std::size_t turns = ready_.size(); turns > 0; --turns) {
        connection* c = find(ready_.front());
        ready_.pop_front();
        if (c == nullptr) continue;
        c->ready = false;
        bool alive = true;
        if (c->events_sent < c->spec.events) {
            alive = send_event(*c);
            if (alive) schedule(*c);
        } else {
            c->event = nullptr;
            alive = send(*c, stream_end());
        }
        if (!alive) close(*c);
    }
}

void upstream::send_due() {
    const std::int64_t now = now_ns();
    while (!timers_.empty() && timers_.top().due_ns <= now) {
        connection* c = find(timers_.top().tag);
        timers_.pop();
        if (c == nullptr || c->event == nullptr) continue;
        bool alive = true;
        if (c->events_sent < c->spec.events) {
            alive = send_event(*c);
            if (alive) schedule(*c);
        } else {
            c->event = nullptr;
            alive = send(*c, stream_end());
        }
        if (!alive) close(*c);
    }
}

}  // namespace sluice::bench
