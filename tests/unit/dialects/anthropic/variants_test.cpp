#include "support.hpp"

#include <string>

using namespace sluice;
using namespace sluice::chat;
using namespace sluice::chat::anthropic;
using namespace sluice::chat::anthropic::test;
using strings = std::vector<std::string>;

TEST_CASE("Bedrock and Vertex name a version instead of the model", "[dialects][anthropic]") {
    conversation c = hello();
    c.stream = true;
    CHECK(
        write(c).text ==
        R"({"model":"claude-sonnet-4-5","max_tokens":8192,"messages":[{"role":"user","content":"Hi"}],"stream":true})");
    CHECK(
        write(c, "claude-sonnet-4-5", false, bedrock_invoke_upstream()).text ==
        R"({"anthropic_version":"bedrock-2023-05-31","max_tokens":8192,"messages":[{"role":"user","content":"Hi"}]})");
    CHECK(write(c, "claude-sonnet-4-5", false, vertex_anthropic_upstream()).text ==
          R"({"anthropic_version":"vertex-2023-10-16","max_tokens":8192,"messages":[{"role":"user","content":"Hi"}]})");
    c.messages[0].content.push_back({make<media_part>([](auto& v) { v.url = R"("https://example.com/a.png")"; })});
    CHECK(write(c, "claude-sonnet-4-5", false, bedrock_invoke_upstream()).refused.param == "messages[0].content[1]");
    c.messages[0].content.pop_back();
    c.tools.push_back(make<tool>([](auto& v) {
        v.name = R"("a")";
        v.strict = "true";
    }));
    c.cache_control = R"({"type":"ephemeral"})";
    CHECK(write(c, "anthropic.claude-sonnet-4-5", false, bedrock_invoke_upstream()).dropped ==
          strings{"tools[0].strict", "cache_control"});

    CHECK(bedrock_invoke_upstream().name() == "bedrock.invoke");
    CHECK(bedrock_invoke_upstream().maker() == "anthropic");
    CHECK(bedrock_invoke_upstream().framing() == stream_framing::aws_event_stream);
    CHECK(bedrock_invoke_upstream().path({"us.anthropic.claude-haiku-4-5-v1:0"}, false) ==
          "/model/us.anthropic.claude-haiku-4-5-v1%3A0/invoke");
    CHECK(bedrock_invoke_upstream().path({"arn:aws:x/y"}, true) ==
          "/model/arn%3Aaws%3Ax%2Fy/invoke-with-response-stream");
    CHECK(vertex_anthropic_upstream().path({"claude-sonnet-4@20250514"}, false) ==
          "/publishers/anthropic/models/claude-sonnet-4@20250514:rawPredict");
    CHECK(vertex_anthropic_upstream().path({"claude-opus-5"}, true) ==
          "/publishers/anthropic/models/claude-opus-5:streamRawPredict");
    CHECK(messages_upstream().path({"claude-opus-5"}, true) == "/messages");
}

TEST_CASE("betas of the client's header stand in the body for Bedrock, elsewhere they are told to be lost",
          "[dialects][anthropic]") {
    const auto written = [](const upstream_dialect& d, std::string_view betas) {
        std::string out;
        losses lost("m", false);
        REQUIRE(d.write_request(hello(), {"m", betas}, lost, out).has_value());
        for (const std::string& name : lost.dropped()) out += " " + name;
        return out;
    };
    CHECK(written(bedrock_invoke_upstream(), "context-1m-2025-08-07, interleaved-thinking-2025-05-14,") ==
          R"({"anthropic_version":"bedrock-2023-05-31",)"
          R"("anthropic_beta":["context-1m-2025-08-07","interleaved-thinking-2025-05-14"],)"
          R"("max_tokens":8192,"messages":[{"role":"user","content":"Hi"}]})");
    CHECK(written(bedrock_invoke_upstream(), "").find("beta") == std::string::npos);
    CHECK(written(vertex_anthropic_upstream(), "a").ends_with("} anthropic-beta"));
}
