#include "dialects/gemini/signatures.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace sluice::chat;
using namespace sluice::chat::gemini;

using unwrapped = std::pair<json_chars, family>;

TEST_CASE("a foreign signature is base64 for Gemini's clients and comes back as it was", "[dialects][gemini]") {
    text_arena arena;
    for (const std::string secret : {"EqQBCkYI", "a", "ab", "abc", "rs_1:gAAA+/==", "aimock-placeholder-signature"}) {
        for (const family from : {family{"anthropic"}, family{"openai"}, family{"cohere"}}) {
            const json_chars wrapped = wrap_signature(secret, from, arena);
            CAPTURE(secret, from, wrapped);
            CHECK(wrapped.size() % 4 == 0);
            CHECK(wrapped.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") ==
                  std::string_view::npos);
            CHECK(unwrap_signature(wrapped, arena) == unwrapped(secret, from));
        }
    }
}

TEST_CASE("SDKs may write a wrapped signature in the alphabet for URLs and without padding", "[dialects][gemini]") {
    text_arena arena;
    const json_chars wrapped = wrap_signature("~~~???", "openai", arena);
    REQUIRE(wrapped == "b3BlbmFpOn5+fj8/Pw==");
    CHECK(unwrap_signature("b3BlbmFpOn5-fj8_Pw==", arena) == unwrapped("~~~???", "openai"));
    CHECK(unwrap_signature("b3BlbmFpOn5-fj8_Pw", arena) == unwrapped("~~~???", "openai"));
    CHECK(wrap_signature(R"(~~~\/??)", "openai", arena) == "b3BlbmFpOn5+fi8/Pw==");
    CHECK(unwrap_signature(R"(b3BlbmFpOn5+fj8\/Pw==)", arena) == unwrapped("~~~???", "openai"));
}

TEST_CASE("Gemini's own signatures are left alone, whatever they hold", "[dialects][gemini]") {
    text_arena arena;
    CHECK(wrap_signature("CsQBAdHtim9", "gemini", arena) == "CsQBAdHtim9");
    CHECK(wrap_signature("CsQBAdHtim9", {}, arena) == "CsQBAdHtim9");
    CHECK(wrap_signature("", "openai", arena).empty());
    for (const std::string_view own : {"", "C", "CsQBAdHtim9", "context_engineering_is_the_way_to_go", "\\u0041"})
        CHECK(unwrap_signature(own, arena) == unwrapped(own, "gemini"));
}

TEST_CASE("a tag before bytes that no text holds is not taken for one", "[dialects][gemini]") {
    text_arena arena;
    CHECK(unwrap_signature("b3BlbmFpOgAB", arena) == unwrapped("b3BlbmFpOgAB", "gemini"));  // a zero
    CHECK(unwrap_signature("b3BlbmFpOmEi", arena) == unwrapped("b3BlbmFpOmEi", "gemini"));  // a quote
    CHECK(unwrap_signature("b3BlbmFpOmE*", arena) == unwrapped("b3BlbmFpOmE*", "gemini"));  // no base64
}
