// The body of a request as the session's connection delivers it.
#pragma once

#include "http/chunked.hpp"
#include "net/buffer_pool.hpp"
#include "net/stream.hpp"

#include <sluice/exchange.hpp>

#include <chrono>
#include <string_view>

namespace sluice::net {

class session_body final : public request_body {
public:
    // `in` holds what was received behind the head and takes what is read; it outlives the body, as do the
    // stream and the head. `stall` bounds each wait for the client; all waits together are bounded by as much and
    // the time the body takes at 16 KB/s, so that dripping bytes holds no memory for long.
    session_body(stream& s, buffer& in, buffer_pool& buffers, const request_head& head, std::chrono::milliseconds stall,
                 std::uint64_t bytes_max);

    awaitable<result<std::string_view>> read() override;
    std::optional<result<std::string_view>> collect_now(std::size_t bytes_max) override;
    awaitable<result<std::string_view>> collect(std::size_t bytes_max, json_reader* reader) override;
    void release() override;
    std::optional<std::uint64_t> length() const override;

    bool complete() const { return complete_; }
    std::uint64_t received() const { return received_; }
    // May discard() save the connection?
    bool discardable() const;
    // Reads and drops what is left, if it is little. False: close the connection instead.
    awaitable<bool> discard();

private:
    // Reads at least one more byte behind those of `into`, and at most `most`.
    awaitable<result<std::size_t>> fill(buffer& into, std::uint64_t most);
    awaitable<result<void>> wait();
    awaitable<result<void>> send_continue();
    result<std::string_view> take();      // what is here; empty: nothing yet, or complete
    bool append(std::string_view piece);  // to collected_. False: out of buffers
    error fail(error_kind kind, std::string text);

    stream& stream_;
    buffer& in_;
    buffer_pool& buffers_;
    const request_head& head_;
    std::chrono::milliseconds stall_;
    std::uint64_t bytes_max_;
    http::chunked_decoder chunks_;
    buffer collected_;
    std::size_t handed_ = 0;  // bytes of in_ that the caller is looking at
    std::uint64_t left_ = 0, received_ = 0;
    std::chrono::steady_clock::duration waited_{0};
    bool complete_ = false, in_place_ = false, failed_ = false, continue_due_ = false;
};

}  // namespace sluice::net
