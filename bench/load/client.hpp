// One keep-alive connection of the load generator: sends a prepared request, reads the answer.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "http_reader.hpp"
#include "sockets.hpp"

namespace sluice::bench {

enum class progress {
    waiting,   // more bytes must come
    answered,  // the answer is whole; the connection can send again
    failed,    // closed, or an answer that is not HTTP: error() says which
};

class client {
public:
    // `tag` is the number of this connection in `set`.
    client(poller& set, std::uint16_t port, std::uint64_t tag);

    // Begins to send; `request` must live until the answer is whole. False when the connection is broken.
    bool send(std::string_view request);

    // Serves an epoll event. Pieces of the answer's body go to `on_body`. Reads into `scratch`.
    template <typename function>
    progress serve(std::uint32_t events, std::span<char> scratch, function&& on_body) {
        if ((events & EPOLLOUT) != 0 && !unsent_.empty() && !flush()) return fail("closed while sending");
        if ((events & ~std::uint32_t{EPOLLOUT}) == 0) return progress::waiting;
        const bool leaving = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
        while (true) {
            const transfer got = read_some(socket_.get(), scratch);
            if (got.closed) return fail("closed before the end of the answer");
            reads_ += got.bytes > 0 ? 1 : 0;
            std::string_view bytes{scratch.data(), got.bytes};
            while (!bytes.empty()) {
                const std::string_view piece = reader_.take(bytes);
                if (!piece.empty()) on_body(piece);
                if (reader_.bad()) return fail("an answer that cannot be read");
                if (reader_.complete()) return end_of_answer(bytes);
            }
            if (got.would_block || (!leaving && got.bytes < scratch.size())) return progress::waiting;
        }
    }

    // Of the last answer.
    int status() const { return status_; }
    std::size_t body_bytes() const { return body_bytes_; }
    const std::string& error() const { return error_; }

    std::uint64_t reads() const { return reads_; }

private:
    bool flush();
    progress end_of_answer(std::string_view rest);
    progress fail(const char* what);

    descriptor socket_;
    std::string_view unsent_;
    http_reader reader_{message_kind::response};
    int status_ = 0;
    std::size_t body_bytes_ = 0;
    std::uint64_t reads_ = 0;
    std::string error_;
};

}  // namespace sluice::bench
