#include "mcp/serve/message_stream.hpp"

namespace sluice::mcp {

namespace {
// Sent messages that are kept for those who come back.
constexpr std::size_t kept_bytes_max = 1 << 20;
}  // namespace

void message_stream::push(std::string message) {
    if (finished_) return;
    unread_bytes_ += message.size();
    bytes_ += message.size();
    if (kept_) *kept_ += message.size();
    messages_.push_back(std::move(message));
    wake();
}

void message_stream::finish() {
    finished_ = true;
    wake();
}

void message_stream::disconnect() {
    if (!attached_) return;
    ++epoch_;
    attached_ = false;
    wake();
}

awaitable<void> message_stream::room() {
    while (full() && attached_ && !finished_) {
        co_await room_.wait(std::chrono::steady_clock::time_point::max());
    }
}

void message_stream::taken(std::size_t i) {
    for (; sent_ < i && sent_ < end(); ++sent_) unread_bytes_ -= messages_[sent_ - first_].size();
    drop_sent();
    wake();
}

void message_stream::drop_sent() {
    while (first_ < sent_ && (!kept_ || bytes_ > kept_bytes_max)) {
        bytes_ -= messages_.front().size();
        if (kept_) *kept_ -= messages_.front().size();
        messages_.pop_front();
        ++first_;
    }
}

void message_stream::keep_no_more() {
    if (!kept_) return;
    *kept_ -= bytes_;
    kept_.reset();
    drop_sent();
}

std::size_t message_stream::attach() {
    attached_ = true;
    ++epoch_;
    wake();
    return epoch_;
}

void message_stream::detach(std::size_t epoch) {
    if (epoch != epoch_) return;
    attached_ = false;
    wake();
}

awaitable<void> message_stream::wait(std::size_t i, std::size_t epoch, std::chrono::steady_clock::time_point until) {
    while (!due(i, epoch) && std::chrono::steady_clock::now() < until) {
        co_await news_.wait(until);
    }
}

// Whoever waits looks again.
void message_stream::wake() {
    news_.ring();
    room_.ring();
}

}  // namespace sluice::mcp
