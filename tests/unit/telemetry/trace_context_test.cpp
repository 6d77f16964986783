#include "telemetry/trace_context.hpp"

#include <catch2/catch.hpp>

#include <vector>

using namespace sluice;
using namespace sluice::telemetry;

namespace {

const std::string trace = "12345678901234567890123456789012";
const std::string parent = "1234567890123456";
const std::string good = "00-" + trace + "-" + parent + "-01";

}  // namespace

TEST_CASE("a traceparent is read and written back") {
    const auto p = parse_traceparent(good);
    REQUIRE(p);
    CHECK(to_hex(p->trace) == trace);
    CHECK(to_hex(p->parent) == parent);
    CHECK(p->sampled);
    CHECK(to_traceparent(p->trace, p->parent, p->sampled) == good);
    CHECK_FALSE(parse_traceparent("00-" + trace + "-" + parent + "-00")->sampled);
}

TEST_CASE("flags are bits: only the lowest says sampled, and only it is passed on") {
    CHECK(parse_traceparent("00-" + trace + "-" + parent + "-09")->sampled);
    CHECK(parse_traceparent("00-" + trace + "-" + parent + "-ff")->sampled);
    CHECK_FALSE(parse_traceparent("00-" + trace + "-" + parent + "-fe")->sampled);
}

TEST_CASE("white space around a traceparent does not count") {
    CHECK(parse_traceparent("\t " + good + " \t") == parse_traceparent(good));
}

TEST_CASE("a traceparent that breaks a rule is none") {
    for (const std::string& bad : std::vector<std::string>{"",
                                                           "-",
                                                           "00",
                                                           good + ".",
                                                           good + "-what-the-future-will-be-like",
                                                           good + "-",
                                                           "ff" + good.substr(2),
                                                           ".0" + good.substr(2),
                                                           "0." + good.substr(2),
                                                           "0" + good,
                                                           "000" + good.substr(2),
                                                           good.substr(1),
                                                           "00-" + std::string(32, '0') + "-" + parent + "-01",
                                                           "00-" + trace + "-" + std::string(16, '0') + "-01",
                                                           "00-.2345678901234567890123456789012-" + parent + "-01",
                                                           "00-" + trace + "-123456789012345.-01",
                                                           "00-" + trace + "3-" + parent + "-01",
                                                           "00-" + trace + "-" + parent + "7-01",
                                                           "00-" + trace.substr(1) + "-" + parent + "-01",
                                                           "00-" + trace + "-" + parent.substr(1) + "-01",
                                                           "00-" + trace + "-" + parent + "-.0",
                                                           "00-" + trace + "-" + parent + "-0.",
                                                           "00-" + trace + "-" + parent + "-001",
                                                           "00-" + trace + "-" + parent + "-1",
                                                           "00-ABCDEF78901234567890123456789012-" + parent + "-01",
                                                           "00-" + trace + "-ABCDEF7890123456-01",
                                                           "00_" + trace + "-" + parent + "-01",
                                                           "0X" + good.substr(2),
                                                           "cc" + good.substr(2) + ".x",
                                                           "cc-" + trace + "-" + parent + "-1"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_traceparent(bad));
    }
}

TEST_CASE("a later version is read as far as it is known") {
    CHECK(parse_traceparent("cc" + good.substr(2)) == parse_traceparent(good));
    CHECK(parse_traceparent("cc" + good.substr(2) + "-what-the-future-will-be-like") == parse_traceparent(good));
    CHECK(parse_traceparent("01" + good.substr(2) + "-") == parse_traceparent(good));
}

TEST_CASE("a tracestate keeps its members and their order, without white space and empty members") {
    CHECK(normalized_tracestate("foo=1,bar=2") == "foo=1,bar=2");
    CHECK(normalized_tracestate("foo=1 \t , \t bar=2, \t baz=3") == "foo=1,bar=2,baz=3");
    CHECK(normalized_tracestate("\t foo=1 \t") == "foo=1");
    CHECK(normalized_tracestate(",,foo=1, ,") == "foo=1");
    CHECK(normalized_tracestate("") == "");
    CHECK(normalized_tracestate("foo= inner space") == "foo= inner space");
    CHECK(normalized_tracestate("abcz0189_-*/@x=!\"#$%&'()*+-./:;<>?@[]^`{|}~") ==
          "abcz0189_-*/@x=!\"#$%&'()*+-./:;<>?@[]^`{|}~");
    CHECK(normalized_tracestate("0vendor=1") == "0vendor=1");
}

