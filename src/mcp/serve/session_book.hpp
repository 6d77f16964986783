// What must be remembered of the legacy era's sessions while they last, on one worker: what was set, which streams are
// open, which questions to the client have no answer yet, which calls run.
//
// Requests of a session come to any worker. What was set is told to all workers' books; streams, questions and calls
// are those of the worker on which they began, which is part of their names. Nothing here need survive: a session that
// lost it goes on with defaults.
#pragma once

#include "mcp/protocol/client_facts.hpp"
#include "mcp/protocol/rpc.hpp"
#include "mcp/serve/message_stream.hpp"
#include "net/bell.hpp"

#include <sluice/awaitable.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::mcp {

using steady_time = std::chrono::steady_clock::time_point;

// "3-17": the 17th stream or question of worker 3.
struct local_name {
    std::size_t worker = 0;
    std::uint64_t number = 0;
    std::string text() const { return std::to_string(worker) + '-' + std::to_string(number); }
    static std::optional<local_name> parse(std::string_view text);
};

// A request of ours to the client, until it is answered.
struct question {
    std::string session;
    net::bell answered;
    std::optional<rpc_message> answer;
    question(const boost::asio::any_io_executor& worker, std::string of) : session(std::move(of)), answered(worker) {}
};

// A call that can be cancelled by its request's id.
struct running_call {
    std::string session, request_id;
    boost::asio::cancellation_signal cancel;
    bool cancelled = false;
};

struct session_record {
    std::optional<log_level> log_from;
    std::set<std::string> subscriptions;
    bool ended = false;
};

class session_book {
public:
    static constexpr std::size_t records_max = 100'000, streams_max = 10'000, subscriptions_max = 1'000;
    static constexpr std::size_t kept_bytes_max = 256u << 20;  // of all streams

    session_book(boost::asio::any_io_executor worker, std::size_t index) : worker_(std::move(worker)), index_(index) {}

    std::size_t index() const { return index_; }
    const boost::asio::any_io_executor& worker() const { return worker_; }

    const session_record* find(const std::string& session) const;
    // Made where there is none; the oldest makes room.
    session_record& record(const std::string& session);

    // Streams that clients may come back to; the oldest make room, by number and by the bytes that all hold.
    std::shared_ptr<message_stream> new_kept_stream() const {
        return std::make_shared<message_stream>(worker_, kept_bytes_);
    }
    local_name keep(std::shared_ptr<message_stream> stream, std::string session);
    // After one of them grew.
    void make_room();
    std::shared_ptr<message_stream> stream(local_name name, std::string_view session) const;

    local_name ask(std::shared_ptr<question> q);
    void answered(local_name name, std::string_view session, rpc_message answer);
    void forget_question(local_name name) { questions_.erase(name.number); }

    void add(std::shared_ptr<running_call> c) { calls_.push_back(std::move(c)); }
    void remove(const std::shared_ptr<running_call>& c) { calls_.remove(c); }
    void cancel(std::string_view session, std::string_view request_id);
    // Ends all of a session: its record says so, its streams and calls end.
    void end(const std::string& session);

private:
    struct kept_stream {
        std::shared_ptr<message_stream> stream;
        std::string session;
    };
    const boost::asio::any_io_executor worker_;
    const std::size_t index_;
    std::uint64_t next_ = 1;
    std::map<std::string, session_record> records_;
    std::list<std::string> oldest_;  // keys of records_, in the order in which they came
    const std::shared_ptr<std::size_t> kept_bytes_ = std::make_shared<std::size_t>(0);
    std::map<std::uint64_t, kept_stream> streams_;
    std::map<std::uint64_t, std::shared_ptr<question>> questions_;
    std::list<std::shared_ptr<running_call>> calls_;
};

// The books of all workers, and the way to them. Thread-safe; survives reloads.
class session_books {
public:
    // The book of the worker that asks; made at the first time. Call it while stages are built.
    std::shared_ptr<session_book> of(const boost::asio::any_io_executor& worker);
    template <class F>
    void to(std::size_t worker, F f) const {
        for (const auto& b : all()) {
            if (b->index() == worker) boost::asio::post(b->worker(), [b, f = std::move(f)]() mutable { f(*b); });
        }
    }
    template <class F>
    void to_all(const F& f) const {
        for (const auto& b : all()) boost::asio::post(b->worker(), [b, f] { f(*b); });
    }
    // Resumes once every worker has done it. The caller's own book is changed at once.
    awaitable<void> everywhere(session_book& own, std::function<void(session_book&)> f) const;

private:
    std::vector<std::shared_ptr<session_book>> all() const;
    mutable std::mutex mutex_;
    std::vector<std::shared_ptr<session_book>> books_;
};

}  // namespace sluice::mcp
