// bench-relay: copies bytes between a client and the upstream and looks at none of them. Two reads and
// two writes per request: no proxy on two sockets can do with less, so its rate is the limit.
#include <sys/socket.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "sockets.hpp"

namespace sluice::bench {
namespace {

// The two ends of one relayed connection; index 0 is the client, 1 the upstream.
struct link {
    struct end {
        descriptor socket;
        std::string unsent;      // what this end did not take yet; its peer is not read meanwhile
        bool readable = false;   // bytes may wait here
        bool leaving = false;    // its end of stream is on the way, and no edge will follow
        bool read_over = false;  // no more bytes will come from here
    };
    end ends[2];
    bool dead = false;
};

class relay {
public:
    relay(std::uint16_t port, std::uint16_t upstream_port)
        : listener_(listen_on(port)), upstream_port_(upstream_port), buffer_(64 * 1024) {
        poller_.add(listener_.get(), listener_tag);
    }

    [[noreturn]] void run() {
        while (true) {
            for (const epoll_event& event : poller_.wait(std::nullopt)) {
                if (event.data.u64 == listener_tag) {
                    accept_all();
                } else {
                    serve(event.data.u64, event.events);
                }
            }
            // Freed only now: later events of the same batch may still name a link that died in it.
            for (const std::uint32_t slot : dead_) {
                links_[slot].reset();
                free_.push_back(slot);
            }
            dead_.clear();
        }
    }

private:
    static constexpr std::uint64_t listener_tag = ~std::uint64_t{0};

    void accept_all() {
        while (descriptor client = accept_from(listener_.get())) {
            if (free_.empty()) {
                free_.push_back(static_cast<std::uint32_t>(links_.size()));
                links_.emplace_back();
            }
            const std::uint32_t slot = free_.back();
            free_.pop_back();
            auto made = std::make_unique<link>();
            made->ends[0].socket = std::move(client);
            made->ends[1].socket = begin_connect(upstream_port_);
            for (std::uint64_t side = 0; side < 2; ++side) {
                poller_.add(made->ends[side].socket.get(), std::uint64_t{slot} << 1 | side);
            }
            links_[slot] = std::move(made);
        }
    }

    void serve(std::uint64_t tag, std::uint32_t events) {
        const auto slot = static_cast<std::uint32_t>(tag >> 1);
        link& l = *links_[slot];
        if (l.dead) return;
        link::end& here = l.ends[tag & 1];
        link::end& there = l.ends[(tag & 1) ^ 1];
        if ((events & (EPOLLRDHUP | EPOLLHUP)) != 0) here.leaving = true;
        if (here.leaving || (events & EPOLLIN) != 0) here.readable = true;
        bool alive = (events & EPOLLERR) == 0;
        if (alive && (events & EPOLLOUT) != 0 && !here.unsent.empty()) alive = flush(here) && pump(there, here);
        if (alive) alive = pump(here, there);
        if (!alive || (here.read_over && there.read_over)) {
            l.dead = true;
            dead_.push_back(slot);
        }
    }

    static bool flush(link::end& to) {
        const std::string rest = std::move(to.unsent);
        to.unsent.clear();
        return write(to, rest);
    }

    static bool write(link::end& to, std::string_view bytes) {
        while (!bytes.empty()) {
            const transfer sent = write_some(to.socket.get(), bytes);
            if (sent.closed) return false;
            if (sent.would_block) break;
            bytes.remove_prefix(sent.bytes);
        }
        to.unsent = bytes;
        return true;
    }

    // Moves what waits at `from` to `to`. A read that did not fill the buffer emptied the socket, so it is
    // not asked again until its next edge. Returns false when the link is broken.
    bool pump(link::end& from, link::end& to) {
        while (from.readable && !from.read_over && to.unsent.empty()) {
            const transfer got = read_some(from.socket.get(), buffer_);
            if (got.closed) {
                from.read_over = true;
                ::shutdown(to.socket.get(), SHUT_WR);
                return true;
            }
            from.readable = got.bytes == buffer_.size() || (from.leaving && !got.would_block);
            if (!write(to, {buffer_.data(), got.bytes})) return false;
        }
        return true;
    }

    descriptor listener_;
    std::uint16_t upstream_port_;
    poller poller_;
    std::vector<char> buffer_;
    std::vector<std::unique_ptr<link>> links_;
    std::vector<std::uint32_t> free_;
    std::vector<std::uint32_t> dead_;
};

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
    CLI::App app{"A relay that copies bytes and parses nothing: the limit of every proxy"};
    std::uint16_t port = 0;
    std::uint16_t upstream_port = 0;
    app.add_option("--port", port, "Port on 127.0.0.1")->required();
    app.add_option("--upstream", upstream_port, "Port of the upstream on 127.0.0.1")->required();
    CLI11_PARSE(app, argc, argv);
    try {
        sluice::bench::relay{port, upstream_port}.run();
    } catch (const std::exception& e) {
        std::cerr << "bench-relay: " << e.what() << '\n';
        return 1;
    }
}