TEST_CASE("a tracestate that breaks a rule is dropped whole") {
    for (const std::string& bad : std::vector<std::string>{
             "foo", "foo=", "=1", "foo =1", "FOO=1", "foo.bar=1", "@foo=1,bar=2", "_a=1", "foo=1,foo=1", "foo=1,foo=2",
             "foo=a=b", "foo=\x01", "foo=\xc3\xa9", "foo=a\tb", std::string(257, 'a') + "=1",
             "a=" + std::string(257, 'x'), std::string(20000, ',')}) {
        CAPTURE(bad);
        CHECK_FALSE(normalized_tracestate(bad));
    }
}

TEST_CASE("32 members pass and 33 do not") {
    std::string state;
    for (int i = 0; i < 32; ++i) state += (i > 0 ? "," : "") + std::string("k") + std::to_string(i) + "=1";
    CHECK(normalized_tracestate(state) == state);
    CHECK_FALSE(normalized_tracestate(state + ",k32=1"));
}

TEST_CASE("a long tracestate loses its large members first and then its last ones") {
    const std::string large = "large=" + std::string(200, 'x');
    const std::string rest = "a=" + std::string(120, 'a') + ",b=" + std::string(120, 'b');
    CHECK(normalized_tracestate(large + "," + rest) == large + "," + rest);
    const std::string more = rest + ",c=" + std::string(120, 'c');
    CHECK(normalized_tracestate(large + "," + more) == more);
    const std::string over = more + ",d=" + std::string(120, 'd') + ",e=" + std::string(120, 'e');
    CHECK(normalized_tracestate(over) == more + ",d=" + std::string(120, 'd'));
}

TEST_CASE("an exchange goes on with its caller's trace under a span of its own") {
    random_source random{1};
    header_list h;
    h.add("TraceParent", good);
    h.add("tracestate", "foo=1");
    h.add("x", "y");
    h.add("tracestate", "");
    h.add("TraceState", "bar=2");
    const trace_context c = continue_or_start(h, {.ratio = 0, .follow_parent = true}, random);
    CHECK(to_hex(c.trace) == trace);
    CHECK(to_hex(c.parent) == parent);
    CHECK(c.span.valid());
    CHECK(c.span != c.parent);
    CHECK(c.sampled);
    CHECK(c.state == "foo=1,bar=2");
    CHECK_FALSE(continue_or_start(h, {.ratio = 0, .follow_parent = false}, random).sampled);

    header_list out;
    out.add("traceparent", "client's");
    out.add("tracestate", "client's");
    inject(c, span_id{0xabc}, out);
    CHECK(out.size() == 2);
    CHECK(out.find("traceparent") == "00-" + trace + "-0000000000000abc-01");
    CHECK(out.find("tracestate") == "foo=1,bar=2");
}

TEST_CASE("a trace begins here when the headers name none, two or a bad one, and then without tracestate") {
    random_source random{1};
    std::vector<header_list> cases(3);
    cases[1].add("traceparent", good);
    cases[1].add("traceparent", good);
    cases[2].add("traceparent", "ff" + good.substr(2));
    for (header_list& h : cases) {
        h.add("tracestate", "foo=1");
        const trace_context c = continue_or_start(h, {}, random);
        CHECK(c.trace.valid());
        CHECK(to_hex(c.trace) != trace);
        CHECK_FALSE(c.parent.valid());
        CHECK(c.state.empty());
        header_list out;
        inject(c, c.span, out);
        CHECK_FALSE(out.contains("tracestate"));
    }
}

TEST_CASE("the ratio of sampled traces is what was asked for, and a trace's share never changes") {
    random_source random{5};
    int sampled = 0;
    for (int i = 0; i < 10000; ++i) {
        const trace_id id = new_trace_id(random);
        const bool in = sampled_by_ratio(id, 0.25);
        sampled += in ? 1 : 0;
        if (in) CHECK(sampled_by_ratio(id, 0.5));
        CHECK(sampled_by_ratio(id, 1));
        CHECK_FALSE(sampled_by_ratio(id, 0));
    }
    CHECK(sampled > 2300);
    CHECK(sampled < 2700);
}
