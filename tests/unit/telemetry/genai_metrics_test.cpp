#include "telemetry/genai_metrics.hpp"

#include "telemetry/gateway_metrics.hpp"
#include "telemetry/registry.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::telemetry;
using namespace std::chrono_literals;

namespace {

const genai_labels gpt{"r", "chat", "openai", "gpt-4o", "gpt-4o-2024"};
constexpr auto rest =
    "gen_ai_operation_name=\"chat\",gen_ai_provider_name=\"openai\",gen_ai_request_model=\"gpt-4o\","
    "gen_ai_response_model=\"gpt-4o-2024\"";

bool has(const std::string& text, const std::string& line) {
    return text.find("\n" + line + "\n") != std::string::npos;
}

genai_outcome streamed() {
    genai_outcome o;
    o.duration = 2s;
    o.time_to_first_token = 500ms;
    o.usage = {10, 4, 5, -1};
    return o;
}

}  // namespace

TEST_CASE("a streamed answer counts its duration, its first token, its pace and its tokens") {
    registry r{1};
    genai_metrics m{r.worker(0)};
    m.series(gpt).record(streamed());
    const std::string text = r.scrape();
    CAPTURE(text);
    const std::string labels = std::string{"{"} + rest + ",route=\"r\"} ";
    CHECK(has(text,
              std::string{"gen_ai_server_request_duration_seconds_sum{error_type=\"\","} + rest + ",route=\"r\"} 2"));
    CHECK(has(text, "gen_ai_server_time_to_first_token_seconds_sum" + labels + "0.5"));
    CHECK(has(text, "gen_ai_server_time_per_output_token_seconds_sum" + labels + "0.5"));  // 1.5 s / 3
    const auto tokens = [&](const std::string& type, const std::string& n) {
        return has(text, std::string{"gen_ai_client_token_usage_sum{"} + rest + ",gen_ai_token_type=\"" + type +
                             "\",route=\"r\"} " + n);
    };
    CHECK(tokens("input", "10"));
    CHECK(tokens("output", "4"));
    CHECK(tokens("cached_input", "5"));
    CHECK(text.find("reasoning") == std::string::npos);
}

TEST_CASE("a failed answer counts under its error and says nothing of token times") {
    registry r{1};
    genai_metrics m{r.worker(0)};
    auto failed = streamed();
    failed.failure = error_kind::upstream_idle_timeout;
    m.series(gpt).record(failed);
    const std::string text = r.scrape();
    CHECK(text.find("error_type=\"upstream_idle_timeout\"") != std::string::npos);
    CHECK(text.find("time_to_first_token") == std::string::npos);
    CHECK(text.find("time_per_output_token") == std::string::npos);
}

TEST_CASE("an answer of one token has no time per output token") {
    registry r{1};
    genai_metrics m{r.worker(0)};
    auto one = streamed();
    one.usage.output = 1;
    m.series(gpt).record(one);
    CHECK(r.scrape().find("time_per_output_token") == std::string::npos);
}

TEST_CASE("labels are found again by their text, not by their address or their joint") {
    registry r{1};
    genai_metrics m{r.worker(0)};
    const std::string route = "r", model = "gpt-4o";
    CHECK(&m.series(gpt) == &m.series({route, "chat", "openai", model, "gpt-4o-2024"}));
    CHECK(&m.series({"ab", "c", "", "", ""}) != &m.series({"a", "bc", "", "", ""}));
}

TEST_CASE("past its bound the cache hands out one series called other") {
    registry r{1};
    genai_metrics m{r.worker(0)};
    for (std::size_t i = 0; i < genai_metrics::label_sets_max; ++i) m.series({"r", "chat", "p", std::to_string(i), ""});
    genai_series& late = m.series({"r", "chat", "p", "late", ""});
    CHECK(&late == &m.series({"r", "chat", "p", "later", ""}));
    CHECK(late.labels().request_model == "other");
    CHECK(m.series({"r", "chat", "p", "7", ""}).labels().request_model == "7");
}

TEST_CASE("an exchange counts by class of its status and by the time that was the gateway's") {
    registry r{1};
    route_metrics route{r.worker(0), "chat"};
    for (int i = 0; i < 5; ++i) route.started();
    route.finished(200, 10ms, 9ms);
    route.finished(503, 1ms, 0ms);
    route.finished(0, 1ms, 0ms);
    route.finished(499, 1ms, 2ms);  // clocks may disagree: never negative
    const std::string text = r.scrape();
    CAPTURE(text);
    CHECK(has(text, "sluice_requests_total{route=\"chat\",status_class=\"2xx\"} 1"));
    CHECK(has(text, "sluice_requests_total{route=\"chat\",status_class=\"5xx\"} 1"));
    CHECK(has(text, "sluice_requests_total{route=\"chat\",status_class=\"aborted\"} 2"));
    CHECK(has(text, "sluice_active_exchanges{route=\"chat\"} 1"));
    CHECK(has(text, "sluice_overhead_seconds_sum{route=\"chat\"} 0.003"));
}

TEST_CASE("connections are counted when they open, close or are refused") {
    registry r{1};
    listener_metrics l{r.worker(0), "main"};
    l.accepted();
    l.accepted();
    l.closed();
    l.refused(listener_metrics::refusal::tls);
    const std::string text = r.scrape();
    CHECK(has(text, "sluice_connections_accepted_total{listener=\"main\"} 2"));
    CHECK(has(text, "sluice_connections_open{listener=\"main\"} 1"));
    CHECK(has(text, "sluice_connections_refused_total{listener=\"main\",reason=\"tls\"} 1"));
}
