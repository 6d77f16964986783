#include <catch2/catch.hpp>

#include "routing/upstream_path.hpp"

using namespace sluice::routing;

TEST_CASE("a prefix goes only where it ends with a segment") {
    CHECK(upstream_path("/v1/chat/completions", "/v1") == "/chat/completions");
    CHECK(upstream_path("/v1", "/v1/") == "");
    CHECK(upstream_path("/v11/x", "/v1") == "/v11/x");
    CHECK(upstream_path("/v1/../admin", "/v1") == "/admin");
}

TEST_CASE("Azure gets the deployment in the path and its version in the query") {
    CHECK(azure_target("/chat/completions", "", "gpt-4o", "2024-10-21") ==
          "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21");
    CHECK(azure_target("/embeddings", "x=1&api-version=2020-01-01", "e", "v") ==
          "/openai/deployments/e/embeddings?x=1&api-version=v");
    CHECK(azure_target("/audio/speech", "", "a/../b?c", "v") ==
          "/openai/deployments/a%2F..%2Fb%3Fc/audio/speech?api-version=v");
}

TEST_CASE("what belongs to an Azure resource has no deployment in its path") {
    CHECK(azure_target("/files", "limit=2", "", "v") == "/openai/files?limit=2&api-version=v");
    CHECK(azure_target("/responses", "", "gpt-4o", "v") == "/openai/responses?api-version=v");
    CHECK(azure_target("/realtime", "model=gpt&a=b", "gpt-rt", "v") ==
          "/openai/realtime?model=gpt&a=b&deployment=gpt-rt&api-version=v");
}
