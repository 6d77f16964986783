#include "unit/routing/ext_proc/session_dialogue.hpp"

#include "routing/ext_proc/picker_headers.hpp"

#include <string>

using namespace sluice;
using namespace sluice::ext_proc;
using namespace std::chrono_literals;

namespace {

const std::string endpoint_a = "10.0.0.1:8000", endpoint_b = "10.0.0.2:8000";

struct dialogue : session_dialogue {
    processor_session& begin(bool last = false, std::vector<std::string> subset = {}) {
        session.emplace(config, [](std::string_view e) { return e == endpoint_a || e == endpoint_b; });
        message_head head{"POST", "http", "gateway", "/v1/chat/completions", 0, {}};
        head.headers.add("Content-Type", "application/json");
        head.headers.add("Connection", "keep-alive");
        session->on_request(std::move(head), last, std::move(subset), now);
        return *session;
    }
    void pick(const std::string& list) {
        wire::ProcessingResponse m;
        auto& lb = (*m.mutable_dynamic_metadata()->mutable_fields())["envoy.lb"];
        (*lb.mutable_struct_value()->mutable_fields())[std::string{destination_name}].set_string_value(list);
        set(*m.mutable_request_headers()->mutable_response(), std::string{destination_name}, list);
        says(m);
    }
    void body(std::string bytes, bool last) {
        wire::ProcessingResponse m;
        auto& s = *m.mutable_request_body()->mutable_response()->mutable_body_mutation()->mutable_streamed_response();
        s.set_body(std::move(bytes));
        s.set_end_of_stream(last);
        says(m);
    }
    void reply_body(std::string bytes, bool last) {
        wire::ProcessingResponse m;
        auto& s = *m.mutable_response_body()->mutable_response()->mutable_body_mutation()->mutable_streamed_response();
        s.set_body(std::move(bytes));
        s.set_end_of_stream(last);
        says(m);
    }
    void immediate(int code) {
        wire::ProcessingResponse m;
        m.mutable_immediate_response()->mutable_status()->set_code(code);
        m.mutable_immediate_response()->set_body("busy");
        says(m);
    }
    // The request is with the processor, body and all.
    processor_session& asked() {
        begin();
        session->on_request_body("{}", true, now);
        expect<send_message>();
        expect<send_message>();
        return *session;
    }
    processor_session& dispatched() {
        asked();
        pick(endpoint_a);
        body("{}", true);
        expect<dispatch>();
        return *session;
    }
    processor_session& responding() {
        dispatched();
        session->on_response({"", "", "", "", 200, {}}, false, endpoint_a, now);
        expect<send_message>();
        return *session;
    }
    void expect_unavailable() {
        expect<end_stream>();
        const auto reply = expect<immediate_reply>();
        CHECK(reply.status == 503);
        CHECK(reply.headers.contains("retry-after"));
        quiet();
    }
    void expect_native() {
        expect<end_stream>();
        const auto go = expect<dispatch>();
        CHECK(go.native);
        CHECK_FALSE(go.body);
        CHECK(go.head.headers.contains("content-type"));
        quiet();
    }
};

}  // namespace

TEST_CASE("a picker's request travels headers, body, pick, rewritten body, dispatch") {
    dialogue d;
    d.begin(false, {endpoint_a, endpoint_b});
    const auto head = d.sent();
    CHECK(head.protocol_config().request_body_mode() == wire::BODY_FULL_DUPLEX_STREAMED);
    CHECK(head.request_headers().headers().headers(0).key() == ":method");
    CHECK(head.request_headers().headers().headers(4).key() == "content-type");
    CHECK(head.request_headers().headers().headers_size() == 5);  // without Connection
    CHECK(head.metadata_context().filter_metadata().contains("envoy.lb.subset_hint"));
    d.session->on_request_body("{\"a\"", false, d.now);
    d.session->on_request_body(":1}", true, d.now);
    CHECK(d.sent().metadata_context().filter_metadata().empty());
    const auto last = d.sent();
    CHECK(last.request_body().end_of_stream());
    CHECK(last.metadata_context().filter_metadata().contains("envoy.lb.subset_hint"));
    d.pick(endpoint_b + ", " + endpoint_a);
    d.quiet();
    d.body("{\"a\":", false);
    d.body("2}", true);
    const auto go = d.expect<dispatch>();
    CHECK(go.endpoints == std::vector{endpoint_b, endpoint_a});
    CHECK(go.body == "{\"a\":2}");
    CHECK_FALSE(go.native);
    CHECK_FALSE(go.head.headers.contains(destination_name));
    CHECK_FALSE(d.session->deadline());
}

