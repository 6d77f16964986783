#include "routing/admission/request_class.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <string>

using namespace sluice;
using namespace sluice::admission;
using namespace std::chrono_literals;

namespace {

header_list headers(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
    header_list h;
    for (const auto& [name, value] : fields) h.add(name, value);
    return h;
}

identity caller_of(std::string_view key, std::string_view tenant) {
    identity i;
    i.key_id = key;
    i.tenant = tenant;
    return i;
}

admission_config gold_and_batch() {
    admission_config c;
    c.classes.push_back({.tenants = {"gold-*"}, .priority = 6, .ttft_slo = 500ms});
    c.classes.push_back({.keys = {"batch"}, .priority = 1, .sheddable = true});
    c.classes.push_back({.objective = "interactive", .priority = 7});
    c.otherwise.priority = 3;
    return c;
}

}  // namespace

TEST_CASE("the first class that matches the caller counts, else the one for all others") {
    const admission_config c = gold_and_batch();
    const auto gold = classify({}, caller_of("batch", "gold-1"), c);
    REQUIRE(gold.has_value());
    CHECK(gold->priority == 6);
    CHECK(gold->ttft_slo_s == 0.5);
    CHECK_FALSE(gold->sheddable);
    CHECK(gold->tenant == "gold-1");
    const auto batch = classify({}, caller_of("batch", ""), c);
    REQUIRE(batch.has_value());
    CHECK(batch->priority == 1);
    CHECK(batch->sheddable);
    CHECK(batch->tenant == "batch");
    const auto other = classify({}, {}, c);
    REQUIRE(other.has_value());
    CHECK(other->priority == 3);
    CHECK(other->tenant.empty());
}

TEST_CASE("a client's promises replace those of its class, by either name of the header") {
    const admission_config c = gold_and_batch();
    const identity gold = caller_of("k", "gold-1");
    CHECK(classify(headers({{"x-llm-d-slo-ttft-ms", "250"}}), gold, c)->ttft_slo_s == 0.25);
    CHECK(classify(headers({{"X-SLO-TTFT-MS", "1500.5"}}), gold, c)->ttft_slo_s == Approx(1.5005));
    CHECK(classify(headers({{"x-slo-tpot-ms", "12.5"}}), gold, c)->tpot_slo_s == Approx(0.0125));
    const auto both = classify(headers({{"x-slo-ttft-ms", "900"}, {"x-llm-d-slo-ttft-ms", "100"}}), gold, c);
    CHECK(both->ttft_slo_s == 0.1);
}

TEST_CASE("promises that are no plain number of milliseconds are the client's error") {
    for (const std::string_view text : {"", "0", "-1", "+5", "1e3", "0x10", "inf", "nan", "1.", ".5", " 5", "5 ", "1,5",
                                        "3600001", "99999999999999999999", "1.2.3", "5ms"}) {
        CAPTURE(text);
        const auto c = classify(headers({{"x-llm-d-slo-ttft-ms", text}}), {}, {});
        REQUIRE_FALSE(c.has_value());
        CHECK(c.error().kind == error_kind::bad_request);
        CHECK(c.error().param == "x-llm-d-slo-ttft-ms");
    }
    const auto twice = classify(headers({{"x-slo-tpot-ms", "5"}, {"x-slo-tpot-ms", "50"}}), {}, {});
    REQUIRE_FALSE(twice.has_value());
    CHECK(twice.error().param == "x-slo-tpot-ms");
}

TEST_CASE("tenant and objective in headers are believed only of those who are trusted") {
    admission_config c = gold_and_batch();
    const auto h =
        headers({{"x-llm-d-inference-fairness-id", "session-7"}, {"x-gateway-inference-objective", "interactive"}});
    const identity caller = caller_of("k", "plain");
    CHECK(classify(h, caller, c)->tenant == "plain");
    CHECK(classify(h, caller, c)->priority == 3);
    c.trust_headers = true;
    CHECK(classify(h, caller, c)->tenant == "session-7");
    CHECK(classify(h, caller, c)->priority == 7);
    const auto too_long = classify(headers({{"x-gateway-inference-fairness-id", std::string(129, 'x')}}), caller, c);
    REQUIRE_FALSE(too_long.has_value());
    CHECK(too_long.error().param == "x-gateway-inference-fairness-id");
}

TEST_CASE("headers that say what a request is to the pool are taken, and a picker sees those that bind nobody else") {
    header_list h = headers({{"x-slo-ttft-ms", "1"},
                             {"x-llm-d-slo-tpot-ms", "1"},
                             {"x-gateway-inference-fairness-id", "a"},
                             {"x-llm-d-inference-objective", "b"},
                             {"accept", "*/*"}});
    const header_list taken = take_class_headers(h);
    CHECK(h.size() == 1);
    CHECK(h.contains("accept"));
    CHECK(taken.size() == 4);
    CHECK(taken.find("x-slo-ttft-ms") == "1");
    CHECK(class_headers_for_picker(taken, true).size() == 4);
    const header_list shown = class_headers_for_picker(taken, false);
    CHECK(shown.size() == 2);
    CHECK(shown.contains("x-llm-d-slo-tpot-ms"));
}

TEST_CASE("fair shares count tokens of the answer twice, and nothing that is no number of tokens") {
    CHECK(fair_tokens(1'000, 250) == 1'500);
    CHECK(fair_tokens(0, 0) == 1);
    CHECK(fair_tokens(-5, -5) == 1);
    CHECK(fair_tokens(1e300, 1) == 1'000'000'000);
}

TEST_CASE("the picker gets the promises of the class") {
    picker::request_features f;
    promise({.sheddable = true, .ttft_slo_s = 0.5, .tpot_slo_s = 0.05}, f);
    CHECK(f.sheddable);
    CHECK(f.ttft_slo_s == 0.5);
    CHECK(f.tpot_slo_s == 0.05);
}
