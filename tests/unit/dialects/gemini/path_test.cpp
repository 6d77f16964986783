#include "dialects/gemini/embeddings.hpp"
#include "dialects/gemini/gemini.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::chat;

TEST_CASE("a model stands in the path, escaped, in the folder that its name says", "[dialects][gemini]") {
    const upstream_dialect& google = gemini::gemini_upstream();
    CHECK(google.path({"gemini-2.5-pro"}, false) == "/models/gemini-2.5-pro:generateContent");
    CHECK(google.path({"models/gemini-2.5-pro"}, true) == "/models/gemini-2.5-pro:streamGenerateContent?alt=sse");
    CHECK(google.path({"tunedModels/my model"}, false) == "/tunedModels/my%20model:generateContent");
    CHECK(google.path({"a/../b?c:d"}, false) == "/models/a%2F..%2Fb%3Fc%3Ad:generateContent");
    CHECK(gemini::vertex_upstream().path({"models/gemini-3-pro"}, false) ==
          "/publishers/google/models/gemini-3-pro:generateContent");
    CHECK(gemini::embed_path({"models/text-embedding-004"}) == "/models/text-embedding-004:batchEmbedContents");
}
