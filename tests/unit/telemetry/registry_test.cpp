#include "telemetry/registry.hpp"

#include "telemetry/gateway_metrics.hpp"
#include "telemetry/genai_metrics.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

using namespace sluice;
using namespace sluice::telemetry;
using namespace std::chrono_literals;

namespace {

bool has_line(const std::string& text, const std::string& line) {
    return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

std::size_t count(const std::string& text, const std::string& what) {
    std::size_t n = 0;
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
    return n;
}

}  // namespace

TEST_CASE("a scrape adds up what the workers counted") {
    registry r{2};
    r.worker(0).get_counter("x_total", "Help.", {{"a", "1"}}).add(3);
    r.worker(1).get_counter("x_total", "Help.", {{"a", "1"}}).add(4);
    r.shared().get_counter("x_total", "Help.", {{"a", "2"}}).add(5);
    r.worker(0).get_gauge("level", "Help.").add(10);
    r.worker(1).get_gauge("level", "Help.").add(-3);
    const double bounds[] = {0.5, 1};
    r.worker(0).get_histogram("h", "Help.", bounds).observe(0.25);
    r.worker(1).get_histogram("h", "Help.", bounds).observe(0.75);
    r.worker(1).get_histogram("h", "Help.", bounds).observe(2);
    const std::string text = r.scrape();
    CAPTURE(text);
    CHECK(has_line(text, "# TYPE x_total counter"));
    CHECK(has_line(text, "x_total{a=\"1\"} 7"));
    CHECK(has_line(text, "x_total{a=\"2\"} 5"));
    CHECK(has_line(text, "level 7"));
    CHECK(has_line(text, "h_bucket{le=\"0.5\"} 1"));
    CHECK(has_line(text, "h_bucket{le=\"1\"} 2"));
    CHECK(has_line(text, "h_bucket{le=\"+Inf\"} 3"));
    CHECK(has_line(text, "h_count 3"));
    CHECK(has_line(text, "h_sum 3"));
}

TEST_CASE("the same name and labels give the same handle, whatever the order of the labels") {
    registry r{2};
    counter& a = r.worker(0).get_counter("x_total", "Help.", {{"a", "1"}, {"b", "2"}});
    CHECK(&a == &r.worker(0).get_counter("x_total", "Help.", {{"b", "2"}, {"a", "1"}}));
    CHECK(&a != &r.worker(1).get_counter("x_total", "Help.", {{"a", "1"}, {"b", "2"}}));
    CHECK(&a != &r.worker(0).get_counter("x_total", "Help.", {{"a", "2"}, {"b", "1"}}));
}

TEST_CASE("handles of two workers never share a cache line") {
    registry r{2};
    const auto line = [](const auto& handle) { return reinterpret_cast<std::uintptr_t>(&handle) / 64; };
    CHECK(line(r.worker(0).get_counter("x_total", "Help.")) != line(r.worker(1).get_counter("x_total", "Help.")));
    CHECK(reinterpret_cast<std::uintptr_t>(&r.worker(0).get_gauge("g", "Help.")) % 64 == 0);
}

TEST_CASE("a family that is used in two ways is a bug") {
    registry r{1};
    metrics& m = r.worker(0);
    const double bounds[] = {1, 2};
    const double others[] = {1, 3};
    m.get_counter("x_total", "Help.", {{"a", "1"}});
    m.get_histogram("h", "Help.", bounds);
    CHECK_THROWS_AS(m.get_counter("x_total", "Other help.", {{"a", "1"}}), std::logic_error);
    CHECK_THROWS_AS(m.get_counter("x_total", "Help.", {{"b", "1"}}), std::logic_error);
    CHECK_THROWS_AS(m.get_counter("x_total", "Help."), std::logic_error);
    CHECK_THROWS_AS(m.get_gauge("h", "Help."), std::logic_error);
    CHECK_THROWS_AS(m.get_histogram("h", "Help.", others), std::logic_error);
    CHECK_THROWS_AS(r.computed("x_total", "Help.", metric_kind::counter, [] { return 1.0; }, {{"a", "1"}}),
                    std::logic_error);
    CHECK_THROWS_AS(r.worker(1), std::out_of_range);
}

TEST_CASE("names that promtool would refuse are a bug") {
    registry r{1};
    metrics& m = r.worker(0);
    CHECK_THROWS_AS(m.get_counter("x", "No _total."), std::logic_error);
    CHECK_THROWS_AS(m.get_gauge("x_total", "A gauge."), std::logic_error);
    CHECK_THROWS_AS(m.get_gauge("x-y", "Bad name."), std::logic_error);
    CHECK_THROWS_AS(m.get_gauge("1x", "Bad name."), std::logic_error);
    CHECK_THROWS_AS(m.get_gauge("x", ""), std::logic_error);
    CHECK_THROWS_AS(m.get_gauge("x", "Two\nlines."), std::logic_error);
    CHECK_THROWS_AS(m.get_gauge("x", "Help.", {{"le", "1"}}), std::logic_error);
    CHECK_THROWS_AS(m.get_gauge("x", "Help.", {{"__a", "1"}}), std::logic_error);
    CHECK_THROWS_AS(m.get_gauge("x", "Help.", {{"a", "1"}, {"a", "2"}}), std::logic_error);
}

TEST_CASE("label sets past the bound of a family are counted as other") {
    registry r{1};
    for (int i = 0; i < 1200; ++i) r.worker(0).get_counter("x_total", "Help.", {{"n", std::to_string(i)}}).add();
    const std::string text = r.scrape();
    CHECK(count(text, "\nx_total{") == registry::series_max + 1);
    CHECK(has_line(text, "x_total{n=\"other\"} 200"));
    CHECK(has_line(text, "sluice_metric_series_refused_total 200"));
    // A label set from before the bound still finds its own series.
    r.worker(0).get_counter("x_total", "Help.", {{"n", "7"}}).add();
    CHECK(has_line(r.scrape(), "x_total{n=\"7\"} 2"));
}

TEST_CASE("a label value with quotes, line ends or broken UTF-8 still gives text that Prometheus reads") {
    registry r{1};
    r.worker(0).get_counter("x_total", "Help.", {{"n", "a\"b\\c\nd\xff"}}).add();
    CHECK(has_line(r.scrape(), "x_total{n=\"a\\\"b\\\\c\\nd\xef\xbf\xbd\"} 1"));
}

TEST_CASE("computed values are asked for at every scrape") {
    registry r{1};
    double level = 1.5;
    r.computed("level", "Help.", metric_kind::gauge, [&] { return level; });
    CHECK(has_line(r.scrape(), "level 1.5"));
    level = 2;
    CHECK(has_line(r.scrape(), "level 2"));
    r.computed("level", "Help.", metric_kind::gauge, [] { return 9.0; });
    CHECK(has_line(r.scrape(), "level 9"));
}

TEST_CASE("the process metrics are of this process") {
    registry r{1};
    add_process_metrics(r);
    const std::string text = r.scrape();
    const auto value = [&](const std::string& name) {
        const auto at = text.find("\n" + name + " ");
        REQUIRE(at != std::string::npos);
        return std::strtod(text.c_str() + at + name.size() + 2, nullptr);
    };
    CHECK(value("process_resident_memory_bytes") > 1e6);
    CHECK(value("process_virtual_memory_bytes") >= value("process_resident_memory_bytes"));
    CHECK(value("process_open_fds") >= 3);
    CHECK(value("process_max_fds") >= value("process_open_fds"));
    CHECK(value("process_threads") >= 1);
    CHECK(value("process_cpu_seconds_total") >= 0);
    const double start = value("process_start_time_seconds");
    CHECK(start <= static_cast<double>(std::time(nullptr)) + 2);
    CHECK(start > static_cast<double>(std::time(nullptr)) - 86400);
}

TEST_CASE("promtool finds nothing to complain about") {
    if (std::system("command -v promtool >/dev/null 2>&1") != 0) {
        WARN("promtool is not installed: skipped");
        return;
    }
    registry r{2};
    add_process_metrics(r);
    add_gateway_values(r, {[] { return 1.0; }, [] { return 0.0; }}, "0.1.0");
    route_metrics route{r.worker(0), "chat"};
    route.started();
    route.finished(200, 5ms, 4ms);
    listener_metrics{r.worker(1), "0.0.0.0:8080"}.accepted();
    upstream_error_metrics{r.worker(0), "openai"}.count(error_kind::upstream_reset);
    stage_seconds(r.worker(0), "chat", "auth").observe(0.0001);
    genai_metrics genai{r.worker(0)};
    genai_outcome outcome{2s, 100ms, {}, {}, 5};
    outcome.usage = {10, 20, 5, 3};
    genai.series({"chat", "chat", "openai", "gpt-4o", "gpt-4o-2024"}).record(outcome);

    FILE* tool = ::popen("promtool check metrics 2>&1", "w");
    REQUIRE(tool != nullptr);
    const std::string text = r.scrape();
    CHECK(std::fwrite(text.data(), 1, text.size(), tool) == text.size());
    CAPTURE(text);
    CHECK(::pclose(tool) == 0);
}

TEST_CASE("scrapes run while workers count and resolve") {
    registry r{2};
    std::atomic<bool> stop{false};
    std::vector<std::thread> workers;
    for (std::size_t w = 0; w < 2; ++w) {
        workers.emplace_back([&, w] {
            const double bounds[] = {1, 2, 3};
            counter& c = r.worker(w).get_counter("x_total", "Help.");
            histogram& h = r.worker(w).get_histogram("h", "Help.", bounds);
            for (int i = 0; i < 20000; ++i) {
                c.add();
                h.observe(i % 4);
                if (i % 1000 == 0) r.worker(w).get_gauge("g", "Help.", {{"n", std::to_string(i)}}).set(1);
            }
        });
    }
    std::thread scraper{[&] {
        while (!stop) r.scrape();
    }};
    for (auto& t : workers) t.join();
    stop = true;
    scraper.join();
    CHECK(has_line(r.scrape(), "x_total 40000"));
    CHECK(has_line(r.scrape(), "h_count 40000"));
}
