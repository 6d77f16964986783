#include "sim/text.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "sim/json_out.hpp"
#include "sim/plain_api.hpp"

using namespace sluice::sim;

TEST_CASE("equal seeds speak equal words and tokens join to the text") {
    const auto a = speak(7, 50);
    CHECK(a.text == speak(7, 50).text);
    CHECK(a.text != speak(8, 50).text);
    CHECK(a.tokens() == 50);
    std::string joined;
    for (std::size_t i = 0; i < a.tokens(); ++i) joined += a.piece(i);
    CHECK(joined == a.text);
    CHECK(speak(7, 20).text == a.text.substr(0, a.ends[19]));
}

TEST_CASE("a common prefix has common leading hashes and nothing after it") {
    const std::string common(256, 'a');
    const auto one = chain_hashes(common + std::string(128, 'b'), 64, 1);
    const auto two = chain_hashes(common + std::string(128, 'c'), 64, 1);
    REQUIRE(one.size() == 6);
    for (std::size_t i = 0; i < 4; ++i) CHECK(one[i] == two[i]);
    CHECK(one[4] != two[4]);
    CHECK(one[5] != two[5]);
    CHECK(chain_hashes(common, 64, 2)[0] != one[0]);
}

TEST_CASE("base64 pads to four") {
    CHECK(base64("") == "");
    CHECK(base64("f") == "Zg==");
    CHECK(base64("fo") == "Zm8=");
    CHECK(base64("foobar") == "Zm9vYmFy");
}

TEST_CASE("strings are escaped and numbers are not") {
    std::string out;
    put(out, "{", quoted{"a\"\\\n\x01"}, ":", 42, ",", 0.5, ",", true, "}");
    CHECK(out == R"({"a\"\\\n\u0001":42,0.5,true})");
}

TEST_CASE("embeddings have length one and shared words bring texts nearer") {
    const auto dot = [](const std::vector<float>& a, const std::vector<float>& b) {
        double sum = 0;
        for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
        return sum;
    };
    const auto a = embed("red green blue", 256), b = embed("red green black", 256), c = embed("one two three", 256);
    CHECK(dot(a, a) == Approx(1).epsilon(1e-4));
    CHECK(dot(a, b) > dot(a, c) + 0.2);
}
