#include "dialects/cohere/embeddings.hpp"

#include <sluice/json.hpp>

#include <catch2/catch.hpp>

#include <string>
#include <string_view>

using namespace sluice;
using namespace sluice::chat;

namespace {

std::string write(const embedding_request& r, losses& lost) {
    std::string out;
    REQUIRE(cohere::write_embed_request(r, {"embed-v4.0"}, lost, out).has_value());
    CHECK(validate_json(out).has_value());
    return out;
}

}  // namespace

TEST_CASE("texts to embed are written in Cohere's form", "[dialects][cohere]") {
    embedding_request r;
    r.inputs = {R"("a\n")", R"("b")"};
    losses lost("t", false);
    CHECK(write(r, lost) == R"({"model":"embed-v4.0","texts":["a\n","b"],"input_type":"search_document",)"
                            R"("embedding_types":["float"]})");
    r.purpose = R"("RETRIEVAL_QUERY")";
    r.base64 = true;
    r.dimensions = "256";
    r.user = R"("u")";
    r.extras = {{"truncate", R"("NONE")"}, {"x", "1"}};
    CHECK(write(r, lost) == R"({"model":"embed-v4.0","texts":["a\n","b"],"input_type":"search_query",)"
                            R"("embedding_types":["base64"],"output_dimension":256,"truncate":"NONE"})");
    CHECK(lost.dropped() == std::vector<std::string>{"x", "user"});
    r.extras = {{"input_type", R"("classification")"}};
    CHECK(write(r, lost).find(R"("input_type":"classification")") != std::string::npos);
}

TEST_CASE("token numbers cannot be embedded by Cohere", "[dialects][cohere]") {
    embedding_request r;
    r.inputs = {"[1,2]"};
    losses lost("t", false);
    std::string out;
    const auto written = cohere::write_embed_request(r, {"embed-v4.0"}, lost, out);
    REQUIRE_FALSE(written.has_value());
    CHECK(written.error().param == "input");
}

TEST_CASE("vectors of Cohere are read in either form", "[dialects][cohere]") {
    embedding_answer a;
    REQUIRE(cohere::read_embed_answer(R"({"id":"da6e","embeddings":{"float":[[0.10,-1],[2e-3]]},"texts":["a","b"],)"
                                      R"("meta":{"api_version":{"version":"2"},"billed_units":{"input_tokens":2}}})",
                                      a)
                .has_value());
    CHECK(a.id == R"("da6e")");
    CHECK(a.vectors == std::vector<json>{"[0.10,-1]", "[2e-3]"});
    CHECK(a.usage.input == 2);
    embedding_answer b;
    REQUIRE(cohere::read_embed_answer(R"({"embeddings":{"base64":["AACA"]}})", b).has_value());
    CHECK(b.vectors == std::vector<json>{R"("AACA")"});
    for (const std::string_view bad : {"", "{}", R"({"embeddings":[[1]]})", R"({"embeddings":{"float":["x"]}})"}) {
        embedding_answer c;
        CHECK_FALSE(cohere::read_embed_answer(bad, c).has_value());
    }
}
