#include "dialects/gemini/gemini.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace sluice::chat;
using namespace std::chrono_literals;

namespace {

error_facts read(const std::string& delay) {
    return gemini::gemini_upstream().read_error(
        429, R"({"error":{"code":429,"message":"Quota exceeded.","status":"RESOURCE_EXHAUSTED","details":[)"
             R"({"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[]},)"
             R"({"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":)" +
                 delay + "}]}}");
}

}  // namespace

TEST_CASE("how long to wait is read from the details of an error", "[dialects][gemini]") {
    CHECK(read(R"("34s")").retry_after == 34s);
    CHECK(read(R"("0.5s")").retry_after == 500ms);
    CHECK(read(R"("1e9s")").retry_after == 24h);
    CHECK(read(R"("34s")").message == "Quota exceeded.");
    CHECK(read(R"("34s")").type == "RESOURCE_EXHAUSTED");
    for (const char* delay : {R"("34")", R"("s")", R"("-1s")", R"("nans")", R"("1 s")", "34", "null", R"("")"})
        CHECK(read(delay).retry_after == 0s);
}
