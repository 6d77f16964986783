#include "dialects/gemini/gemini.hpp"
#include "dialects/losses.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>

using namespace sluice;
using namespace sluice::chat;

namespace {

result<void> read(std::string_view text, conversation& out) {
    const auto body = json_object::parse(text);
    REQUIRE(body.has_value());
    return gemini::gemini_client().read_request(*body, {}, out);
}

std::string write(const conversation& c, std::string_view model) {
    losses lost("gemini", false);
    std::string out;
    REQUIRE(gemini::gemini_upstream().write_request(c, {model}, lost, out).has_value());
    CHECK(lost.dropped().empty());
    return out;
}

}  // namespace

TEST_CASE("a conversation of Gemini's is the same after it was written and read again", "[dialects][gemini]") {
    for (
        const std::string_view text : {
            R"({"contents":[{"role":"user","parts":[{"text":"\u00e9"},{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]}]})",
            R"({"contents":[{"role":"user","parts":[{"fileData":{"mimeType":"video/mp4","fileUri":"gs://b/v"},"videoMetadata":{"fps":2}}]}]})",
            R"({"system_instruction":{"parts":[{"text":"Be brief."}]},"contents":[{"parts":[{"text":"hi"}]}]})",
            R"({"contents":[{"role":"user","parts":[{"text":"a"}]},{"role":"model","parts":[)"
            R"({"text":"Hm","thought":true,"thoughtSignature":"AAAA"},{"text":"b","thoughtSignature":"c2ln"},)"
            R"({"functionCall":{"id":"x1","name":"f","args":{"a":1}},"thoughtSignature":"c2ln"}]},)"
            R"({"role":"user","parts":[{"functionResponse":{"id":"x1","name":"f","response":{"error":"no"}}}]}]})",
            R"({"contents":[{"role":"user","parts":[{"text":"a"}]}],"generationConfig":{"temperature":0.10,"top_k":40,)"
            R"("stopSequences":["x"],"speechConfig":{"languageCode":"de"},"thinkingConfig":{"thinkingBudget":512}}})",
            R"({"contents":[{"role":"user","parts":[{"text":"a"}]}],"tools":[{"googleSearch":{}},{"functionDeclarations":)"
            R"([{"name":"f","parameters":{"type":"OBJECT","properties":{"type":{"type":"STRING","nullable":true}}}}]}],)"
            R"("toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}},"labels":{"a":"b"}})",
        }) {
        INFO(text);
        conversation first, second;
        REQUIRE(read(text, first).has_value());
        const std::string written = write(first, "gemini-2.5-pro");
        REQUIRE(read(written, second).has_value());
        CHECK((first.messages == second.messages));
        CHECK((first.choice == second.choice));
        CHECK((first.sampling == second.sampling));
        CHECK((first.reasoning == second.reasoning));
        CHECK((first.extras == second.extras));
        CHECK(first.tools.size() == second.tools.size());
        CHECK(write(second, "gemini-2.5-pro") == written);
    }
}

TEST_CASE("a result without an id answers the first open call of its name", "[dialects][gemini]") {
    conversation c;
    REQUIRE(read(R"({"contents":[{"role":"model","parts":[{"functionCall":{"name":"f"}},{"functionCall":{"name":"g"}},)"
                 R"({"functionCall":{"name":"f"}}]},{"role":"user","parts":[)"
                 R"({"functionResponse":{"name":"f","response":{"output":"1"}}},)"
                 R"({"functionResponse":{"name":"f","response":{"output":"2"}}}]}]})",
                 c)
                .has_value());
    CHECK(std::get<tool_result>(c.messages[1].content[0].value).call_id == R"("call_0_0")");
    CHECK(std::get<tool_result>(c.messages[1].content[1].value).call_id == R"("call_0_2")");
}

TEST_CASE("a call that Gemini did not sign passes at the models that want a signature", "[dialects][gemini]") {
    conversation c;
    REQUIRE(
        read(R"({"contents":[{"role":"model","parts":[{"functionCall":{"name":"f"}},{"functionCall":{"name":"g"}}]}]})",
             c)
            .has_value());
    CHECK(write(c, "gemini-3-pro").find(R"("args":{}},"thoughtSignature":"skip_thought_signature_validator"},{)") !=
          std::string::npos);
    CHECK(write(c, "gemini-2.5-pro").find("thoughtSignature") == std::string::npos);
}

TEST_CASE("what cannot be understood of a request is refused in Gemini's words", "[dialects][gemini]") {
    struct {
        std::string_view text, param;
    } const cases[] = {
        {R"({})", "contents"},
        {R"({"contents":7})", "contents"},
        {R"({"contents":[{"role":"tool","parts":[]}]})", "contents[0].role"},
        {R"({"contents":[{"parts":[{"text":1}]}]})", "contents[0].parts[0].text"},
        {R"({"contents":[{"parts":[{"guess":1}]}]})", "contents[0].parts[0]"},
        {R"({"contents":[],"generationConfig":{"temperature":"1"}})", "generationConfig.temperature"},
    };
    for (const auto& [text, param] : cases) {
        INFO(text);
        conversation c;
        const auto done = read(text, c);
        REQUIRE_FALSE(done.has_value());
        CHECK(done.error().kind == error_kind::bad_request);
        CHECK(done.error().param == param);
    }
}
