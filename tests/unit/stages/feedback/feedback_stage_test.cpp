#include "stages/feedback/feedback_stage.hpp"

#include "support/exchange_fixture.hpp"

#include <catch2/catch.hpp>

using namespace sluice;

namespace {

// A gateway where tenant `t` made request `r1`, which arm `new` of model `m` served.
struct world {
    boost::asio::io_context io{1};
    test::fake_services s{io};
    std::shared_ptr<arm_board> board = arm_board::of(s);
    std::uint16_t arm = *board->id_of("m", "new");
    feedback::feedback_stage stage{{}, s};
    world() {
        identity maker;
        maker.tenant = "t";
        board->recent.of(&s)->put(board->hash(maker, "r1"), arm);
    }
};

struct call : test::exchange_fixture {
    explicit call(std::string json, std::string tenant = "t", std::string target = "/v1/feedback") {
        body.text = std::move(json);
        this->head.target = std::move(target);
        this->head.body = framing::length;
        this->head.content_length = body.text.size();
        x.caller.tenant = std::move(tenant);
    }
    call& through(world& w) {
        test::run(w.io, serve(w.stage));
        return *this;
    }
    int status() const { return x.failure() ? status_of(*x.failure()) : client.got.status; }
};

}  // namespace

TEST_CASE("a judgement is counted at its arm, and a later one replaces it") {
    world w;
    call up(R"({"request_id":"r1","rating":"up","reason":"fast","labels":{"page":"search"}})");
    CHECK(up.through(w).status() == 202);
    CHECK(up.client.body == R"({"object":"feedback","replaced":false})");
    arm_result r = w.board->results("m").front();
    CHECK((r.up == 1 && r.down == 0 && r.score_millionths == 1'000'000));

    call down(R"({"request_id":"r1","score":-0.25})");
    CHECK(down.through(w).status() == 202);
    CHECK(down.client.body == R"({"object":"feedback","replaced":true})");
    r = w.board->results("m").front();
    CHECK((r.up == 0 && r.down == 1 && r.score_millionths == -250'000));
}

TEST_CASE("an id of another tenant and an id of nobody get the same 404") {
    world w;
    call foreign(R"({"request_id":"r1","rating":"up"})", "other"), unknown(R"({"request_id":"r2","rating":"up"})");
    CHECK(foreign.through(w).status() == 404);
    CHECK(unknown.through(w).status() == 404);
    CHECK(foreign.x.failure()->message == unknown.x.failure()->message);
    CHECK(w.board->results("m").front().up == 0);
}

TEST_CASE("malformed feedback is a 400 and counts nothing") {
    world w;
    const std::string long_reason(feedback::reason_bytes_max + 1, 'x');
    for (const std::string& json : std::vector<std::string>{
             "", "[]", "{}", R"({"request_id":"r1"})", R"({"rating":"up"})", R"({"request_id":1,"rating":"up"})",
             R"({"request_id":"r1","rating":"sideways"})", R"({"request_id":"r1","score":1.01})",
             R"({"request_id":"r1","score":"1"})", R"({"request_id":"r1","score":1,"rating":"up"})",
             R"({"request_id":"r1","rating":"up","arm":"new"})", R"({"request_id":"r1","rating":"up","reason":7})",
             R"({"request_id":"r1","rating":"up","reason":")" + long_reason + "\"}",
             R"({"request_id":"r1","rating":"up","labels":[]})",
             R"({"request_id":"r1","rating":"up","labels":{"a":1}})",
             R"({"request_id":"r1","request_id":"r1","rating":"up"})"}) {
        CAPTURE(json);
        call c(json);
        CHECK(c.through(w).status() == 400);
    }
    CHECK(w.board->results("m").front().up == 0);
}

TEST_CASE("other paths pass, and other methods do not") {
    world w;
    call other(R"({"request_id":"r1","rating":"up"})", "t", "/v1/chat/completions");
    other.through(w);
    CHECK(other.next().calls == 1);
    call get("");
    get.head.method = "GET";
    CHECK(get.through(w).status() == 405);
}
