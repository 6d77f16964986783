#include "net/h2/h2_pump.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>

namespace sluice::net {

namespace asio = boost::asio;
using std::chrono::milliseconds;

h2_pump::h2_pump(std::unique_ptr<stream> socket, h2_events& events, const asio::any_io_executor& worker,
                 const h2_pump_options& options)
    : socket_(std::move(socket)), session_(events, options.limits), worker_(worker), options_(options) {}

awaitable<void> h2_pump::run() {
    const auto alive = shared_from_this();
    flush();
    co_await read_all();
    dead_ = true;
    socket_->reset_on_close();
    socket_->end_writable();
}

awaitable<void> h2_pump::read_all() {
    std::array<char, 16 << 10> buffer;
    bool asked = false;      // by a PING, since the last byte
    milliseconds unused{0};  // without a stream
    while (!dead_) {
        const io_result got = socket_->read_some(buffer);
        if (got.status == io_status::ok) {
            asked = false;
            unused = milliseconds{0};
            if (!session_.receive({buffer.data(), got.bytes})) co_return;
            flush();
            if (!session_.wants_read()) co_return;
            continue;
        }
        if (got.status != io_status::again) co_return;
        // Told to go away, and nothing is left to hear.
        if (!session_.takes_requests() && session_.streams() == 0) co_return;
        const bool idles = session_.streams() == 0 && options_.idle.count() > 0;
        const milliseconds patience = idles ? std::min(options_.keepalive, options_.idle) : options_.keepalive;
        const ready how = co_await socket_->readable(patience);
        if (how == ready::yes || dead_) continue;
        if (session_.streams() == 0) {
            unused += patience;
            if (options_.idle.count() > 0 && unused >= options_.idle) co_return;
            continue;
        }
        if (asked) co_return;
        asked = true;
        session_.ping();
        flush();
    }
}

void h2_pump::flush() {
    // Sending may free room, which wakes who sends more: it is all written here.
    if (dead_ || writing_ || flushing_) return;
    flushing_ = true;
    for (;;) {
        const std::string_view bytes = session_.output();
        if (bytes.empty()) break;
        const std::array<std::string_view, 1> pieces{bytes};
        const io_result done = socket_->write_some(pieces, 0);
        session_.taken(done.bytes);
        if (done.status == io_status::ok) continue;
        if (done.status == io_status::again) {
            writing_ = true;
            asio::co_spawn(worker_, write_rest(), asio::detached);
        } else {
            give_up();
        }
        break;
    }
    flushing_ = false;
}

awaitable<void> h2_pump::write_rest() {
    const auto alive = shared_from_this();
    const ready how = co_await socket_->writable(options_.keepalive);
    writing_ = false;
    if (dead_) co_return;
    if (how == ready::timeout) {
        give_up();
    } else {
        flush();
    }
}

// Not at once: who finds out may stand on what ends then.
void h2_pump::give_up() {
    dead_ = true;
    asio::post(worker_, [self = shared_from_this()] { self->socket_->end_readable(); });
}

void h2_pump::stop() {
    const auto alive = shared_from_this();
    dead_ = true;
    socket_->reset_on_close();
    socket_->end_readable();
}

}  // namespace sluice::net
