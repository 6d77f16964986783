// Moves the bytes of one HTTP/2 connection between its socket and its session, until either ends.
#pragma once

#include "net/h2/h2_session.hpp"
#include "net/stream.hpp"

#include <sluice/awaitable.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <memory>

namespace sluice::net {

struct h2_pump_options {
    std::chrono::milliseconds keepalive{20'000};  // silence with streams open before a PING, and before its answer
                                                  // is missed
    std::chrono::milliseconds idle{0};            // without streams for about so long it ends; 0: never
    h2_limits limits = {};
};

// Belongs to one worker. `events` is told until run() is over.
class h2_pump final : public std::enable_shared_from_this<h2_pump> {
public:
    h2_pump(std::unique_ptr<stream> socket, h2_events& events, const boost::asio::any_io_executor& worker,
            const h2_pump_options& options);

    h2_session& session() { return session_; }
    // Is it still of use? Not once it has ended, or is about to.
    bool alive() const { return !dead_; }

    // Reads and writes until the connection breaks, has been told to go away and nothing is left of it, or stop().
    awaitable<void> run();
    // Writes what the session has to say, as far as the socket takes it; the rest follows by itself.
    void flush();
    // Ends run() at once; what is not complete is seen to be broken.
    void stop();

private:
    awaitable<void> read_all();
    awaitable<void> write_rest();
    void give_up();

    const std::unique_ptr<stream> socket_;
    h2_session session_;
    const boost::asio::any_io_executor worker_;
    const h2_pump_options options_;
    bool writing_ = false, flushing_ = false, dead_ = false;
};

}  // namespace sluice::net
