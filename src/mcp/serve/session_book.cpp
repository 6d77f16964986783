#include "mcp/serve/session_book.hpp"

#include <atomic>
#include <charconv>

namespace sluice::mcp {

namespace asio = boost::asio;

std::optional<local_name> local_name::parse(std::string_view text) {
    local_name out;
    const std::size_t dash = text.find('-');
    if (dash == std::string_view::npos) return std::nullopt;
    const auto number = [](std::string_view digits, auto& n) {
        const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
        return failed == std::errc() && end == digits.data() + digits.size();
    };
    if (!number(text.substr(0, dash), out.worker) || !number(text.substr(dash + 1), out.number)) return std::nullopt;
    return out;
}

const session_record* session_book::find(const std::string& session) const {
    const auto r = records_.find(session);
    return r == records_.end() ? nullptr : &r->second;
}

session_record& session_book::record(const std::string& session) {
    if (const auto r = records_.find(session); r != records_.end()) return r->second;
    if (records_.size() >= records_max) {
        records_.erase(oldest_.front());
        oldest_.pop_front();
    }
    oldest_.push_back(session);
    return records_[session];
}

local_name session_book::keep(std::shared_ptr<message_stream> stream, std::string session) {
    const local_name name{index_, next_++};
    streams_[name.number] = {std::move(stream), std::move(session)};
    make_room();
    return name;
}

void session_book::make_room() {
    while (!streams_.empty() && (streams_.size() > streams_max || *kept_bytes_ > kept_bytes_max)) {
        streams_.begin()->second.stream->keep_no_more();
        streams_.erase(streams_.begin());
    }
}

std::shared_ptr<message_stream> session_book::stream(local_name name, std::string_view session) const {
    const auto s = streams_.find(name.number);
    return s == streams_.end() || s->second.session != session ? nullptr : s->second.stream;
}

local_name session_book::ask(std::shared_ptr<question> q) {
    const local_name name{index_, next_++};
    questions_[name.number] = std::move(q);
    return name;
}

void session_book::answered(local_name name, std::string_view session, rpc_message answer) {
    const auto q = questions_.find(name.number);
    if (q == questions_.end() || q->second->session != session || q->second->answer) return;
    q->second->answer = std::move(answer);
    q->second->answered.ring();
}

void session_book::cancel(std::string_view session, std::string_view request_id) {
    // The signal may end the call at once, and with it its place in the list.
    const auto calls = calls_;
    for (const auto& c : calls) {
        if (c->session != session || c->request_id != request_id) continue;
        c->cancelled = true;
        c->cancel.emit(asio::cancellation_type::terminal);
    }
}

void session_book::end(const std::string& session) {
    session_record& r = record(session);
    r = {};
    r.ended = true;
    for (auto s = streams_.begin(); s != streams_.end();) {
        const bool its = s->second.session == session;
        if (its) s->second.stream->finish();
        s = its ? streams_.erase(s) : std::next(s);
    }
    const auto calls = calls_;
    for (const auto& c : calls) {
        if (c->session != session) continue;
        c->cancelled = true;
        c->cancel.emit(asio::cancellation_type::terminal);
    }
}

std::shared_ptr<session_book> session_books::of(const asio::any_io_executor& worker) {
    const std::lock_guard lock(mutex_);
    for (const auto& b : books_)
        if (b->worker() == worker) return b;
    books_.push_back(std::make_shared<session_book>(worker, books_.size()));
    return books_.back();
}

std::vector<std::shared_ptr<session_book>> session_books::all() const {
    const std::lock_guard lock(mutex_);
    return books_;
}

awaitable<void> session_books::everywhere(session_book& own, std::function<void(session_book&)> f) const {
    f(own);
    struct joined {
        explicit joined(const asio::any_io_executor& worker) : all(worker) {}
        net::bell all;
        std::atomic<std::size_t> left{0};
    };
    const auto done = std::make_shared<joined>(own.worker());
    const auto books = all();
    done->left = books.size() - 1;
    for (const auto& b : books) {
        if (b.get() == &own) continue;
        asio::post(b->worker(), [b, f, done, home = own.worker()] {
            f(*b);
            if (--done->left == 0) asio::post(home, [done] { done->all.ring(); });
        });
    }
    // The handler that ends the wait runs on this worker, so not before the wait began.
    if (books.size() <= 1) co_return;
    // A worker that is busier than that does it later.
    co_await done->all.wait(std::chrono::steady_clock::now() + std::chrono::seconds(1));
}

}  // namespace sluice::mcp
