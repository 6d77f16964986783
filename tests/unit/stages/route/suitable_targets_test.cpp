#include "stages/route/suitable_targets.hpp"

#include "unit/routing/support.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::route;
using catalogue::capability;

namespace {

const std::vector<capability> nothing;

constexpr const char* models = R"(providers:
  - {name: a, base_url: "http://127.0.0.1:1/v1"}
models:
  - {name: m, targets: [{provider: a, model: small}, {provider: a, model: large}, {provider: a, model: secret}], fallback: ["n"]}
  - {name: "n", targets: [{provider: a, model: tiny}, {provider: a, model: unknown}, {provider: a, model: huge}]}
  - {name: "own-*", targets: [{provider: a, model: "la*"}]}
)";

catalogue::model_info entry(std::string name, std::int64_t window, std::initializer_list<capability> can) {
    catalogue::model_info m;
    m.name = std::move(name);
    m.context_tokens = window;
    for (const capability c : can) m.can.set(c, true);
    return m;
}

struct models_known {
    models_known()
        : table(routing::testing::table_of(models)),
          known(*catalogue::model_catalogue::build(
                    {entry("small", 8000, {capability::tools}),
                     entry("large", 32000, {capability::tools, capability::vision}), entry("tiny", 4000, {}),
                     entry("huge", 1000000, {capability::vision})},
                    {}),
                nullptr) {}
    const routing::model& model(std::string_view name) const { return *table->find(name).which; }
    routing::candidate candidate(std::string_view name, std::size_t target) const {
        return {&model(name).targets[target], &model(name), nullptr, 0, 0};
    }
    // Of the targets of m and then of n, which are allowed: "110001".
    std::string allowed(const suitable_targets& s) const {
        std::string text;
        for (const char* name : {"m", "n"}) {
            for (const auto& t : model(name).targets) text += s.allows(model(name), t) ? '1' : '0';
        }
        return text;
    }

    std::shared_ptr<const routing::model_table> table;
    known_models known;
};

}  // namespace

TEST_CASE("without demands every target is allowed, known or not") {
    const models_known k;
    CHECK(k.allowed(suitable_targets(k.known, nothing, {})) == "111111");
    const known_models empty;
    CHECK(k.allowed(suitable_targets(empty, nothing, {})) == "111111");
}

TEST_CASE("a target must be known to have each capability that is demanded") {
    const models_known k;
    const std::vector<capability> vision{capability::vision}, both{capability::vision, capability::tools};
    CHECK(k.allowed(suitable_targets(k.known, vision, {})) == "010001");
    CHECK(k.allowed(suitable_targets(k.known, both, {})) == "010000");
    CHECK(suitable_targets(k.known, both, {}).any(k.model("m")));
    CHECK_FALSE(suitable_targets(k.known, both, {}).any(k.model("n")));
}

TEST_CASE("what is asked for by a pattern is known by the name that goes upstream") {
    const models_known k;
    const std::vector<capability> vision{capability::vision};
    CHECK(suitable_targets(k.known, vision, "rge").any(k.model("own-*")));
    CHECK_FALSE(suitable_targets(k.known, vision, "te").any(k.model("own-*")));
}

TEST_CASE("a prompt is counted only where it might not fit") {
    const models_known k;
    const suitable_targets s(k.known, nothing, {});
    CHECK_FALSE(s.must_count(k.candidate("m", 0), 16001));
    CHECK(s.must_count(k.candidate("m", 0), 16002));
    CHECK_FALSE(s.must_count(k.candidate("m", 2), 1U << 30U));  // its window is not known
}

TEST_CASE("after a target that was too small only larger ones are allowed, and of others those that are not known") {
    const models_known k;
    suitable_targets s(k.known, nothing, {});
    s.too_small(k.candidate("m", 0));
    CHECK(k.allowed(s) == "010011");
    s.too_small(k.candidate("m", 1));
    CHECK(k.allowed(s) == "000011");
    s.too_small(k.candidate("n", 1));
    CHECK(k.allowed(s) == "000000");
}

TEST_CASE("a prompt that is too long is told by our count and by the upstream's word") {
    CHECK(is_too_long(too_long(9000, 8192)));
    CHECK(too_long(9000, 8192).message.find("maximum context length is 8192 tokens") != std::string::npos);
    CHECK(too_long(9000, 8192).message.find("prompt is too long: 9000 tokens > 8192 maximum") != std::string::npos);
    error e{error_kind::upstream_status};
    CHECK_FALSE(is_too_long(e));
    auto said = std::make_shared<upstream_failure>();
    said->status = 400;
    said->body = R"({"message":"Input is too long for requested model."})";
    e.upstream = said;
    CHECK(is_too_long(e));
}
