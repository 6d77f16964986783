#include "sim/model_server.hpp"

#include <catch2/catch.hpp>

#include "sim/wire.hpp"

using namespace sluice::sim;

namespace {

// Sends requests to a server without sockets and shows whole bodies and events.
struct client {
    model_server server;
    reply last;

    explicit client(server_profile p = {}) : server(std::move(p)) {}

    std::string post(std::string_view path, std::string_view body, std::string_view fields = "") {
        std::string bytes = "POST ";
        bytes += path;
        bytes += " HTTP/1.1\r\n";
        bytes += fields;
        bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
        bytes += body;
        request_parser parser;
        request r;
        REQUIRE(parser.parse(bytes, r) == request_parser::status::ready);
        last.clear();
        server.handle(r, last);
        if (last.how == reply::kind::whole) return last.body;
        last.said.cached_tokens = server.engine().run_at_once(last.sequence);
        if (last.how == reply::kind::generated) {
            std::string out;
            write_whole(out, last.said);
            return out;
        }
        event_list events;
        write_events(events, last.said);
        return std::string(events.bytes());
    }
};

std::string chat(std::string_view text, std::string_view more = "") {
    return R"({"model":"sim-model","messages":[{"role":"user","content":")" + std::string(text) + "\"}]" +
           std::string(more) + "}";
}

std::string field(const std::string& json, std::string_view pointer) {
    simdjson::dom::parser parser;
    simdjson::dom::element e;
    if (parser.parse(json).at_pointer(pointer).get(e) != simdjson::SUCCESS) return "(absent)";
    std::string_view text;
    return e.get(text) == simdjson::SUCCESS ? std::string(text) : simdjson::minify(e);
}

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a chat completion says the same again for the same prompt and seed") {
    client c;
    const auto first = c.post("/v1/chat/completions", chat("hello"));
    CHECK(field(first, "/object") == "chat.completion");
    CHECK(field(first, "/choices/0/finish_reason") == "stop");
    const auto text = field(first, "/choices/0/message/content");
    CHECK(field(c.post("/v1/chat/completions", chat("hello")), "/choices/0/message/content") == text);
    CHECK(field(c.post("/v1/chat/completions", chat("hello", R"(,"seed":5)")), "/choices/0/message/content") != text);
    CHECK(field(c.post("/v1/chat/completions", chat("hello", R"(,"max_tokens":3)")), "/choices/0/finish_reason") ==
          "length");
}

TEST_CASE("a stream begins with the role, ends with [DONE], and has usage exactly when asked") {
    client c;
    auto events = c.post("/v1/chat/completions", chat("hi", R"(,"stream":true)"));
    CHECK(has(events.substr(0, events.find("\n\n")), R"("role":"assistant")"));
    CHECK(events.ends_with("data: [DONE]\n\n"));
    CHECK_FALSE(has(events, "usage"));
    events = c.post("/v1/chat/completions", chat("hi", R"(,"stream":true,"stream_options":{"include_usage":true})"));
    CHECK(has(events, R"("choices":[],"usage":{"prompt_tokens":)"));
}

TEST_CASE("repeated prompts report the tokens found in the cache") {
    client c;
    const auto body = chat(std::string(4000, 'w'));
    CHECK(field(c.post("/v1/chat/completions", body), "/usage/prompt_tokens_details/cached_tokens") == "0");
    CHECK(field(c.post("/v1/chat/completions", body), "/usage/prompt_tokens_details/cached_tokens") == "992");
}

TEST_CASE("tools are called when the user says so, and as many as he says") {
    client c;
    const std::string tools = R"(,"tools":[{"type":"function","function":{"name":"f","parameters":)"
                              R"({"type":"object","properties":{"n":{"type":"integer"}}}}}])";
    auto reply = c.post("/v1/chat/completions", chat("call 2 tools", tools));
    CHECK(field(reply, "/choices/0/finish_reason") == "tool_calls");
    CHECK(field(reply, "/choices/0/message/tool_calls/1/function/name") == "f");
    CHECK(field(reply, "/choices/0/message/tool_calls/2") == "(absent)");
    CHECK(has(field(reply, "/choices/0/message/tool_calls/0/function/arguments"), R"({"n":)"));
    reply = c.post("/v1/chat/completions", chat("call 2 tools", tools + R"(,"tool_choice":"none")"));
    CHECK(field(reply, "/choices/0/finish_reason") == "stop");
    reply = c.post("/v1/chat/completions", chat("hello", tools + R"(,"tool_choice":"required")"));
    CHECK(field(reply, "/choices/0/finish_reason") == "tool_calls");
}

