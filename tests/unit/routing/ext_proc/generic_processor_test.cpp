// Processors that are no pickers: the modes and words that those of the stage `ext_proc` use.
#include "unit/routing/ext_proc/session_dialogue.hpp"

#include <string>

using namespace sluice;
using namespace sluice::ext_proc;
using namespace std::chrono_literals;

namespace {

struct generic : session_dialogue {
    generic() {
        config.request_body = config.response_body = body_mode::none;
        config.must_pick = false;
        config.destinations = destination_mode::ignored;
        config.allow_path = config.allow_status = true;
    }
    void begin(bool last = true) {
        session.emplace(config, nullptr);
        message_head head{"POST", "http", "gateway", "/v1/x", 0, {}};
        head.headers.add("Authorization", "Bearer secret");
        head.headers.add("X-Team", "a");
        session->on_request(std::move(head), last, {}, now);
    }
    void responding(bool last = false) {
        begin();
        expect<send_message>();
        request_head();
        expect<dispatch>();
        session->on_response({"", "", "", "", 200, {}}, last, {}, now);
        expect<send_message>();
    }
};

}  // namespace

TEST_CASE("a processor is not shown what a client proves itself with, and it still passes") {
    generic d;
    d.begin();
    const auto head = d.sent();
    for (const auto& h : head.request_headers().headers().headers()) CHECK(h.key() != "authorization");
    d.request_head();
    const auto go = d.expect<dispatch>();
    CHECK(go.head.headers.find("authorization") == "Bearer secret");
    CHECK(go.endpoints.empty());
}

TEST_CASE("a processor is shown a credential only by its very name") {
    shown_headers shown;
    CHECK(shown.shows("X-Team"));
    CHECK_FALSE(shown.shows("Authorization"));
    shown.allow = {"*"};
    CHECK_FALSE(shown.shows("Authorization"));
    shown.allow = {"authorization"};
    CHECK(shown.shows("Authorization"));
    CHECK_FALSE(shown.shows("x-team"));
    shown.deny = {"auth*"};
    CHECK_FALSE(shown.shows("Authorization"));
}

TEST_CASE("what a processor that is no picker picks is not looked at") {
    generic d;
    d.begin();
    d.expect<send_message>();
    wire::ProcessingResponse m;
    generic::set(*m.mutable_request_headers()->mutable_response(), "x-gateway-destination-endpoint", "not an address");
    d.says(m);
    CHECK(d.expect<dispatch>().endpoints.empty());
    CHECK(d.session->failed() == failure::none);
}

TEST_CASE("the path of a request may be changed, but to nothing that breaks its first line") {
    for (const auto& [path, wanted] :
         {std::pair{"/v2/y?a=1", "/v2/y?a=1"}, {"/a b", "/v1/x"}, {"/\r\nx", "/v1/x"}, {"v2", "/v1/x"}}) {
        generic d;
        d.begin();
        d.expect<send_message>();
        wire::ProcessingResponse m;
        generic::set(*m.mutable_request_headers()->mutable_response(), ":path", path);
        generic::set(*m.mutable_request_headers()->mutable_response(), ":method", "GET");
        d.says(m);
        const auto go = d.expect<dispatch>();
        CHECK(go.head.path == wanted);
        CHECK(go.head.method == "POST");
    }
}

TEST_CASE("the status of a reply may be changed within what a reply can say") {
    for (const auto& [status, wanted] :
         {std::pair{"404", 404}, {"99", 200}, {"101", 200}, {"2x", 200}, {"1000", 200}}) {
        generic d;
        d.responding(true);
        wire::ProcessingResponse m;
        generic::set(*m.mutable_response_headers()->mutable_response(), ":status", status);
        d.says(m);
        CHECK(d.expect<respond_headers>().head.status == wanted);
    }
}

TEST_CASE("a reply is replaced at its head") {
    generic d;
    d.responding();
    wire::ProcessingResponse m;
    auto& response = *m.mutable_response_headers()->mutable_response();
    response.set_status(wire::CommonResponse::CONTINUE_AND_REPLACE);
    response.mutable_body_mutation()->set_body("mine");
    d.says(m);
    d.expect<end_stream>();
    CHECK_FALSE(d.expect<respond_headers>().same_body);
    const auto body = d.expect<respond_body>();
    CHECK(body.bytes == "mine");
    CHECK(body.last);
    d.session->on_response_body("the upstream's", true, d.now);
    d.quiet();
}

TEST_CASE("a body offered before its mode became buffered travels whole") {
    generic d;
    d.config.allow_mode_override = true;
    d.begin(false);
    d.expect<send_message>();
    d.session->on_request_body("one ", false, d.now);
    d.session->on_request_body("two", true, d.now);
    wire::ProcessingResponse m;
    m.mutable_request_headers()->mutable_response();
    m.mutable_mode_override()->set_request_body_mode(wire::BODY_BUFFERED);
    m.mutable_mode_override()->set_response_header_mode(wire::ProcessingMode::HEADER_SKIP);
    d.says(m);
    CHECK(d.sent().request_body().body() == "one two");
    wire::ProcessingResponse answer;
    answer.mutable_request_body()->mutable_response();
    d.says(answer);
    d.expect<dispatch>();
    d.expect<end_stream>();  // neither head nor body of the reply is of interest
}

TEST_CASE("a processor that fails closed is answered for as Envoy does: late 504, else 500") {
    generic d;
    d.begin();
    d.expect<send_message>();
    SECTION("late") {
        d.session->on_deadline(d.now + d.config.message_timeout);
        d.expect<end_stream>();
        CHECK(d.expect<immediate_reply>().status == 504);
    }
    SECTION("broken") {
        d.session->on_closed(13, d.now);
        d.expect<end_stream>();
        CHECK(d.expect<immediate_reply>().status == 500);
    }
}

TEST_CASE("a buffered reply over the limit passes where the processor fails open") {
    generic d;
    d.config.response_body = body_mode::buffered;
    d.config.limits.body_bytes_max = 4;
    d.config.on_failure = failure_mode::open;
    d.responding();
    d.reply_head();
    d.session->on_response_body("abc", false, d.now);
    d.quiet();
    d.session->on_response_body("def", true, d.now);
    d.expect<end_stream>();
    d.expect<respond_headers>();
    const auto body = d.expect<respond_body>();
    CHECK(body.bytes == "abcdef");
    CHECK(body.last);
}

TEST_CASE("the first message announces the modes, whichever it is") {
    generic d;
    d.config.request_headers = false;
    d.config.request_body = body_mode::buffered;
    d.begin(false);
    d.session->on_request_body("{}", true, d.now);
    CHECK(d.sent().protocol_config().request_body_mode() == wire::BODY_BUFFERED);
}
