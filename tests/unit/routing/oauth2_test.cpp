#include "routing/oauth2.hpp"

#include "support/exchange_fixture.hpp"
#include "unit/config/support.hpp"

#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::routing;
using namespace std::chrono_literals;

namespace {

// An issuer that answers only when it is told to.
struct slow_issuer final : fetcher {
    explicit slow_issuer(boost::asio::io_context& io) : gate(io) {
        gate.expires_at(boost::asio::steady_timer::time_point::max());
    }
    boost::asio::steady_timer gate;
    std::vector<fetch_request> asked;
    std::string body;
    int status = 200;

    awaitable<result<fetch_reply>> fetch(fetch_request request) override {
        asked.push_back(std::move(request));
        boost::system::error_code ignored;
        co_await gate.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
        fetch_reply r;
        r.head.status = status;
        r.body = body;
        co_return r;
    }
};

struct slow_services final : services {
    slow_services(boost::asio::io_context& io, test::fake_services& base) : issuer(io), base_(base) {}
    slow_issuer issuer;
    boost::asio::any_io_executor executor() override { return base_.executor(); }
    const sluice::clock& time() const override { return base_.time(); }
    sluice::metrics& metrics() override { return base_.metrics(); }
    sluice::fetcher& fetcher() override { return issuer; }

private:
    std::shared_ptr<void> shared_object(std::string_view, const std::type_info&,
                                        const std::function<std::shared_ptr<void>()>& make) override {
        return make();
    }
    test::fake_services& base_;
};

credential_config::oauth2_config client() {
    credential_config::oauth2_config c;
    c.token_url = "https://issuer.example.com/token";
    c.client_id = "me & you";
    c.client_secret = secret("s=cret");
    c.scope = "read write";
    return c;
}

std::string token(const std::string& text, const std::string& life = "3600") {
    return R"({"access_token":")" + text + R"(","token_type":"Bearer","expires_in":)" + life + "}";
}

struct fixture {
    boost::asio::io_context io{1};
    test::fake_services s{io};
    issued_token_signer signer{client_credentials(client()), "azure", s};

    // The Authorization of one request, or the error's message.
    std::string ask() {
        std::string out;
        test::run(io, ask(signer, out));
        return out;
    }
    static awaitable<void> ask(issued_token_signer& signer, std::string& out) {
        header_list headers;
        auto done = co_await signer.authorize("POST", "h", "/", {}, headers);
        out = done ? std::string(headers.find("authorization").value_or("")) : describe(done.error());
    }
};

}  // namespace

TEST_CASE("a token is fetched once and used until its last minute") {
    fixture f;
    f.s.fetches.reply_with(token("t1"));
    f.s.fetches.reply_with(token("t2"));
    CHECK(f.ask() == "Bearer t1");
    f.s.clock.advance(3539s);
    CHECK(f.ask() == "Bearer t1");
    CHECK(f.s.fetches.urls.size() == 1);
    f.s.clock.advance(1s);
    CHECK(f.ask() == "Bearer t2");
    CHECK(f.s.fetches.urls.size() == 2);
}

TEST_CASE("a token that cannot be renewed serves until it expires") {
    fixture f;
    f.s.fetches.reply_with(token("t1"));
    CHECK(f.ask() == "Bearer t1");
    f.s.clock.advance(3541s);
    CHECK(f.ask() == "Bearer t1");  // refused, but there are 59 s left
    CHECK(f.s.fetches.urls.size() == 2);
    CHECK(f.ask() == "Bearer t1");  // within the pause nobody asks
    CHECK(f.s.fetches.urls.size() == 2);
    f.s.clock.advance(59s);
    CHECK(f.ask().find("credential_unavailable") == 0);
    CHECK(f.s.fetches.urls.size() == 3);
}

TEST_CASE("after a failure the issuer is left alone for a second") {
    fixture f;
    const std::string refused = f.ask();
    CHECK(refused == "credential_unavailable: No token for provider azure: refused");
    CHECK(f.ask() == refused);
    CHECK(f.s.fetches.urls.size() == 1);
    f.s.clock.advance(1s);
    f.s.fetches.reply_with(token("t1"));
    CHECK(f.ask() == "Bearer t1");
}

TEST_CASE("hostile answers of an issuer are failures, and their text goes nowhere") {
    const auto answer = [](const std::string& body, int status = 200) {
        fixture f;
        f.s.fetches.reply_with(body, status);
        return f.ask();
    };
    CHECK(answer("secret words", 400) ==
          "credential_unavailable: No token for provider azure: the issuer answered 400");
    CHECK(answer("<html>") == "credential_unavailable: No token for provider azure: the issuer's answer is not JSON");
    const std::string none =
        "credential_unavailable: No token for provider azure: the issuer's answer has no access_token";
    CHECK(answer("{}") == none);
    CHECK(answer(R"({"access_token":7})") == none);
    CHECK(answer(R"({"access_token":""})") == none);
    CHECK(answer(R"({"access_token":"a\r\nHost: b"})") == none);
    CHECK(answer(token(std::string(20000, 'x'))) == none);
}