TEST_CASE("the served endpoint is named, and the reply passes through the picker") {
    dialogue d;
    auto& s = d.dispatched();
    s.on_response({"", "", "", "", 200, {}}, false, endpoint_a, d.now);
    const auto head = d.sent();
    const auto& lb = head.metadata_context().filter_metadata().at("envoy.lb");
    CHECK(lb.fields().at(std::string{served_name}).string_value() == endpoint_a);
    d.reply_head();
    CHECK(d.expect<respond_headers>().head.status == 200);
    s.on_response_body("one", false, d.now);
    d.expect<send_message>();
    d.reply_body("ONE", false);
    CHECK(d.expect<respond_body>().bytes == "ONE");
    s.on_response_body("two", true, d.now);
    d.expect<send_message>();
    CHECK(s.deadline());
    d.reply_body("TWO", true);
    CHECK(d.expect<respond_body>().last);
    d.expect<end_stream>();
    d.quiet();
}

TEST_CASE("fault: a processor that hangs before the end of the body is not blamed for a slow client") {
    dialogue d;
    d.begin();
    d.session->on_request_body("{", false, d.now);
    CHECK_FALSE(d.session->deadline());
}

TEST_CASE("fault: a processor that hangs after the end of the body meets the first-response deadline") {
    dialogue d;
    const bool open = GENERATE(false, true);
    d.config.on_failure = open ? failure_mode::open : failure_mode::closed;
    d.asked();
    REQUIRE(d.session->deadline() == d.now + d.config.first_response);
    d.session->on_deadline(d.now + d.config.first_response - 1ms);
    d.quiet();
    d.session->on_deadline(d.now + d.config.first_response);
    CHECK(d.session->failed() == failure::timeout);
    if (open) {
        d.expect_native();
    } else {
        d.expect_unavailable();
    }
}

TEST_CASE("fault: a half close before the pick means without me, after it the pick holds") {
    dialogue d;
    d.asked();
    SECTION("before") {
        d.session->on_closed(0, d.now);
        CHECK(d.expect<dispatch>().native);
    }
    SECTION("header-only reply") {
        d.pick(endpoint_a);
        d.session->on_closed(0, d.now);
        const auto go = d.expect<dispatch>();
        CHECK(go.endpoints == std::vector{endpoint_a});
        CHECK_FALSE(go.body);
    }
    SECTION("in the middle of the body") {
        d.pick(endpoint_a);
        d.body("{", false);
        d.session->on_closed(0, d.now);
        const auto reply = d.expect<immediate_reply>();
        CHECK(reply.status == 503);
    }
}

TEST_CASE("fault: a header-only reply without a close runs into the deadline") {
    dialogue d;
    d.asked();
    d.pick(endpoint_a);
    REQUIRE(d.session->deadline());
    d.session->on_deadline(*d.session->deadline());
    d.expect_unavailable();
}

TEST_CASE("fault: a reset fails closed or open") {
    dialogue d;
    SECTION("closed") {
        d.asked().on_closed(14, d.now);
        d.expect_unavailable();
    }
    SECTION("open") {
        d.config.on_failure = failure_mode::open;
        d.asked().on_closed(14, d.now);
        d.expect_native();
    }
    SECTION("open, even behind half of a new body: the original is still there") {
        d.config.on_failure = failure_mode::open;
        d.asked();
        d.pick(endpoint_a);
        d.body("{", false);
        d.session->on_closed(14, d.now);
        d.expect_native();
    }
    CHECK(d.session->failed() == failure::grpc_status);
}

TEST_CASE("fault: a message that is no protobuf") {
    dialogue d;
    d.asked().on_message("\xff\xff\xff", d.now);
    CHECK(d.session->failed() == failure::protocol);
    d.expect_unavailable();
}

