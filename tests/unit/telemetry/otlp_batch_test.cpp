#include "telemetry/otlp_batch.hpp"

#include <catch2/catch.hpp>

#include <simdjson.h>

#include <map>

using namespace sluice;
using namespace sluice::telemetry;
using namespace std::chrono_literals;

namespace {

const trace_context context{
    {0x5b8efff798038103, 0xd269b633813fc60c}, {0xeee19b7ec3c1b173}, {0xeee19b7ec3c1b174}, true, "foo=1"};

access_record record() {
    access_record r;
    r.time = std::chrono::system_clock::time_point{1544712661s};
    r.duration = 1500ms;
    r.upstream = 1400ms;
    r.method = "POST";
    r.path = "/v1/chat/completions";
    r.route = "chat";
    r.status = 200;
    r.model = "gpt-4o";
    r.provider = "openai";
    r.upstream_model = "gpt-4o-2024";
    r.usage = {10, 20, 5, -1};
    r.attempts = 1;
    return r;
}

upstream_attempt attempt() {
    upstream_attempt a;
    a.id = {0x77};
    a.provider = "openai";
    a.upstream_model = "gpt-4o-2024";
    a.host = "api.openai.com";
    a.port = 443;
    a.method = "POST";
    a.start = std::chrono::system_clock::time_point{1s};
    a.end = std::chrono::system_clock::time_point{2s};
    a.status = 200;
    return a;
}

std::map<std::string, std::string> attributes(const span& s) {
    std::map<std::string, std::string> out;
    for (const span_attribute& a : s.attributes) {
        std::string& text = out[std::string{a.key}];
        REQUIRE(text.empty());  // no key twice
        if (const auto* value = std::get_if<std::string>(&a.value)) text = *value;
        if (const auto* value = std::get_if<std::int64_t>(&a.value)) text = std::to_string(*value);
        if (const auto* value = std::get_if<bool>(&a.value)) text = *value ? "true" : "false";
    }
    return out;
}

}  // namespace

TEST_CASE("a request has hexadecimal ids, numbers for enumerations and strings for 64-bit integers") {
    otlp_batch batch{"my \"gateway\"", "0.1"};
    batch.add(exchange_span(context, record(), "chat"));
    batch.add(attempt_span(context, attempt(), "chat"));
    CHECK(batch.spans() == 2);
    const std::string body = batch.take();
    CAPTURE(body);
    CHECK(batch.empty());
    CHECK(batch.bytes() == 0);

    simdjson::dom::parser parser;
    const simdjson::dom::element document = parser.parse(body);
    const auto text = [&](const char* pointer) { return std::string{std::string_view{document.at_pointer(pointer)}}; };
    CHECK(text("/resourceSpans/0/resource/attributes/0/key") == "service.name");
    CHECK(text("/resourceSpans/0/resource/attributes/0/value/stringValue") == "my \"gateway\"");
    CHECK(text("/resourceSpans/0/scopeSpans/0/scope/name") == "sluice");
    const std::string server = "/resourceSpans/0/scopeSpans/0/spans/0/";
    const auto of_server = [&](const char* name) { return text((server + name).c_str()); };
    CHECK(of_server("traceId") == "5b8efff798038103d269b633813fc60c");
    CHECK(of_server("spanId") == "eee19b7ec3c1b174");
    CHECK(of_server("parentSpanId") == "eee19b7ec3c1b173");
    CHECK(of_server("traceState") == "foo=1");
    CHECK(of_server("name") == "chat gpt-4o");
    CHECK(of_server("startTimeUnixNano") == "1544712659500000000");
    CHECK(of_server("endTimeUnixNano") == "1544712661000000000");
    CHECK(std::int64_t{document.at_pointer(server + "kind")} == 2);
    CHECK(document.at_pointer(server + "status").error() == simdjson::NO_SUCH_FIELD);
    CHECK(body.find("{\"key\":\"gen_ai.usage.input_tokens\",\"value\":{\"intValue\":\"10\"}}") != std::string::npos);
    CHECK(body.find("{\"key\":\"sluice.stream\",\"value\":{\"boolValue\":false}}") != std::string::npos);
    CHECK(text("/resourceSpans/0/scopeSpans/0/spans/1/parentSpanId") == "eee19b7ec3c1b174");
    CHECK(text("/resourceSpans/0/scopeSpans/0/spans/1/spanId") == "0000000000000077");
    CHECK(std::int64_t{document.at_pointer("/resourceSpans/0/scopeSpans/0/spans/1/kind")} == 3);
}

TEST_CASE("a batch can be filled again after it was taken") {
    otlp_batch batch{"s", "v"};
    simdjson::dom::parser parser;
    for (int i = 0; i < 2; ++i) {
        batch.add(exchange_span(context, record(), "chat"));
        CHECK(simdjson::dom::element{parser.parse(batch.take())}
                  .at_pointer("/resourceSpans/0/scopeSpans/0/spans/0")
                  .error() == simdjson::SUCCESS);
    }
    CHECK(parser.parse(batch.take()).error() == simdjson::SUCCESS);  // empty
}

TEST_CASE("the span of an exchange carries the conventions' attributes") {
    const auto a = attributes(exchange_span(context, record(), "chat"));
    CHECK(a.at("gen_ai.operation.name") == "chat");
    CHECK(a.at("gen_ai.provider.name") == "openai");
    CHECK(a.at("gen_ai.request.model") == "gpt-4o");
    CHECK(a.at("gen_ai.response.model") == "gpt-4o-2024");
    CHECK(a.at("gen_ai.usage.output_tokens") == "20");
    CHECK(a.at("gen_ai.usage.cache_read.input_tokens") == "5");
    CHECK_FALSE(a.contains("gen_ai.usage.reasoning.output_tokens"));
    CHECK(a.at("http.request.method") == "POST");
    CHECK(a.at("http.response.status_code") == "200");
    CHECK(a.at("sluice.overhead_us") == "100000");
    CHECK_FALSE(a.contains("error.type"));
}

TEST_CASE("an exchange without a model is an HTTP span whose name a client cannot choose") {
    access_record r = record();
    r.model = {};
    r.method = "BREW-1234";
    const span s = exchange_span(context, r, "");
    CHECK(s.name == "_OTHER chat");
    CHECK_FALSE(attributes(s).contains("gen_ai.operation.name"));
}

TEST_CASE("a span failed when the gateway or its upstream did, not when the client did") {
    access_record r = record();
    r.status = 400;
    r.failure = error_kind::bad_request;
    CHECK_FALSE(exchange_span(context, r, "chat").failed);
    CHECK(attributes(exchange_span(context, r, "chat")).at("error.type") == "bad_request");
    r.status = 200;  // broke off after the head
    r.failure = error_kind::upstream_reset;
    CHECK(exchange_span(context, r, "chat").failed);
    r.failure = {};
    r.status = 503;
    CHECK(exchange_span(context, r, "chat").failed);
    CHECK(attributes(exchange_span(context, r, "chat")).at("error.type") == "503");
}

TEST_CASE("an attempt failed when its upstream answered with any error") {
    upstream_attempt a = attempt();
    a.status = 429;
    a.number = 2;
    const span s = attempt_span(context, a, "chat");
    CHECK(s.failed);
    const auto list = attributes(s);
    CHECK(list.at("error.type") == "429");
    CHECK(list.at("server.address") == "api.openai.com");
    CHECK(list.at("server.port") == "443");
    CHECK(list.at("http.request.resend_count") == "1");
}
