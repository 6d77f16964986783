// One HTTP/1.1 connection to an upstream: reads responses, whoever asked.
//
// Outlives the requests sent over it; while it waits in the pool it holds no buffer. Belongs to one worker.
#pragma once

#include "http/chunked.hpp"
#include "http/head_limits.hpp"
#include "net/buffer_pool.hpp"
#include "net/stream.hpp"
#include "pipeline/upstream.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace sluice::net {

class http1_link {
public:
    // `pool_key`: where the pool keeps it.
    http1_link(std::unique_ptr<stream> s, buffer_pool& buffers, std::string pool_key = {});

    // A new request begins. False: the connection is stale (closed, or it said something unasked for).
    bool begin();
    // As upstream_connection has them.
    awaitable<result<void>> send(const outgoing_request& request, std::span<std::string_view> pieces, bool whole,
                                 std::chrono::milliseconds stall);
    awaitable<result<void>> send_body(std::string_view piece, bool last, std::chrono::milliseconds stall);
    awaitable<result<response_head*>> receive_head(std::string_view method, std::chrono::milliseconds timeout);
    awaitable<result<body_piece>> receive(std::chrono::milliseconds timeout);
    std::optional<result<body_piece>> receive_now();
    // Reads what is there without waiting. Views of the last piece die.
    bool buffered();
    bool answered() { return in_.size() > 0 || !stream_->quiet(); }
    bool got_bytes() const { return got_bytes_; }
    // Request and response are complete and both sides keep the connection.
    bool reusable() const;
    // Back to the pool: gives up the buffer.
    void rest();

    // For tunnels after a 101: the socket, and what came behind the head.
    stream& socket() { return *stream_; }
    std::string_view leftover() const { return in_.data().substr(handed_); }

    std::chrono::steady_clock::time_point born() const { return born_; }
    int requests() const { return requests_; }
    const std::string& pool_key() const { return pool_key_; }

private:
    awaitable<result<void>> write(std::span<const std::string_view> pieces, bool last, std::chrono::milliseconds stall);
    // Reads once, without waiting. Nothing: out of buffers.
    std::optional<io_status> pull();
    // Waits for more to pull.
    awaitable<ready> more(std::chrono::steady_clock::time_point deadline);
    // The next piece that is already here; nothing if more bytes are needed.
    result<std::optional<body_piece>> take();
    result<std::optional<body_piece>> take_chunks();
    void start_body();

    std::unique_ptr<stream> stream_;
    buffer_pool& buffers_;
    buffer in_;
    response_head head_;
    http::chunked_decoder chunks_;
    framing body_ = framing::none;
    std::uint64_t left_ = 0;  // of a body with a length
    std::size_t handed_ = 0;  // bytes of in_ that the caller is looking at
    bool sends_chunks_ = false;
    bool body_done_ = false, request_sent_ = false, got_bytes_ = false;
    bool failed_ = false, read_failed_ = false, eof_ = false;  // for good: no further request
    int requests_ = 0;
    const std::string pool_key_;
    std::chrono::steady_clock::time_point born_;
};

}  // namespace sluice::net
