// An exchange without a connection: what the test of a stage needs around it.
//
//   test::exchange_fixture f;
//   f.head.headers.add("X-Api-Key", "sk-one");
//   f.next().pieces = {"hello"};
//   test::run(io, f.serve(stage));
//   CHECK(f.client.body == "hello");
#pragma once

#include <sluice/exchange.hpp>
#include <sluice/services.hpp>
#include <sluice/stage.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace test {

// Runs a coroutine to its end on `io`, and what it started with it. Rethrows what it threw.
inline void run(boost::asio::io_context& io, sluice::awaitable<void> work) {
    bool done = false;
    std::exception_ptr failure;
    boost::asio::co_spawn(io, std::move(work), [&](std::exception_ptr e) {
        done = true;
        failure = e;
    });
    io.restart();
    io.run();
    if (failure) std::rethrow_exception(failure);
    if (!done) throw std::logic_error("the coroutine never finished");
}

struct manual_clock final : sluice::clock {
    time_point steady{std::chrono::hours(1)};
    std::chrono::system_clock::time_point calendar{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};

    time_point now() const override { return steady; }
    std::chrono::system_clock::time_point wall() const override { return calendar; }
    void advance(std::chrono::nanoseconds d) {
        steady += std::chrono::duration_cast<time_point::duration>(d);
        calendar += std::chrono::duration_cast<std::chrono::system_clock::duration>(d);
    }
};

// Metrics by name and label values: value("x_total{ok,route}").
struct memory_metrics final : sluice::metrics {
    std::map<std::string, std::unique_ptr<sluice::counter>> counters;
    std::map<std::string, std::unique_ptr<sluice::gauge>> gauges;
    std::map<std::string, std::unique_ptr<sluice::histogram>> histograms;

    static std::string key(std::string_view name, sluice::labels l) {
        std::string out{name};
        char before = '{';
        for (const auto& [label, value] : l) {
            out += before;
            out += value;
            before = ',';
        }
        return before == '{' ? out : out + "}";
    }
    template <class T, class... Args>
    static T& get(std::map<std::string, std::unique_ptr<T>>& all, std::string at, Args&&... args) {
        auto& one = all[std::move(at)];
        if (!one) one = std::make_unique<T>(std::forward<Args>(args)...);
        return *one;
    }
    sluice::counter& get_counter(std::string_view name, std::string_view, sluice::labels l) override {
        return get(counters, key(name, l));
    }
    sluice::gauge& get_gauge(std::string_view name, std::string_view, sluice::labels l) override {
        return get(gauges, key(name, l));
    }
    sluice::histogram& get_histogram(std::string_view name, std::string_view, std::span<const double> bounds,
                                     sluice::labels l) override {
        return get(histograms, key(name, l), bounds);
    }
    // -1: nobody asked for such a counter.
    std::int64_t value(const std::string& at) const {
        const auto found = counters.find(at);
        return found == counters.end() ? -1 : found->second->value();
    }
};

// Answers fetches from a list; an empty list is a connection refused.
struct scripted_fetcher final : sluice::fetcher {
    std::deque<sluice::fetch_reply> replies;
    std::vector<std::string> urls;  // asked for, in order

    void reply_with(std::string body, int status = 200) {
        sluice::fetch_reply r;
        r.head.status = status;
        r.body = std::move(body);
        replies.push_back(std::move(r));
    }
    sluice::awaitable<sluice::result<sluice::fetch_reply>> fetch(sluice::fetch_request request) override {
        urls.push_back(request.url);
        if (replies.empty()) co_return sluice::error{sluice::error_kind::upstream_connect, "refused"};
        sluice::fetch_reply r = std::move(replies.front());
        replies.pop_front();
        co_return r;
    }
};

struct fake_services final : sluice::services {
    explicit fake_services(boost::asio::io_context& io) : io_(io) {}

    manual_clock clock;
    memory_metrics counts;
    scripted_fetcher fetches;

