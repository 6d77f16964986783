#include "telemetry/telemetry_config.hpp"
#include "unit/config/support.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::telemetry;
using sluice::config::testing::lines;
using sluice::config::testing::problems_of;

namespace {

template <class T>
lines problems_with(T& config, std::string_view yaml) {
    return problems_of(yaml, [&](config_reader& r) { read(r, config); });
}

}  // namespace

TEST_CASE("every telemetry section may be left at its defaults") {
    access_log_config access;
    tracing_config tracing;
    log_config operational;
    CHECK(problems_with(access, "{}") == lines{});
    CHECK(problems_with(tracing, "{}") == lines{});
    CHECK(problems_with(operational, "{}") == lines{});
    CHECK(operational.level == log_level::info);
}

TEST_CASE("an endpoint that is no URL and a path that is empty are problems") {
    tracing_config tracing;
    CHECK(problems_with(tracing, "endpoint: \"collector:4318\"").size() == 1);
    CHECK(problems_with(tracing, "endpoint: \"https://collector/v1/traces\"") == lines{});
    access_log_config access;
    CHECK(problems_with(access, "path: \"\"").size() == 1);
}

TEST_CASE("a header that could not be sent is a problem") {
    export_header h;
    CHECK(problems_with(h, "{name: \"x y\", value: v}").size() == 1);
    CHECK(problems_with(h, "{name: x, value: \"a\\r\\nb\"}").size() == 1);
    CHECK(problems_with(h, "{name: x, value: v}") == lines{});
}
