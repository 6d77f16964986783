#include "routing/arms/life.hpp"

#include "unit/routing/support.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using routing::testing::routing_problems;

namespace {

// A configuration with one provider and these models.
std::string with_models(const std::string& models) {
    return "providers: [{name: p, base_url: \"http://127.0.0.1:1/v1\"}]\nmodels:\n" + models;
}

std::string problems(const std::string& models) {
    return routing_problems(with_models(models));
}

constexpr const char* heir = "  - {name: new, targets: [{provider: p}]}\n";

}  // namespace

TEST_CASE("a day is a date of the calendar and nothing else") {
    using namespace std::chrono;
    CHECK(routing::parse_day("2027-01-31") == sys_days(year(2027) / 1 / 31));
    CHECK(routing::parse_day("2028-02-29").has_value());
    for (const char* text : {"", "2027-02-29", "2027-13-01", "2027-1-31", "27-01-31", "2027-01-31Z", "2027/01/31",
                             "20x7-01-01", "+027-01-01", "2027-00-10"}) {
        CAPTURE(text);
        CHECK_FALSE(routing::parse_day(text));
    }
}

TEST_CASE("days are told in the forms of their headers") {
    const auto day = *routing::parse_day("2027-01-31");
    CHECK(routing::deprecation_value(day) == "@1801353600");
    CHECK(routing::sunset_value(day) == "Sun, 31 Jan 2027 00:00:00 GMT");
    CHECK(routing::day_text(day) == "2027-01-31");
}

TEST_CASE("only those whom it names see a draft, by key or by tenant") {
    routing::life_config life;
    life.state = routing::model_state::draft;
    life.preview = {"beta-*", "qa"};
    identity caller;
    CHECK_FALSE(routing::may_see(life, caller));
    caller.key_id = "beta-7";
    CHECK(routing::may_see(life, caller));
    caller.key_id = "k1";
    CHECK_FALSE(routing::may_see(life, caller));
    caller.tenant = "qa";
    CHECK(routing::may_see(life, caller));

    life.preview = {"*"};
    CHECK_FALSE(routing::may_see(life, identity{}));  // who has no name is named by no pattern
    life.state = routing::model_state::active;
    CHECK(routing::may_see(life, identity{}));
}

TEST_CASE("states that fit together are no problem") {
    CHECK(problems(std::string(heir) +
                   "  - {name: d, state: draft, preview: [qa], targets: [{provider: p}]}\n"
                   "  - {name: o, state: draining, sticky: key, successor: new, sunset: 2027-01-31, targets: "
                   "[{provider: p}]}\n"
                   "  - {name: r, state: retired, successor: new}\n"
                   "  - {name: g, state: retired}\n"
                   "  - {name: a, deprecated: 2026-12-01, sunset: 2027-01-31, targets: [{provider: p}]}\n") == "");
}

TEST_CASE("each combination that cannot work is a problem with its place") {
    const std::string targets = ", targets: [{provider: p}]}\n";
    const auto says = [&](const std::string& model, const std::string& text) {
        const std::string found = problems(heir + ("  - {name: m, " + model) + targets);
        CAPTURE(model, found);
        CHECK(found.find(text) != std::string::npos);
        CHECK(found.find("g.yaml:4:") != std::string::npos);
    };
    says("preview: [qa]", "preview: is for drafts only");
    says("successor: new", "successor: is for models that are draining or retired");
    says("state: draining, sticky: key", "needs a successor");
    says("state: draining, successor: new", "nobody stays with a model that is not sticky");
    says("state: draining, sticky: key, successor: nwe", "there is no model \"nwe\"");
    says("state: retired, successor: m", "a model cannot succeed itself");
    says("sunset: 31.1.2027", "is no day of the calendar");
    says("deprecated: 2027-02-01, sunset: 2027-01-31", "lies before the day");
    says("state: draft, sunset: 2027-01-31", "a draft has not been in use");
    says("state: asleep", "asleep");
}

TEST_CASE("a successor and a fallback are models that everybody may use") {
    const std::string old = "  - {name: old, state: retired, successor: m}\n";
    CHECK(problems("  - {name: m, state: draft, targets: [{provider: p}]}\n" + old).find("\"m\" is draft itself") !=
          std::string::npos);
    CHECK(problems("  - {name: m, state: retired}\n" + old).find("\"m\" is retired itself") != std::string::npos);
    CHECK(problems("  - {name: m, state: draft, targets: [{provider: p}]}\n"
                   "  - {name: f, targets: [{provider: p}], fallback: [m]}\n")
              .find("models[1].fallback[0]") != std::string::npos);
}

TEST_CASE("a model that serves needs targets, one that is retired does not") {
    CHECK(problems("  - {name: m}\n").find("missing key \"targets\"") != std::string::npos);
    CHECK(problems("  - {name: m, state: retired}\n") == "");
}

TEST_CASE("an arm's name is its own within the model") {
    const auto arms = [](const std::string& a, const std::string& b) {
        return problems("  - {name: m, targets: [{provider: p, arm: " + a + "}, {provider: p, model: x, arm: " + b +
                        "}]}\n");
    };
    CHECK(arms("old", "new") == "");
    CHECK(arms("a", "a").find("targets[1].arm: the model has another arm") != std::string::npos);
    CHECK(arms("a", "none").find("stands for targets without an arm") != std::string::npos);
    CHECK(arms("a", "\"b c\"").find("may hold letters") != std::string::npos);
    CHECK(
        problems("  - {name: m, expose_arm: true, targets: [{provider: p}]}\n").find("no target of the model has an") !=
        std::string::npos);
}

TEST_CASE("who stays by a header or a field needs its name") {
    const auto sticky = [](const std::string& text) {
        return problems("  - {name: m, " + text + ", targets: [{provider: p}]}\n");
    };
    CHECK(sticky("sticky: header, sticky_by: x-user") == "");
    CHECK(sticky("sticky: body, sticky_by: metadata.user_id") == "");
    CHECK(sticky("sticky: header").find("the header is missing") != std::string::npos);
    CHECK(sticky("sticky: body").find("the field is missing") != std::string::npos);
    CHECK(sticky("sticky: key, sticky_by: user").find("is for sticky: header or") != std::string::npos);
    CHECK(sticky("sticky: header, sticky_by: \"x user\"").find("is no name of a header") != std::string::npos);
}

TEST_CASE("a shadow needs a provider that exists and a share") {
    const auto shadow = [](const std::string& text) {
        return problems("  - {name: m, targets: [{provider: p}], shadow: {" + text + "}}\n");
    };
    CHECK(shadow("target: {provider: p, model: x}, share: 0.5, budget: {requests_per_minute: 10}") == "");
    CHECK(shadow("target: {provider: q}").find("there is no provider \"q\"") != std::string::npos);
    CHECK(shadow("target: {provider: p}, share: 0").find("copies nothing") != std::string::npos);
    CHECK(shadow("target: {provider: p}, share: 2").find("share") != std::string::npos);
    CHECK(shadow("target: {provider: p, model: \"a-*\"}").find("holds a *") != std::string::npos);
    CHECK(shadow("share: 0.1").find("missing key \"target\"") != std::string::npos);
}