TEST_CASE("fault: bodies in pieces of 62 KB and of one byte arrive whole") {
    dialogue d;
    const std::size_t size = GENERATE(std::size_t{62'000}, std::size_t{1});
    d.asked();
    d.pick(endpoint_a);
    for (int i = 0; i < 300; ++i) d.body(std::string(size, 'x'), i == 299);
    const auto go = d.expect<dispatch>();
    CHECK(go.body->size() == 300 * size);
}

TEST_CASE("fault: a body before the headers is out of order") {
    dialogue d;
    d.asked();
    d.body("{}", true);
    CHECK(d.session->failed() == failure::protocol);
    d.expect_unavailable();
}

TEST_CASE("fault: headers twice are out of order") {
    dialogue d;
    d.asked();
    d.pick(endpoint_a);
    d.pick(endpoint_a);
    CHECK(d.session->failed() == failure::protocol);
}

TEST_CASE("an immediate response is the answer, whenever it comes") {
    dialogue d;
    SECTION("before the end of the body") {
        d.begin();
        d.expect<send_message>();
    }
    SECTION("after dispatch") {
        d.dispatched();
    }
    SECTION("before the reply's head was passed") {
        d.responding();
    }
    d.immediate(429);
    d.expect<end_stream>();
    const auto reply = d.expect<immediate_reply>();
    CHECK(reply.status == 429);
    CHECK(reply.body == "busy");
    d.session->on_response({}, false, "", d.now);
    d.quiet();
}

TEST_CASE("an immediate response behind the reply's head breaks the reply off") {
    dialogue d;
    d.responding();
    d.reply_head();
    d.expect<respond_headers>();
    d.immediate(429);
    d.expect<end_stream>();
    d.expect<abort_reply>();
    d.quiet();
}

TEST_CASE("fault: endpoints outside the pool are refused and counted") {
    dialogue d;
    d.asked();
    SECTION("one of two") {
        d.pick("169.254.169.254:80," + endpoint_a);
        d.body("{}", true);
        CHECK(d.expect<dispatch>().endpoints == std::vector{endpoint_a});
    }
    SECTION("all") {
        d.pick("169.254.169.254:80");
        d.body("{}", true);
        CHECK(d.session->failed() == failure::unknown_endpoint);
        d.expect_unavailable();
    }
    CHECK(d.session->unknown_endpoints() == 1);
}

TEST_CASE("passthrough takes any address, but never a name") {
    dialogue d;
    d.config.destinations = destination_mode::passthrough;
    d.asked();
    SECTION("address") {
        d.pick("[fd00::1]:80");
        d.body("{}", true);
        CHECK(d.expect<dispatch>().endpoints == std::vector<std::string>{"[fd00::1]:80"});
    }
    SECTION("name") {
        d.pick("internal.example:80");
        d.body("{}", true);
        CHECK(d.session->failed() == failure::protocol);
    }
}

TEST_CASE("a list with a dead endpoint first is handed on in its order") {
    dialogue d;
    d.asked();
    d.pick(endpoint_b + "," + endpoint_a + "," + endpoint_b);
    d.body("{}", true);
    CHECK(d.expect<dispatch>().endpoints == std::vector{endpoint_b, endpoint_a});
}

TEST_CASE("a header that contradicts the metadata is a failure, one alone is enough") {
    dialogue d;
    d.asked();
    wire::ProcessingResponse m;
    dialogue::set(*m.mutable_request_headers()->mutable_response(), std::string{destination_name}, endpoint_a);
    SECTION("alone") {
        d.says(m);
        d.body("{}", true);
        CHECK(d.expect<dispatch>().endpoints == std::vector{endpoint_a});
    }
    SECTION("contradiction") {
        auto& lb = (*m.mutable_dynamic_metadata()->mutable_fields())["envoy.lb"];
        (*lb.mutable_struct_value()->mutable_fields())[std::string{destination_name}].set_string_value(endpoint_b);
        d.says(m);
        d.body("{}", true);
        CHECK(d.session->failed() == failure::protocol);
    }
}

TEST_CASE("fault: a second end of the body is ignored, more body is not") {
    dialogue d;
    d.dispatched();
    d.body("", true);
    CHECK(d.session->failed() == failure::none);
    d.body("x", true);
    CHECK(d.session->failed() == failure::protocol);
    d.expect_unavailable();
}

TEST_CASE("a body answer without a change sends the original") {
    dialogue d;
    d.asked();
    d.pick(endpoint_a);
    wire::ProcessingResponse m;
    m.mutable_request_body()->mutable_response();
    d.says(m);
    CHECK_FALSE(d.expect<dispatch>().body);
}

TEST_CASE("a processor cannot touch how a message is framed or addressed") {
    dialogue d;
    d.asked();
    wire::ProcessingResponse m;
    auto& h = *m.mutable_request_headers()->mutable_response();
    dialogue::set(h, std::string{destination_name}, endpoint_a);
    for (const char* name : {"Host", "content-length", "Transfer-Encoding", "connection", ":path", ":method",
                             "x-llm-d-slo-ttft-ms", "bad name"}) {
        dialogue::set(h, name, "1");
    }
    dialogue::set(h, "x-prefiller-host-port", "10.0.0.9:1");
    dialogue::set(h, "x-split", "a\r\nb: c");
    h.mutable_header_mutation()->add_remove_headers("host");
    h.mutable_header_mutation()->add_remove_headers("content-type");
    d.says(m);
    d.body("{}", true);
    const auto go = d.expect<dispatch>();
    CHECK(d.session->refused_headers() == 10);
    CHECK(go.head.path == "/v1/chat/completions");
    CHECK(go.head.headers.contains("x-prefiller-host-port"));
    CHECK_FALSE(go.head.headers.contains("content-type"));
    CHECK_FALSE(go.head.headers.contains("host"));
}

TEST_CASE("messages that say nothing earn no time and have an end") {
    dialogue d;
    d.asked();
    const auto deadline = d.session->deadline();
    d.now += 10ms;
    d.says({});
    CHECK(d.session->deadline() == deadline);
    for (std::size_t i = 0; i < d.config.limits.idle_messages_max; ++i) d.says({});
    CHECK(d.session->failed() == failure::protocol);
}

TEST_CASE("a timeout is extended once, and no further than allowed") {
    dialogue d;
    d.config.message_timeout_max = 5s;
    d.asked();
    wire::ProcessingResponse m;
    m.mutable_override_message_timeout()->set_seconds(6);
    d.says(m);
    CHECK(d.session->deadline() == d.now + 1s);
    m.mutable_override_message_timeout()->set_seconds(4);
    d.says(m);
    CHECK(d.session->deadline() == d.now + 4s);
    m.mutable_override_message_timeout()->set_seconds(5);
    d.says(m);
    CHECK(d.session->deadline() == d.now + 4s);
}

TEST_CASE("a body larger than allowed is a failure") {
    dialogue d;
    d.config.limits.body_bytes_max = 10;
    d.asked();
    d.pick(endpoint_a);
    d.body("12345678901", true);
    CHECK(d.session->failed() == failure::protocol);
}

TEST_CASE("a generic processor gets the body whole, behind its answer to the headers") {
    dialogue d;
    d.config.request_body = d.config.response_body = body_mode::buffered;
    d.config.must_pick = false;
    d.begin();
    CHECK_FALSE(d.sent().request_headers().end_of_stream());
    d.session->on_request_body("ab", false, d.now);
    d.session->on_request_body("cd", true, d.now);
    d.quiet();
    wire::ProcessingResponse m;
    m.mutable_request_headers();
    d.says(m);
    CHECK(d.sent().request_body().body() == "abcd");
    wire::ProcessingResponse b;
    b.mutable_request_body()->mutable_response()->mutable_body_mutation()->set_body("new");
    d.says(b);
    const auto go = d.expect<dispatch>();
    CHECK(go.body == "new");
    CHECK(go.endpoints.empty());
    d.session->on_response({"", "", "", "", 200, {}}, false, "", d.now);
    d.expect<send_message>();
    d.reply_head();
    d.quiet();  // the head waits for the body's judgement
    d.session->on_response_body("reply", true, d.now);
    CHECK(d.sent().response_body().body() == "reply");
    wire::ProcessingResponse r;
    r.mutable_response_body();
    d.says(r);
    d.expect<respond_headers>();
    CHECK(d.expect<respond_body>().bytes == "reply");
    d.expect<end_stream>();
}

TEST_CASE("a mode override turns the body off, where it is allowed") {
    dialogue d;
    const bool allowed = GENERATE(true, false);
    d.config.request_body = d.config.response_body = body_mode::streamed;
    d.config.must_pick = false;
    d.config.allow_mode_override = allowed;
    d.begin();
    d.expect<send_message>();
    d.session->on_request_body("ab", true, d.now);
    wire::ProcessingResponse m;
    m.mutable_request_headers();
    m.mutable_mode_override();
    d.says(m);
    if (allowed) {
        CHECK_FALSE(d.expect<dispatch>().body);
    } else {
        CHECK(d.sent().request_body().body() == "ab");
    }
}

TEST_CASE("a failure in a reply is undone as long as nothing of it was replaced") {
    dialogue d;
    d.config.on_failure = failure_mode::open;
    auto& s = d.responding();
    s.on_response_body("one", false, d.now);
    d.expect<send_message>();
    SECTION("undone") {
        s.on_closed(14, d.now);
        d.expect<end_stream>();
        d.expect<respond_headers>();
        CHECK(d.expect<respond_body>().bytes == "one");
        s.on_response_body("two", true, d.now);
        CHECK(d.expect<respond_body>().bytes == "two");
    }
    SECTION("too late") {
        d.reply_head();
        d.expect<respond_headers>();
        d.reply_body("O", false);
        d.expect<respond_body>();
        s.on_closed(14, d.now);
        d.expect<end_stream>();
        d.expect<abort_reply>();
    }
}

TEST_CASE("a picker that leaves after its pick lets the reply pass") {
    dialogue d;
    auto& s = d.dispatched();
    s.on_closed(0, d.now);
    s.on_response({"", "", "", "", 200, {}}, false, endpoint_a, d.now);
    d.expect<respond_headers>();
    s.on_response_body("one", true, d.now);
    CHECK(d.expect<respond_body>().last);
    d.quiet();
}

TEST_CASE("a client cannot steer a picker") {
    header_list h;
    for (const char* name : {"X-Gateway-Destination-Endpoint", "x-gateway-destination-endpoint-subset",
                             "x-session-token", "x-llm-d-inference-objective", "x-prefiller-host-port", "accept"}) {
        h.add(name, "v");
    }
    h.remove_if([](const header_list::field& f) { return is_picker_header(f.name); });
    CHECK(h.size() == 1);
    CHECK(h.contains("accept"));
}