TEST_CASE("a stop sequence ends the text before it") {
    client c;
    const auto reply = c.post("/v1/chat/completions", chat("x", R"(,"stop":["two"])"), "x-sim-text: one two three\r\n");
    CHECK(field(reply, "/choices/0/message/content") == "one ");
}

TEST_CASE("messages and responses answer in their own shapes") {
    client c;
    const auto message = c.post("/v1/messages", chat("hello", R"(,"max_tokens":5)"));
    CHECK(field(message, "/type") == "message");
    CHECK(field(message, "/stop_reason") == "max_tokens");
    const auto response = c.post("/v1/responses", R"({"model":"m","input":"hello"})");
    CHECK(field(response, "/status") == "completed");
    CHECK(field(response, "/output/0/content/0/type") == "output_text");
    const auto events = c.post("/v1/messages", chat("hello", R"(,"max_tokens":5,"stream":true)"));
    CHECK(events.starts_with("event: message_start\n"));
    CHECK(events.ends_with("data: {\"type\":\"message_stop\"}\n\n"));
}

TEST_CASE("a scripted failure has the status, the body of the dialect and Retry-After") {
    client c;
    const auto openai = c.post("/v1/chat/completions", chat("x"), "x-sim-fault: status=429;retry-after=7\r\n");
    CHECK(c.last.status == 429);
    CHECK(field(openai, "/error/type") == "rate_limit_error");
    CHECK(has(c.last.headers, "retry-after: 7\r\n"));
    const auto anthropic = c.post("/v1/messages", chat("x [[sim-fault status=529]]"));
    CHECK(c.last.status == 529);
    CHECK(field(anthropic, "/error/type") == "overloaded_error");
}

TEST_CASE("faults posted beforehand strike the next requests only") {
    client c;
    (void)c.post("/sim/faults", "status=500;next=1");
    (void)c.post("/v1/chat/completions", chat("x"));
    CHECK(c.last.status == 500);
    (void)c.post("/v1/chat/completions", chat("x"));
    CHECK(c.last.status == 200);
    (void)c.post("/sim/faults", "stauts=500");
    CHECK(c.last.status == 400);
}

TEST_CASE("a prompt beyond the context length is refused as the API refuses it") {
    server_profile p;
    p.speed.model_tokens_max = 100;
    client c(p);
    const auto reply = c.post("/v1/chat/completions", chat(std::string(500, 'w')));
    CHECK(c.last.status == 400);
    CHECK(field(reply, "/error/code") == "context_length_exceeded");
}

TEST_CASE("strict models are enforced") {
    server_profile p;
    p.strict_models = true;
    client c(p);
    (void)c.post("/v1/chat/completions", R"({"model":"other","messages":[{"role":"user","content":"x"}]})");
    CHECK(c.last.status == 404);
}

TEST_CASE("paced events have the length asked for") {
    client c;
    const auto events =
        c.post("/v1/chat/completions", chat("x", R"(,"stream":true)"), "x-sim-stream: events=5,bytes=300,gap=1ms\r\n");
    CHECK(c.last.paced.events == 5);
    std::size_t fitting = 0;
    for (std::size_t at = 0; at < events.size();) {
        const auto end = events.find("\n\n", at) + 2;
        fitting += end - at == 300 ? 1U : 0U;
        at = end;
    }
    CHECK(fitting == 5);
    CHECK_FALSE(parse_pace("events=5,bytes=x"));
    CHECK_FALSE(parse_pace("events=99999999999,bytes=1000000"));
}

TEST_CASE("load is told in the names of each engine and in the response header when asked") {
    for (const auto& [word, name] : {std::pair{"vllm", "vllm:num_requests_waiting"},
                                     {"sglang", "sglang:num_queue_reqs"},
                                     {"trtllm", "trtllm_num_requests_waiting"},
                                     {"tgi", "tgi_queue_size"}}) {
        server_profile p;
        p.engine = *engine_names_of(word);
        client c(p);
        CHECK(has(c.post("/metrics", ""), name));
    }
    client c;
    (void)c.post("/v1/chat/completions", chat("x"), "endpoint-load-metrics-format: TEXT\r\n");
    CHECK(has(c.last.headers, "endpoint-load-metrics: TEXT named_metrics.kv_cache_usage_perc=0, "));
}

TEST_CASE("the head carries both framings or none when the fault asks for it") {
    reply r;
    const auto head = [&r] {
        std::string out;
        write_head(out, r, 5, true);
        return out;
    };
    CHECK(head() == "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5\r\n\r\n");
    r.fault.cl_te = true;
    CHECK(has(head(), "content-length: 5\r\ntransfer-encoding: chunked\r\n"));
    r.fault = {};
    r.fault.no_length = r.fault.no_reason = true;
    CHECK(head() == "HTTP/1.1 200\r\ncontent-type: application/json\r\n\r\n");
}