TEST_CASE("a lifetime is believed within limits") {
    for (const char* life : {"-9223372036854775808", "-1", "0", "1"}) {
        fixture f;
        f.s.fetches.reply_with(token("t1", life));
        CHECK(f.ask() == "Bearer t1");
        f.s.clock.advance(9s);
        CHECK(f.ask() == "Bearer t1");
        CHECK(f.s.fetches.urls.size() == 1);
    }
    fixture f;
    f.s.fetches.reply_with(token("t1", "9223372036854775807"));
    f.s.fetches.reply_with(token("t2"));
    CHECK(f.ask() == "Bearer t1");
    f.s.clock.advance(24h);
    CHECK(f.ask() == "Bearer t2");
    fixture unsaid;
    unsaid.s.fetches.reply_with(R"({"access_token":"t1"})");
    unsaid.s.fetches.reply_with(token("t2"));
    CHECK(unsaid.ask() == "Bearer t1");
    unsaid.s.clock.advance(240s);
    CHECK(unsaid.ask() == "Bearer t2");
}

TEST_CASE("requests that need a token together share one fetch") {
    boost::asio::io_context io{1};
    test::fake_services base(io);
    slow_services s(io, base);
    auto signer = std::make_unique<issued_token_signer>(client_credentials(client()), "azure", s);
    std::string got[3];
    for (std::string& out : got) boost::asio::co_spawn(io, fixture::ask(*signer, out), boost::asio::detached);
    io.poll();
    REQUIRE(s.issuer.asked.size() == 1);
    const fetch_request& asked = s.issuer.asked[0];
    CHECK(asked.method == "POST");
    CHECK(asked.url == "https://issuer.example.com/token");
    CHECK(asked.body ==
          "grant_type=client_credentials&client_id=me%20%26%20you&client_secret=s%3Dcret&scope=read%20write");
    s.issuer.body = token("shared");
    s.issuer.gate.cancel();
    io.restart();
    io.run();
    for (const std::string& out : got) CHECK(out == "Bearer shared");
    CHECK(s.issuer.asked.size() == 1);
}

TEST_CASE("who waited for a fetch that failed is told so without another one") {
    boost::asio::io_context io{1};
    test::fake_services base(io);
    slow_services s(io, base);
    s.issuer.status = 500;
    issued_token_signer signer(client_credentials(client()), "azure", s);
    std::string got[3];
    for (std::string& out : got) boost::asio::co_spawn(io, fixture::ask(signer, out), boost::asio::detached);
    io.poll();
    s.issuer.gate.cancel();
    io.restart();
    io.run();
    for (const std::string& out : got) CHECK(out.find("the issuer answered 500") != std::string::npos);
    CHECK(s.issuer.asked.size() == 1);
}

TEST_CASE("a federated token is read from its file at each exchange and stands in for the secret") {
    const config::testing::temporary_folder folder;
    credential_config::oauth2_config c = client();
    c.client_secret = secret();
    c.federated_token_file = folder.write("token", "header.first.sig\n");
    const token_request ask = client_credentials(c);
    CHECK(ask()->body ==
          "grant_type=client_credentials&client_id=me%20%26%20you&client_assertion_type="
          "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=header.first.sig"
          "&scope=read%20write");
    folder.write("token", "header.second.sig");
    CHECK(ask()->body.find("client_assertion=header.second.sig&") != std::string::npos);
}

TEST_CASE("a federated token that cannot be read fails the credential, and nobody is asked") {
    const config::testing::temporary_folder folder;
    const auto failure = [&](const std::string& path) {
        boost::asio::io_context io{1};
        test::fake_services s(io);
        credential_config::oauth2_config c = client();
        c.federated_token_file = path;
        issued_token_signer signer(client_credentials(c), "azure", s);
        std::string got;
        test::run(io, fixture::ask(signer, got));
        CHECK(s.fetches.urls.empty());
        return got;
    };
    const std::string none = "credential_unavailable: No token for provider azure: the federated token file ";
    CHECK(failure(folder.path("nothing")) == none + "cannot be read: No such file or directory");
    CHECK(failure(folder.write("empty", " \n")) == none + "is empty");
    CHECK(failure(folder.write("huge", std::string(20000, 'x'))) == none + "cannot be read: larger than 16 KiB");
}
