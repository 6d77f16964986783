// Accepts connections on one address, for one worker.
//
// Every worker listens on the same address with SO_REUSEPORT and the kernel spreads the connections. When the
// process runs out of descriptors the listener pauses instead of spinning on a connection it cannot
// accept, and gives up a reserved descriptor to refuse the waiting ones with an honest close.
#pragma once

#include "net/reactor.hpp"
#include "net/unique_fd.hpp"

#include <sluice/metrics.hpp>
#include <sluice/result.hpp>

#include <functional>
#include <string>

namespace sluice::net {

// "0.0.0.0:8080", "[::]:8080", "127.0.0.1:0". A host name is not an address.
// The socket listens already. Error: bad_request with what the kernel said.
result<unique_fd> listen_on(const std::string& address, int backlog);

// Nobody else listens there. The sockets of listen_on() share their address, so that a second gateway started by
// mistake would take half of the first one's connections, and neither would notice. Error: as listen_on().
result<void> check_free(const std::string& address);
// The port the socket is bound to.
int port_of(int fd);

class listener final : private pollable, private timer_node {
public:
    // Hands over a non-blocking socket and the peer's address without its port.
    using accepted = std::function<void(unique_fd, std::string)>;

    listener(reactor& loop, unique_fd socket, accepted on_accept, counter& refused);
    ~listener();

    // Takes no more; what waits in the kernel's queue is accepted first, so that nobody is reset.
    void close();

private:
    void on_events(std::uint32_t events) override;
    void expired() override;  // the pause is over
    bool accept_one();
    void pause();

    reactor& loop_;
    unique_fd socket_;
    unique_fd spare_;  // given up to accept and close one connection when descriptors run out
    accepted on_accept_;
    counter& refused_;
};

}  // namespace sluice::net
