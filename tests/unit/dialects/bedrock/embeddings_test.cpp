#include "dialects/bedrock/embeddings.hpp"

#include <sluice/json.hpp>

#include <catch2/catch.hpp>

#include <string>
#include <string_view>

using namespace sluice;
using namespace sluice::chat;

namespace {

constexpr std::string_view titan = "amazon.titan-embed-text-v2:0";

std::string write(const embedding_request& r, std::string_view model, losses& lost) {
    std::string out;
    REQUIRE(bedrock::write_embed_request(r, {model}, lost, out).has_value());
    CHECK(validate_json(out).has_value());
    return out;
}

error refusal(const embedding_request& r, std::string_view model) {
    std::string out;
    losses lost("t", false);
    const auto written = bedrock::write_embed_request(r, {model}, lost, out);
    REQUIRE_FALSE(written.has_value());
    return written.error();
}

}  // namespace

TEST_CASE("a text to embed is written in the form of the model's maker", "[dialects][bedrock]") {
    embedding_request r;
    r.inputs = {R"("a\n")"};
    r.dimensions = "256";
    r.extras = {{"normalize", "false"}};
    losses lost("t", false);
    CHECK(bedrock::embed_path({titan}) == "/model/amazon.titan-embed-text-v2%3A0/invoke");
    CHECK(write(r, titan, lost) == R"({"inputText":"a\n","dimensions":256,"normalize":false})");
    CHECK(lost.dropped().empty());
    CHECK(write(r, "amazon.titan-embed-text-v1", lost) == R"({"inputText":"a\n"})");
    r.inputs.push_back(R"("b")");
    r.purpose = R"("CLASSIFICATION")";
    CHECK(write(r, "us.cohere.embed-v4:0", lost) ==
          R"({"texts":["a\n","b"],"input_type":"classification","embedding_types":["float"],"output_dimension":256})");
    CHECK(write(r, "cohere.embed-english-v3", lost) ==
          R"({"texts":["a\n","b"],"input_type":"classification","embedding_types":["float"]})");
    CHECK(lost.dropped() == std::vector<std::string>{"dimensions", "normalize"});
}

TEST_CASE("what Bedrock's models cannot embed is refused", "[dialects][bedrock]") {
    embedding_request r;
    r.inputs = {R"("a")", R"("b")"};
    CHECK(refusal(r, titan).param == "input");
    r.inputs = {R"("a")"};
    CHECK(refusal(r, "amazon.nova-lite-v1:0").param == "model");
    r.inputs = {"[1]"};
    CHECK(refusal(r, "cohere.embed-v4:0").param == "input");
}

TEST_CASE("vectors of Bedrock's models are read", "[dialects][bedrock]") {
    embedding_answer a;
    REQUIRE(bedrock::read_embed_answer(R"({"embedding":[0.10,-1],"inputTextTokenCount":5,)"
                                       R"("embeddingsByType":{"float":[0.10,-1]}})",
                                       a)
                .has_value());
    CHECK(a.vectors == std::vector<json>{"[0.10,-1]"});
    CHECK(a.usage.input == 5);
    for (const std::string_view body : {R"({"embeddings":[[1],[2]],"id":"x","response_type":"embeddings_floats"})",
                                        R"({"embeddings":{"float":[[1],[2]],"int8":[[3]]},"id":"x"})"}) {
        embedding_answer b;
        REQUIRE(bedrock::read_embed_answer(body, b).has_value());
        CHECK(b.vectors == std::vector<json>{"[1]", "[2]"});
        CHECK(b.id == R"("x")");
    }
    for (const std::string_view bad : {"", "{}", R"({"embedding":1})", R"({"embeddings":[1]})"}) {
        embedding_answer c;
        CHECK_FALSE(bedrock::read_embed_answer(bad, c).has_value());
    }
}
