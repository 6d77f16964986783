#include "telemetry/access_record.hpp"

#include <catch2/catch.hpp>

#include <simdjson.h>

#include <algorithm>
#include <vector>

using namespace sluice;
using namespace sluice::telemetry;
using namespace std::chrono_literals;

namespace {

access_record full() {
    access_record r;
    r.time = std::chrono::sys_days{std::chrono::year{2026} / 2 / 3} + 4h + 5min + 6s + 7ms + 800us;
    r.request_id = "req1";
    r.trace_id = "0af7651916cd43dd8448eb211c80319c";
    r.client = "203.0.113.9";
    r.method = "POST";
    r.path = "/v1/chat/completions";
    r.query = "key=secret";
    r.route = "chat";
    r.status = 200;
    r.key_id = "team-a";
    r.tenant = "a";
    r.model = "gpt-4o";
    r.provider = "openai";
    r.endpoint = "api.openai.com";
    r.upstream_model = "gpt-4o-2024";
    r.stream = true;
    r.fell_back = true;
    r.attempts = 2;
    r.usage = {10, 20, 5, 3};
    r.bytes_in = 100;
    r.bytes_out = 2000;
    r.events = 21;
    r.duration = 1234567us;
    r.time_to_first_byte = 100ms;
    r.upstream = 1234ms;
    r.failure = error_kind::upstream_reset;
    r.aborted = abort_reason::client_gone;
    return r;
}

std::string line_of(const access_record& r, bool query = false) {
    std::string out;
    access_line_format{query}.append(out, r);
    return out;
}

}  // namespace

TEST_CASE("a line holds every field that is known") {
    CHECK(line_of(full()) ==
          "{\"time\":\"2026-02-03T04:05:06.007Z\",\"request_id\":\"req1\","
          "\"trace_id\":\"0af7651916cd43dd8448eb211c80319c\",\"client\":\"203.0.113.9\",\"method\":\"POST\","
          "\"path\":\"/v1/chat/completions\",\"route\":\"chat\",\"status\":200,\"key_id\":\"team-a\",\"tenant\":\"a\","
          "\"model\":\"gpt-4o\",\"provider\":\"openai\",\"endpoint\":\"api.openai.com\","
          "\"upstream_model\":\"gpt-4o-2024\",\"stream\":true,\"attempts\":2,\"fell_back\":true,\"input_tokens\":10,"
          "\"output_tokens\":20,\"cached_input_tokens\":5,\"reasoning_tokens\":3,\"bytes_in\":100,\"bytes_out\":2000,"
          "\"events\":21,\"duration_ms\":1234.567,\"ttft_ms\":100.000,\"upstream_ms\":1234.000,\"overhead_us\":567,"
          "\"error\":\"upstream_reset\",\"aborted\":\"client_gone\"}\n");
}

TEST_CASE("what is not known is left out") {
    CHECK(line_of({}) ==
          "{\"time\":\"1970-01-01T00:00:00.000Z\",\"status\":0,\"stream\":false,\"attempts\":0,\"fell_back\":false,"
          "\"duration_ms\":0.000,\"upstream_ms\":0.000,\"overhead_us\":0}\n");
}

TEST_CASE("the query is logged only when it was asked for") {
    CHECK(line_of(full()).find("secret") == std::string::npos);
    CHECK(line_of(full(), true).find("\"query\":\"key=secret\"") != std::string::npos);
}

TEST_CASE("lines of one second and of the next carry their own time") {
    access_line_format format{false};
    access_record r;
    std::string out;
    for (const auto at : {1999ms, 2000ms, 2001ms, 1000ms}) {
        r.time = std::chrono::system_clock::time_point{at};
        format.append(out, r);
    }
    for (const char* time : {"00:00:01.999Z", "00:00:02.000Z", "00:00:02.001Z", "00:00:01.000Z"}) {
        CHECK(out.find(time) != std::string::npos);
    }
}

TEST_CASE("no text in any field can break out of its line") {
    std::string_view access_record::* const texts[] = {
        &access_record::request_id,    &access_record::trace_id, &access_record::client,   &access_record::method,
        &access_record::path,          &access_record::query,    &access_record::route,    &access_record::key_id,
        &access_record::tenant,        &access_record::model,    &access_record::provider, &access_record::endpoint,
        &access_record::upstream_model};
    const std::string canaries[] = {"\n{\"status\":500}",
                                    "\r\nX: y",
                                    "\x1b[2J\x1b]0;x\x07",
                                    "\",\"key_id\":\"admin",
                                    "\\",
                                    std::string("\0\0", 2),
                                    "\xff\xfe\xc3",
                                    "\xed\xa0\x80",
                                    "\xe2\x80\xa8\xe2\x80\xae",
                                    std::string(100000, '\x01'),
                                    std::string(100000, '\xff')};
    simdjson::dom::parser parser;
    for (const std::string& canary : canaries) {
        access_record all = full();
        for (const auto field : texts) {
            access_record one = full();
            one.*field = all.*field = canary;
            const std::string line = line_of(one, true);
            REQUIRE(std::count(line.begin(), line.end(), '\n') == 1);
            REQUIRE(std::none_of(line.begin(), line.end() - 1, [](char c) { return c >= 0 && c < 0x20; }));
            simdjson::dom::object object;
            REQUIRE(parser.parse(line).get(object) == simdjson::SUCCESS);
            REQUIRE(std::int64_t{object["status"]} == 200);
            REQUIRE(object.size() == 31);
        }
        const std::string line = line_of(all, true);
        CHECK(line.size() < 32 * 1024);
        CHECK(parser.parse(line).error() == simdjson::SUCCESS);
    }
}

namespace {

struct no_host final : exchange::host {
    void cancel(exchange&) override {}
    std::size_t body_bytes_max() const override { return 0; }
};
struct no_body final : request_body {
    awaitable<result<std::string_view>> read() override { co_return std::string_view{}; }
    awaitable<result<std::string_view>> collect(std::size_t, json_reader*) override { co_return std::string_view{}; }
    void release() override {}
    std::optional<std::uint64_t> length() const override { return {}; }
};

}  // namespace

TEST_CASE("the record of an exchange takes over its facts and leaves its credentials") {
    no_host host;
    no_body body;
    request_head head;
    head.method = "POST";
    head.target = "/v1/models/x:generate?key=AIzaSecret";
    head.headers.add("authorization", "Bearer canary");
    exchange x{host, head, body};
    x.caller.key_id = "team-a";
    x.model = "m";
    x.stream = true;
    x.status = 502;
    x.reply_bytes = 7;
    x.reply_events = 2;
    x.upstream_time = 5ms;
    x.first_byte = x.started() + 3ms;
    upstream_endpoint endpoint;
    endpoint.provider = "openai";
    x.target.emplace().endpoint = &endpoint;
    x.fail(error{error_kind::upstream_reset, "canary"});
    const access_record r = record_of(x, 11, x.started() + 9ms, std::chrono::system_clock::time_point{});
    CHECK(r.path == "/v1/models/x:generate");
    CHECK(r.query == "key=AIzaSecret");
    CHECK(r.provider == "openai");
    CHECK(r.overhead() == 4ms);
    CHECK(r.time_to_first_byte == 3ms);
    CHECK(r.failure == error_kind::upstream_reset);
    const std::string line = line_of(r);
    CHECK(line.find("canary") == std::string::npos);
    CHECK(line.find("AIza") == std::string::npos);
    CHECK(line.find("\"events\":2") != std::string::npos);
}
