#include "pipeline/relay.hpp"

#include "support/exchange_fixture.hpp"

#include <catch2/catch.hpp>

using namespace sluice;

namespace {

struct passing {
    test::exchange_fixture f;
    upstream_endpoint endpoint;

    explicit passing(std::string_view model = "m") {
        f.x.model = model;
        f.x.target.emplace().endpoint = &endpoint;
    }
    void client_sends(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
        for (const auto& [name, value] : fields) f.head.headers.add(name, value);
    }
    // "name=value " of each field, in order.
    std::string sent() {
        header_list out;
        filter_request_headers(f.x, out);
        return text(out);
    }
    static std::string text(const header_list& headers) {
        std::string all;
        for (const auto field : headers) all.append(field.name).append("=").append(field.value).append(" ");
        return all;
    }
};

}  // namespace

TEST_CASE("an upstream gets the client's fields in their order, and the id of the request") {
    passing p;
    p.client_sends({{"B", "1"}, {"Content-Type", "application/json"}, {"A", "2"}, {"B", "3"}});
    CHECK(p.sent() == "B=1 Content-Type=application/json A=2 B=3 x-request-id=request-1 ");
}

TEST_CASE("a client's credentials stay here") {
    for (const auto* name : {"Authorization", "COOKIE", "x-api-key", "Api-Key", "x-goog-api-key", "Proxy-Authorization",
                             "X-Amz-Security-Token"}) {
        CAPTURE(name);
        passing p;
        p.client_sends({{name, "secret"}});
        CHECK(p.sent() == "x-request-id=request-1 ");
    }
}

TEST_CASE("a service that shall have the client's credentials gets them, but never those for a proxy") {
    passing p("");
    p.f.x.target->forward_credentials = true;
    p.client_sends({{"Authorization", "a"}, {"Cookie", "b"}, {"Proxy-Authorization", "c"}});
    CHECK(p.sent() == "Authorization=a Cookie=b x-request-id=request-1 x-forwarded-for=192.0.2.7:40000 ");
}

TEST_CASE("a translated body is JSON, whatever the client said of its own") {
    passing p;
    p.f.x.target->translated = true;
    p.client_sends({{"Content-Type", "application/x-www-form-urlencoded"}, {"A", "1"}});
    CHECK(p.sent() == "A=1 content-type=application/json x-request-id=request-1 ");
    passing bare;
    bare.f.x.target->translated = true;
    CHECK(bare.sent() == "content-type=application/json x-request-id=request-1 ");
}

TEST_CASE("what only the gateway says is not taken from a client") {
    for (const auto* name : {"X-Request-Id", "X-Forwarded-For", "x-forwarded-proto", "X-Real-IP", "Forwarded", "Host",
                             "traceparent", "Tracestate", "X-Sluice-Tenant", "x-gateway-key"}) {
        CAPTURE(name);
        passing p;
        p.client_sends({{name, "claimed"}, {"X", "1"}, {"Xy", "2"}});
        CHECK(p.sent() == "X=1 Xy=2 x-request-id=request-1 ");
    }
}

TEST_CASE("a model's provider gets no account and no coding of the client's choice, another service does") {
    const auto fields = {std::pair<std::string_view, std::string_view>{"Accept-Encoding", "gzip"},
                         {"OpenAI-Organization", "o"},
                         {"OpenAI-Project", "p"},
                         {"X-Goog-User-Project", "g"}};
    passing model;
    model.client_sends(fields);
    CHECK(model.sent() == "x-request-id=request-1 ");
    passing service("");
    service.client_sends(fields);
    CHECK(service.sent().starts_with("Accept-Encoding=gzip OpenAI-Organization=o OpenAI-Project=p X-Goog-User-Pro"));
}

TEST_CASE("fields that Connection names end at the gateway, ours do not") {
    passing p;
    p.client_sends({{"Connection", "keep-alive, x-hop, x-request-id"}, {"X-Hop", "1"}, {"X-Stay", "2"}, {"TE", "x"}});
    CHECK(p.sent() == "X-Stay=2 x-request-id=request-1 ");
    CHECK(p.f.head.headers.size() == 4);  // the client's own list is left as it is
}

TEST_CASE("the trace goes on with the span of this request") {
    passing p;
    p.f.x.trace_id = std::string(32, 'a');
    p.f.x.span_id = std::string(16, 'b');
    p.client_sends({{"traceparent", "00-forged"}});
    CHECK(p.sent() ==
          "x-request-id=request-1 traceparent=00-" + std::string(32, 'a') + "-" + std::string(16, 'b') + "-00 ");
    p.f.x.trace_sampled = true;
    p.f.x.trace_state = "vendor=1";
    CHECK(p.sent().ends_with("-01 tracestate=vendor=1 "));
}

TEST_CASE("the target's headers replace the client's") {
    header_list ours;
    ours.add("authorization", "Bearer ours");
    ours.add("x-version", "2");
    passing p;
    p.f.x.target->headers = &ours;
    p.client_sends({{"X-Version", "1"}, {"X-Version", "0"}, {"Authorization", "Bearer theirs"}});
    CHECK(p.sent() == "x-request-id=request-1 authorization=Bearer ours x-version=2 ");
}

TEST_CASE("a reply tells nothing of the connection to its upstream, nor of our account there") {
    const auto reply = [] {
        header_list h;
        for (const auto* name : {"A", "Server", "Alt-Svc", "Connection", "X-Hop", "Keep-Alive", "Set-Cookie",
                                 "OpenAI-Organization", "openai-project", "B"}) {
            h.add(name, iequals(name, "connection") ? "x-hop" : "v");
        }
        return h;
    };
    passing model;
    header_list h = reply();
    filter_response_headers(model.f.x, h);
    CHECK(passing::text(h) == "A=v B=v ");
    passing service("");
    h = reply();
    filter_response_headers(service.f.x, h);
    CHECK(passing::text(h) == "A=v Set-Cookie=v OpenAI-Organization=v openai-project=v B=v ");
}