    boost::asio::any_io_executor executor() override { return io_.get_executor(); }
    const sluice::clock& time() const override { return clock; }
    sluice::metrics& metrics() override { return counts; }
    sluice::fetcher& fetcher() override { return fetches; }

private:
    std::shared_ptr<void> shared_object(std::string_view key, const std::type_info& type,
                                        const std::function<std::shared_ptr<void>()>& make) override {
        auto& object = shared_[std::string(key) + '/' + type.name()];
        if (!object) object = make();
        return object;
    }
    boost::asio::io_context& io_;
    std::map<std::string, std::shared_ptr<void>> shared_;
};

struct text_body final : sluice::request_body {
    std::string text;
    bool declares_length = true;
    bool delivered = false;

    sluice::awaitable<sluice::result<std::string_view>> read() override {
        const std::string_view piece = delivered ? std::string_view{} : std::string_view{text};
        delivered = true;
        co_return piece;
    }
    sluice::awaitable<sluice::result<std::string_view>> collect(std::size_t bytes_max, sluice::json_reader*) override {
        if (text.size() > bytes_max) co_return sluice::error{sluice::error_kind::payload_too_large};
        co_return std::string_view{text};
    }
    void release() override {}
    std::optional<std::uint64_t> length() const override {
        return declares_length ? std::optional<std::uint64_t>(text.size()) : std::nullopt;
    }
};

struct recording_sink final : sluice::reply_sink {
    sluice::response_head got;
    std::string body;
    std::vector<std::string> pieces;
    int heads = 0, ends = 0;

    sluice::awaitable<void> head(sluice::response_head& h) override {
        got = h;
        ++heads;
        co_return;
    }
    sluice::awaitable<void> write(const sluice::event& e) override {
        body += e.raw;
        pieces.emplace_back(e.raw);
        co_return;
    }
    sluice::awaitable<void> end() override {
        ++ends;
        co_return;
    }
    // The value of a reply header, or "".
    std::string header(std::string_view name) const { return std::string(got.headers.find(name).value_or("")); }
};

struct fake_host final : sluice::exchange::host {
    std::size_t bytes_max = 1 << 20;
    int cancelled = 0;

    void cancel(sluice::exchange&) override { ++cancelled; }
    std::size_t body_bytes_max() const override { return bytes_max; }
    // The texts outlive the exchange.
    static void start(sluice::exchange& x, sluice::reply_sink& client, std::string_view address,
                      std::string_view route) {
        set_client(x, client);
        begin(x, "request-1", address, route, {});
    }
};

// Stands for the rest of the route: replies, fails or breaks off.
struct scripted_stage final : sluice::stage {
    std::function<void(sluice::exchange&)> first;  // runs before the reply; may set facts, may throw
    std::function<void(sluice::exchange&)> last;   // runs behind the last piece
    std::vector<std::string> pieces = {"ok"};
    sluice::response_head head;
    std::optional<sluice::error> failure;  // instead of a reply
    int calls = 0;

    std::string_view name() const override { return "scripted"; }
    sluice::awaitable<void> serve(sluice::exchange& x, sluice::next_stage) override {
        ++calls;
        if (first) first(x);
        if (failure) {
            x.fail(*failure);
            co_return;
        }
        sluice::response_head h = head;
        co_await x.reply().head(h);
        for (const std::string& piece : pieces) {
            const sluice::event e{sluice::event::form::piece, piece, piece, {}};
            co_await x.reply().write(e);
            x.reply_bytes += static_cast<std::int64_t>(piece.size());
        }
        if (last) last(x);
        co_await x.reply().end();
    }
};

class exchange_fixture {
public:
    explicit exchange_fixture(std::string route = "chat", std::string address = "192.0.2.7:40000")
        : route_(std::move(route)), address_(std::move(address)) {
        auto stage = std::make_unique<scripted_stage>();
        next_ = stage.get();
        stages_.push_back(std::move(stage));
        head.method = "POST";
        head.target = "/v1/chat/completions";
        fake_host::start(x, client, address_, route_);
    }
    scripted_stage& next() { return *next_; }
    sluice::awaitable<void> serve(sluice::stage& under_test) {
        return under_test.serve(x, sluice::next_stage(stages_));
    }

    fake_host host;
    sluice::request_head head;
    text_body body;
    recording_sink client;
    sluice::exchange x{host, head, body};

private:
    const std::string route_, address_;
    std::vector<std::unique_ptr<sluice::stage>> stages_;
    scripted_stage* next_ = nullptr;
};

}  // namespace test
