#include "dialects/openai/embeddings.hpp"

#include "support.hpp"

using namespace sluice;
using namespace sluice::chat;
using namespace sluice::chat::openai;
using namespace sluice::chat::openai::test;

namespace {

struct asking {
    explicit asking(std::string body) : body_(std::make_unique<std::string>(std::move(body))) {
        const auto o = json_object::parse(*body_);
        REQUIRE(o.has_value());
        outcome = read_embedding_request(*o, {}, r);
    }
    embedding_request r;
    result<void> outcome;

private:
    std::unique_ptr<std::string> body_;
};

std::string refusal(const std::string& body) {
    const asking a(body);
    INFO(body);
    REQUIRE(!a.outcome.has_value());
    CHECK(a.outcome.error().kind == error_kind::bad_request);
    return a.outcome.error().param;
}

std::string as_upstream(const embedding_request& r, strings* dropped = nullptr) {
    losses lost("m", false);
    std::string out;
    REQUIRE(write_embedding_request(r, {"up"}, lost, out).has_value());
    if (dropped != nullptr) *dropped = lost.dropped();
    return out;
}

std::string answer_with(const std::string& vectors) {
    return R"({"object":"list","data":[)" + vectors + R"(],"model":"te","usage":{"prompt_tokens":5,"total_tokens":5}})";
}
std::string vector(const std::string& value, int index) {
    return R"({"object":"embedding","index":)" + std::to_string(index) + R"(,"embedding":)" + value + "}";
}

// What a client gets of an upstream's answer.
std::string as_client(const std::string& body, bool base64) {
    embedding_answer a;
    REQUIRE(read_embedding_answer(body, a).has_value());
    embedding_request asked;
    asked.base64 = base64;
    client_call call;
    call.model = "public";
    std::string out;
    write_embedding_answer(a, asked, call, out);
    CHECK(validate_json(out).has_value());
    return out;
}

}  // namespace

TEST_CASE("every form of input is passed on as it came", "[dialects][openai]") {
    for (const std::string input : {R"("one \u00f6")", R"(["one","two"])", "[1,2,3]", "[[1,2],[3]]", R"([""])"}) {
        const asking a(R"({"model":"m","input":)" + input + R"(,"user":"u","dimensions":256})");
        REQUIRE(a.outcome.has_value());
        CHECK(as_upstream(a.r) == R"({"model":"up","input":)" + input + R"(,"dimensions":256,"user":"u"})");
    }
    const asking texts(R"({"input":["one","two"],"encoding_format":"base64","extra":1,"user":null})");
    CHECK((texts.r.inputs == std::vector<json>{R"("one")", R"("two")"} && !texts.r.single && texts.r.base64));
    CHECK(as_upstream(texts.r) == R"({"model":"up","input":["one","two"],"encoding_format":"base64","extra":1})");
    CHECK(asking(R"({"input":"one","encoding_format":"float"})").r.single);
}

TEST_CASE("a wrong request for vectors is refused by the field's name", "[dialects][openai]") {
    CHECK(refusal("{}") == "input");
    for (const std::string input : {"5", "{}", "[]", "[true]", R"(["a",1])", R"([[1],2])", R"([["a"]])", "[null]"})
        CHECK(refusal(R"({"input":)" + input + "}") == "input");
    CHECK(refusal(R"({"input":"a","dimensions":"8"})") == "dimensions");
    CHECK(refusal(R"({"input":"a","encoding_format":"hex"})") == "encoding_format");
    CHECK(refusal(R"({"input":"a","user":1})") == "user");
    CHECK(refusal(R"({"input":"a","model":1})") == "model");
    std::string many = R"("a")";
    for (int i = 0; i < 65'536; ++i) many += R"(,"a")";
    CHECK(refusal(R"({"input":[)" + many + "]}") == "input");
}

TEST_CASE("what only other dialects say of vectors is told", "[dialects][openai]") {
    embedding_request r;
    r.inputs = {R"("a")"};
    r.single = true;
    r.purpose = R"("RETRIEVAL_QUERY")";
    r.title = R"("t")";
    r.dialect = "gemini";
    r.extras = {{"odd", "1"}};
    strings dropped;
    CHECK(as_upstream(r, &dropped) == R"({"model":"up","input":"a"})");
    CHECK(dropped == strings{"taskType", "title", "odd"});
}

TEST_CASE("vectors come in the form that the client asked for", "[dialects][openai]") {
    // 1.0 and -0.5 as little-endian 32-bit floats.
    const std::string base64 = R"("AACAPwAAAL8=")";
    const auto expected = [](const std::string& vectors) {
        return R"({"object":"list","data":[)" + vectors +
               R"(],"model":"te","usage":{"prompt_tokens":5,"total_tokens":5}})";
    };
    const auto written = [](const std::string& value, int index) {
        return R"({"object":"embedding","index":)" + std::to_string(index) + R"(,"embedding":)" + value + "}";
    };
    for (const std::string& given : {std::string("[1,-0.5]"), base64}) {
        const std::string body = answer_with(vector(given, 1) + "," + vector(given, 0));
        CHECK(as_client(body, true) == expected(written(base64, 0) + "," + written(base64, 1)));
        CHECK(as_client(body, false) == expected(written("[1,-0.5]", 0) + "," + written("[1,-0.5]", 1)));
    }
    // The text of numbers is kept where nothing is turned.
    CHECK(as_client(answer_with(vector("[0.10,1e-9]", 0)), false) == expected(written("[0.10,1e-9]", 0)));
    CHECK(as_client(answer_with(R"({"embedding":[]})"), false) == expected(written("[]", 0)));
}

TEST_CASE("floats survive base64 and back to the bit", "[dialects][openai]") {
    const std::string numbers = "[0,-0,1,0.1,3.4028235e+38,1e-45,-2.5,123456.79]";
    const std::string there = base64_of_floats(numbers);
    const std::string back = floats_of_base64(there);
    CHECK(base64_of_floats(back) == there);
    CHECK(back == "[0,-0,1,0.1,3.4028235e+38,1e-45,-2.5,123456.79]");
    CHECK(floats_of_base64(base64_of_floats("[1e300]")) == "[3.4028235e+38]");
    CHECK(floats_of_base64("AACAfw==") == "[0]");  // an infinity
    CHECK(floats_of_base64("AACA\\u0050w==") == "[1]");
    CHECK(floats_of_base64(base64_of_floats("[]")) == "[]");
}

TEST_CASE("an answer without a vector for each input is refused", "[dialects][openai]") {
    for (const std::string& body :
         {std::string("<html>"), std::string("{}"), answer_with(""), answer_with(vector("[1]", 1)),
          answer_with(vector("[1]", -1)), answer_with(vector("[1]", 65'536)), answer_with(vector("5", 0)),
          answer_with(vector(R"("!!!!")", 0)), answer_with(vector(R"("AACA")", 0)), answer_with(R"({"index":0})")}) {
        INFO(body);
        embedding_answer a;
        const auto read = read_embedding_answer(body, a);
        REQUIRE(!read.has_value());
        CHECK(read.error().kind == error_kind::upstream_protocol);
    }
}
