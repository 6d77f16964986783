#include "telemetry/trace_exporter.hpp"

#include "telemetry/registry.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

#include <deque>

using namespace sluice;
using namespace sluice::telemetry;
using namespace std::chrono_literals;

namespace {

result<fetch_reply> answer(int status, std::string_view retry_after = {}) {
    fetch_reply reply;
    reply.head.status = status;
    if (!retry_after.empty()) reply.head.headers.add("Retry-After", retry_after);
    return reply;
}

// A collector that answers as told and remembers what it was sent.
struct scripted_fetcher final : fetcher {
    std::deque<result<fetch_reply>> answers;
    std::vector<fetch_request> requests;
    awaitable<result<fetch_reply>> fetch(fetch_request request) override {
        requests.push_back(std::move(request));
        result<fetch_reply> reply = answers.empty() ? answer(200) : answers.front();
        if (!answers.empty()) answers.pop_front();
        co_return reply;
    }
};

struct bench {
    boost::asio::io_context io;
    registry r{1};
    scripted_fetcher collector;
    tracing_config config;
    bench() {
        config.endpoint = "http://collector/v1/traces";
        config.batch_max = 2;
        config.interval = 1h;  // never passes here
        config.headers.push_back({"x-token", secret{"canary"}});
    }
    trace_exporter make() { return {config, "0.1", io.get_executor(), collector, r.worker(0)}; }
    std::int64_t dropped(std::string_view reason) {
        return r.worker(0)
            .get_counter("sluice_spans_dropped_total", "Spans lost before they reached the collector.",
                         {{"reason", reason}})
            .value();
    }
    std::int64_t exported() {
        return r.worker(0).get_counter("sluice_spans_exported_total", "Spans that the collector took.").value();
    }
};

span some_span() {
    span s;
    s.trace = {1, 2};
    s.id = {3};
    s.name = "chat";
    return s;
}

}  // namespace

TEST_CASE("a full batch is sent at once, as JSON and with the configured headers") {
    bench b;
    trace_exporter exporter = b.make();
    boost::asio::co_spawn(b.io, exporter.run(), boost::asio::detached);
    b.io.poll();
    exporter.add(some_span());
    b.io.poll();
    CHECK(b.collector.requests.empty());
    exporter.add(some_span());
    b.io.poll();
    REQUIRE(b.collector.requests.size() == 1);
    const fetch_request& sent = b.collector.requests[0];
    CHECK(sent.method == "POST");
    CHECK(sent.url == "http://collector/v1/traces");
    CHECK(sent.headers.find("content-type") == "application/json");
    CHECK(sent.headers.find("x-token") == "canary");
    CHECK(b.exported() == 2);
    exporter.stop();
    b.io.run();
}

TEST_CASE("stopping sends what was waiting, then the loop ends") {
    bench b;
    trace_exporter exporter = b.make();
    boost::asio::co_spawn(b.io, exporter.run(), boost::asio::detached);
    b.io.poll();
    exporter.add(some_span());
    exporter.stop();
    b.io.run();  // returns: nothing is left to do
    CHECK(b.exported() == 1);
}

TEST_CASE("a call the collector asks to repeat is repeated once") {
    bench b;
    b.collector.answers = {answer(503, "0"), answer(200)};
    trace_exporter exporter = b.make();
    exporter.add(some_span());
    exporter.add(some_span());
    boost::asio::co_spawn(b.io, exporter.run(), boost::asio::detached);
    while (b.exported() == 0) b.io.run_one();
    CHECK(b.collector.requests.size() == 2);
    CHECK(b.collector.requests[0].body == b.collector.requests[1].body);

    b.collector.answers = {answer(503, "0"), answer(503, "0")};
    exporter.add(some_span());
    exporter.add(some_span());
    while (b.dropped("export_failed") == 0) b.io.run_one();
    CHECK(b.collector.requests.size() == 4);
    CHECK(b.dropped("export_failed") == 2);
    exporter.stop();
    b.io.run();
}

TEST_CASE("a call the collector refuses is not repeated") {
    bench b;
    b.collector.answers = {answer(400)};
    trace_exporter exporter = b.make();
    exporter.add(some_span());
    exporter.stop();
    boost::asio::co_spawn(b.io, exporter.run(), boost::asio::detached);
    b.io.run();
    CHECK(b.collector.requests.size() == 1);
    CHECK(b.dropped("export_failed") == 1);
}

TEST_CASE("spans past the memory for them are dropped and counted") {
    bench b;
    b.config.queue.value = 2000;
    trace_exporter exporter = b.make();
    for (int i = 0; i < 1000; ++i) exporter.add(some_span());
    CHECK(b.dropped("queue_full") > 900);
}

TEST_CASE("without an endpoint nothing is kept and nothing is sent") {
    bench b;
    b.config.endpoint.clear();
    trace_exporter exporter = b.make();
    exporter.add(some_span());
    boost::asio::co_spawn(b.io, exporter.run(), boost::asio::detached);
    b.io.run();
    CHECK(b.collector.requests.empty());
    CHECK(b.dropped("queue_full") == 0);
}

TEST_CASE("the delay before a repeated call is the collector's when it names one") {
    CHECK(retry_delay(error{error_kind::upstream_connect}) == 1000ms);
    CHECK(retry_delay(answer(429)) == 1000ms);
    CHECK(retry_delay(answer(503, "7")) == 7000ms);
    CHECK(retry_delay(answer(502, "86400")) == 30000ms);
    CHECK(retry_delay(answer(504, "Wed, 21 Oct 2026 07:28:00 GMT")) == 1000ms);
    CHECK(retry_delay(answer(504, "-1")) == 1000ms);
    CHECK_FALSE(retry_delay(answer(400)));
    CHECK_FALSE(retry_delay(answer(500)));
    CHECK_FALSE(retry_delay(answer(200)));
}
