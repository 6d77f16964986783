// The messages of one reply stream: made by a call, read by the exchange that sends them. With sessions they are kept
// for a client that lost its connection and comes back for the rest. Of one worker; not thread-safe.
#pragma once

#include "net/bell.hpp"

#include <sluice/awaitable.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace sluice::mcp {

class message_stream {
public:
    // What no reader has taken may hold so much; then who makes messages waits, or drops what may be dropped.
    static constexpr std::size_t unread_bytes_max = 1 << 20;

    // `kept` counts the bytes of all streams that are kept; null: what was sent of this one is not.
    message_stream(const boost::asio::any_io_executor& worker, std::shared_ptr<std::size_t> kept)
        : news_(worker), room_(worker), kept_(std::move(kept)) {}
    ~message_stream() { keep_no_more(); }
    message_stream(const message_stream&) = delete;
    message_stream& operator=(const message_stream&) = delete;

    // Nobody will come back: what was sent is dropped, now and from here on.
    void keep_no_more();

    // --- who makes messages ---
    void push(std::string message);
    void finish();      // none follow
    void disconnect();  // the reader shall leave and come back
    bool full() const { return unread_bytes_ > unread_bytes_max; }
    // Until there is room again, or no reader is there to make it.
    awaitable<void> room();

    // --- who reads them: one at a time ---
    // Messages are numbered from 0. Null: not there yet, or, where `lost()`, no more.
    const std::string* at(std::size_t i) const {
        return i >= first_ && i - first_ < messages_.size() ? &messages_[i - first_] : nullptr;
    }
    bool lost(std::size_t i) const { return i < first_; }
    std::size_t end() const { return first_ + messages_.size(); }
    // Everything before i was sent.
    void taken(std::size_t i);
    bool finished() const { return finished_; }
    // Begins reading. Whoever read before is told to leave by an `epoch` that is no more the stream's.
    std::size_t attach();
    void detach(std::size_t epoch);
    std::size_t epoch() const { return epoch_; }
    // Until a message i is there, the stream is finished, the epoch is over, or that time has come.
    awaitable<void> wait(std::size_t i, std::size_t epoch, std::chrono::steady_clock::time_point until);

private:
    bool due(std::size_t i, std::size_t epoch) const { return i < end() || finished_ || epoch != epoch_; }
    void wake();
    void drop_sent();

    net::bell news_, room_;  // what the reader and who makes messages wait for
    std::shared_ptr<std::size_t> kept_;
    std::deque<std::string> messages_;
    std::size_t first_ = 0;  // number of messages_.front()
    std::size_t sent_ = 0;   // messages before this one were taken
    std::size_t unread_bytes_ = 0, bytes_ = 0;
    std::size_t epoch_ = 0;
    bool attached_ = false;
    bool finished_ = false;
};

}  // namespace sluice::mcp
