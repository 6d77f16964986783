#include "stages/http/http_stage.hpp"

#include "pipeline/relay.hpp"
#include "unit/routing/support.hpp"

#include <catch2/catch.hpp>

using namespace sluice;

namespace {

http_upstream::http_stage_config config_of(const std::string& yaml) {
    http_upstream::http_stage_config c;
    const std::string problems = routing::testing::problems_of(yaml, c);
    if (!problems.empty()) throw std::logic_error(problems);
    return c;
}

struct request : test::exchange_fixture {
    explicit request(const std::string& target) { head.target = target; }
    // The headers that would go upstream.
    header_list outgoing() const {
        header_list out;
        filter_request_headers(x, out);
        return out;
    }
};

struct service {
    explicit service(const std::string& yaml) : stage(config_of(yaml), s) {}
    void serve(request& r) { test::run(io, r.serve(stage)); }
    boost::asio::io_context io{1};
    test::fake_services s{io};
    http_upstream::http_stage stage;
};

}  // namespace

TEST_CASE("a service gets the path behind the prefix") {
    service s("{url: \"http://127.0.0.1:1/base/\", strip_prefix: /api}\n");
    const auto path_of = [&](const std::string& target) {
        request r(target);
        s.serve(r);
        CHECK(r.x.target->endpoint->base_path == "/base");
        return r.x.target->path;
    };
    CHECK(path_of("/api/x?q=1") == "/x");
    CHECK(path_of("/api") == "/");
    CHECK(path_of("/apiary") == "/apiary");
    CHECK(path_of("/other") == "/other");
    CHECK(path_of("/api/../../api/x") == "/x");
}

TEST_CASE("what proves the client to us goes no further, unless it is to be passed on") {
    const auto sent = [](const std::string& yaml) {
        service s(yaml);
        request r("/x");
        for (const char* name : {"Authorization", "Cookie", "X-Api-Key", "Api-Key", "X-Goog-Api-Key"})
            r.head.headers.add(name, "client-secret");
        r.head.headers.add("Proxy-Authorization", "client-secret");
        r.head.headers.add("X-Other", "kept");
        s.serve(r);
        return r.outgoing();
    };
    const auto has_secret = [](const header_list& headers, std::string_view name) {
        return headers.find(name) == "client-secret";
    };
    const header_list plain = sent("{url: \"http://127.0.0.1:1\"}\n");
    for (const auto f : plain) CHECK(f.value != "client-secret");
    CHECK(plain.find("x-other") == "kept");
    const header_list ours = sent("{url: \"http://127.0.0.1:1\", credentials: [{api_key: ours}]}\n");
    CHECK(ours.find("authorization") == "Bearer ours");
    CHECK(ours.count("authorization") == 1);
    const header_list passed = sent("{url: \"http://127.0.0.1:1\", forward_credentials: true}\n");
    CHECK(has_secret(passed, "authorization"));
    CHECK(has_secret(passed, "cookie"));
    CHECK_FALSE(passed.contains("proxy-authorization"));
    // Our own credential wins over one that is passed on.
    const header_list both =
        sent("{url: \"http://127.0.0.1:1\", forward_credentials: true, credentials: [{api_key: ours}]}\n");
    CHECK(both.find("authorization") == "Bearer ours");
    CHECK(both.count("authorization") == 1);
}

TEST_CASE("addresses take turns, and one that fails five times is left out") {
    service s("{url: [\"http://127.0.0.1:1\", \"http://127.0.0.1:2\"]}\n");
    const auto serve = [&](bool first_is_down) {
        request r("/x");
        r.next().first = [&](exchange& x) {
            if (first_is_down && x.target->endpoint->port == 1) r.next().failure = error{error_kind::upstream_connect};
        };
        s.serve(r);
        return r.x.target->endpoint->port;
    };
    CHECK(serve(false) != serve(false));
    for (int i = 0; i < 10; ++i) serve(true);
    for (int i = 0; i < 4; ++i) CHECK(serve(true) == 2);
    CHECK(s.s.counts.value("sluice_endpoint_ejections_total{127.0.0.1:1}") == 1);
    s.s.clock.advance(std::chrono::seconds(30));
    CHECK(serve(false) != serve(false));
}

TEST_CASE("a body is collected when it has to be signed, and else streams") {
    for (const bool signs : {true, false}) {
        service s(signs ? "{url: \"http://127.0.0.1:1\", credentials: [{aws_sigv4: {region: r, service: s, "
                          "access_key_id: i, secret_access_key: k}}]}\n"
                        : "{url: \"http://127.0.0.1:1\"}\n");
        request r("/x");
        r.head.body = framing::length;
        r.body.text = "text";
        s.serve(r);
        CHECK(r.x.collected() == signs);
    }
}

TEST_CASE("a url with a query, or none, is a problem") {
    http_upstream::http_stage_config c;
    CHECK(routing::testing::problems_of("{url: \"http://h/x?y=1\"}\n", c).find("it cannot have a query") !=
          std::string::npos);
    CHECK(routing::testing::problems_of("{url: nowhere}\n", c).find("url") != std::string::npos);
    CHECK(routing::testing::problems_of("{url: []}\n", c).find("at least one URL is expected") != std::string::npos);
}
