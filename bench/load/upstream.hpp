// A model server that costs next to nothing: one thread, fixed answers, streams of stamped events.
//
// Every POST, whatever its path, is answered after its whole body was read: with the plain answer of
// scenario.hpp, or with the stream that it asks for. Events of paced streams leave on a schedule that is
// fixed when the stream begins; each event is one write of its own, as it is with a real model.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include "http_reader.hpp"
#include "scenario.hpp"
#include "sockets.hpp"

namespace sluice::bench {

class upstream {
public:
    explicit upstream(std::uint16_t port);

    // Serves until the process is ended.
    [[noreturn]] void run();

private:
    // One connection and the stream that runs on it, if one does. Slots are used again; the generation
    // tells a late timer or epoll event that its connection is gone.
    struct connection {
        descriptor socket;
        std::uint32_t slot = 0;
        std::uint32_t generation = 0;
        http_reader reader{message_kind::request};
        std::string body_start;
        std::string unsent;

        stamped_event* event = nullptr;  // null: no stream runs
        stream_spec spec;
        std::uint64_t events_sent = 0;
        std::int64_t first_due_ns = 0;
        bool ready = false;  // stands in ready_
    };

    struct timer {
        std::int64_t due_ns;
        std::uint64_t tag;
        bool operator>(const timer& other) const { return due_ns > other.due_ns; }
    };

    static std::uint64_t tag_of(const connection& c) { return std::uint64_t{c.generation} << 32 | c.slot; }
    connection* find(std::uint64_t tag);

    void accept_all();
    void close(connection& c);
    void serve(connection& c, std::uint32_t events);
    bool read_requests(connection& c, bool leaving);
    bool answer(connection& c);
    bool send(connection& c, std::string_view bytes);

    bool begin_stream(connection& c, const stream_spec& spec);
    bool send_event(connection& c);
    void schedule(connection& c);
    void send_ready();
    void send_due();

    descriptor listener_;
    poller poller_;
    std::vector<std::unique_ptr<connection>> slots_;
    std::vector<std::uint32_t> free_;
    std::map<std::size_t, stamped_event> events_;  // by size
    std::deque<std::uint64_t> ready_;              // unpaced streams whose sockets take more
    std::priority_queue<timer, std::vector<timer>, std::greater<>> timers_;
    std::uint64_t streams_begun_ = 0;
    std::vector<char> scratch_;
};

}  // namespace sluice::bench
