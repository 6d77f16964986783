#include "stream_support.hpp"

using namespace sluice;
using namespace sluice::chat;
using namespace sluice::chat::openai;
using namespace sluice::chat::openai::test;

TEST_CASE("a streamed text is read to its end, with its usage", "[dialects][openai]") {
    const reading r = read_everywhere(
        {chunk(R"({"role":"assistant","content":"","refusal":null})"), chunk(R"({"content":"Hel"})"),
         chunk(R"({"content":"lo \u00f6\n"})"), chunk("{}", R"("stop")"),
         R"({"id":"chatcmpl-1","choices":[],"usage":{"prompt_tokens":20,"completion_tokens":7,"total_tokens":27,)"
         R"("prompt_tokens_details":{"cached_tokens":8},"completion_tokens_details":{"reasoning_tokens":2}}})",
         done_event});
    CHECK(r.error.empty());
    CHECK(r.repairs == 0);
    CHECK(r.steps == strings{start_step, "part 0 text", R"(delta 0 text "Hel")", R"(delta 0 text "lo \u00f6\n")",
                             "end 0 text", "finish stop", "usage in=20 out=7 cached=8 thought=2", "whole"});
}

TEST_CASE("thoughts end where the text begins, whatever a server calls them", "[dialects][openai]") {
    const strings expected{"part 0 reasoning",
                           R"(delta 0 reasoning "Let")",
                           R"(delta 0 reasoning " me")",
                           "end 0 reasoning",
                           "part 1 text",
                           R"(delta 1 text "Hi")",
                           "end 1 text",
                           "finish stop"};
    for (const std::string name : {"reasoning_content", "reasoning"}) {
        CHECK(read_deltas({R"({")" + name + R"(":"Let"})", R"({"content":null,")" + name + R"(":" me"})",
                           R"({"content":"Hi",")" + name + R"(":null})"})
                  .steps == expected);
    }
    // Both at once say the same; other forms of one do not hide the other.
    CHECK(read_deltas({R"({"reasoning_content":"Let","reasoning":"Let"})",
                       R"({"reasoning_content":" me","reasoning":{"x":1}})", R"({"content":"Hi"})"})
              .steps == expected);
}

TEST_CASE("a signature belongs to the thought before it, and a hidden thought is a part of its own",
          "[dialects][openai]") {
    // As this gateway writes it: the block repeats the text.
    CHECK(read_deltas({R"({"reasoning_content":"Let"})", R"({"reasoning_content":" me"})",
                       R"({"thinking_blocks":[{"index":0,"type":"thinking","thinking":"Let me","signature":"EqQB"}]})",
                       R"({"reasoning_content":"And"})",
                       R"({"thinking_blocks":[{"index":1,"type":"thinking","thinking":"And","signature":"Zz"}]})",
                       R"({"thinking_blocks":[{"index":2,"type":"redacted_thinking","data":"Emw"}]})",
                       R"({"content":"Hi"})"})
              .steps == strings{"part 0 reasoning", R"(delta 0 reasoning "Let")", R"(delta 0 reasoning " me")",
                                "end 0 reasoning signature=EqQB", "part 1 reasoning", R"(delta 1 reasoning "And")",
                                "end 1 reasoning signature=Zz", "part 2 reasoning", "end 2 reasoning hidden=Emw",
                                "part 3 text", R"(delta 3 text "Hi")", "end 3 text", "finish stop"});
    // As others do: in pieces, with and without the other field.
    CHECK(read_deltas({R"({"thinking_blocks":[{"type":"thinking","thinking":"Let","signature":null}]})",
                       R"({"thinking_blocks":[{"type":"thinking","thinking":" me","signature":""}]})",
                       R"({"thinking_blocks":[{"type":"thinking","thinking":"","signature":"EqQB"}]})",
                       R"({"content":"Hi"})"})
              .steps == strings{"part 0 reasoning", R"(delta 0 reasoning "Let")", R"(delta 0 reasoning " me")",
                                "end 0 reasoning signature=EqQB", "part 1 text", R"(delta 1 text "Hi")", "end 1 text",
                                "finish stop"});
    CHECK(read_deltas({R"({"reasoning_content":"Let","thinking_blocks":[{"type":"thinking","thinking":"Let"}]})",
                       R"({"thinking_blocks":[{"type":"thinking","signature":"gemini:Sig"},{"type":"dream"},7]})",
                       R"({"content":"Hi"})"})
              .steps == strings{"part 0 reasoning", R"(delta 0 reasoning "Let")", "end 0 reasoning signature=Sig",
                                "part 1 text", R"(delta 1 text "Hi")", "end 1 text", "finish stop"});
}

TEST_CASE("parts of content as Mistral streams them are told apart", "[dialects][openai]") {
    CHECK(read_deltas({R"({"content":[{"type":"thinking","thinking":[{"type":"text","text":"Let"}]}]})",
                       R"({"content":[{"type":"thinking","thinking":" me"},{"type":"text","text":"H"}]})",
                       R"({"content":"i"})"})
              .steps == strings{"part 0 reasoning", R"(delta 0 reasoning "Let")", R"(delta 0 reasoning " me")",
                                "end 0 reasoning", "part 1 text", R"(delta 1 text "H")", R"(delta 1 text "i")",
                                "end 1 text", "finish stop"});
}

TEST_CASE("a refusal is a part of its own, and probabilities go with their text", "[dialects][openai]") {
    CHECK(read_deltas({R"({"refusal":"I can"})", R"({"refusal":"not"})"}).steps ==
          strings{"part 0 refusal", R"(delta 0 refusal "I can")", R"(delta 0 refusal "not")", "end 0 refusal",
                  "finish stop"});
    const reading r = read_everywhere(
        {R"({"choices":[{"index":0,"delta":{"content":"a"},"logprobs":{"content":[]},"finish_reason":"stop"}]})",
         done_event});
    CHECK(r.steps == strings{"start at=0", "part 0 text", R"(delta 0 text "a" logprobs={"content":[]})", "end 0 text",
                             "finish stop", "whole"});
}

TEST_CASE("calls that follow each other end one by one", "[dialects][openai]") {
    const reading r = read_deltas(
        {R"({"content":"Wait"})",
         call_delta(R"({"index":0,"id":"call_1","type":"function","function":{"name":"f","arguments":""}})"),
         call_delta(R"({"index":0,"function":{"arguments":"{\"a\":"}})"),
         call_delta(R"({"index":0,"function":{"arguments":"1}"}})"),
         call_delta(R"({"index":1,"id":"call_2","type":"function","function":{"name":"g","arguments":""}})"),
         call_delta(R"({"index":1,"function":{"arguments":"{}"}})")},
        R"("tool_calls")");
    CHECK(r.repairs == 0);
    CHECK(r.steps == strings{"part 0 text", R"(delta 0 text "Wait")", "end 0 text",
                             R"(part 1 call id="call_1" name="f")", R"(delta 1 call "{\"a\":")", R"(delta 1 call "1}")",
                             "end 1 call", R"(part 2 call id="call_2" name="g")", R"(delta 2 call "{}")", "end 2 call",
                             "finish tool_calls"});
}

TEST_CASE("calls that come mixed stay open side by side", "[dialects][openai]") {
    const reading r = read_deltas({call_delta(R"({"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\""}},)"
                                              R"({"index":1,"id":"b","function":{"name":"g","arguments":"{\"y\""}})"),
                                   call_delta(R"({"index":1,"function":{"arguments":":2}"}})"),
                                   call_delta(R"({"index":0,"function":{"arguments":":1}"}})")},
                                  R"("tool_calls")");
    CHECK(r.repairs == 0);
    CHECK(r.steps == strings{R"(part 0 call id="a" name="f")", R"(delta 0 call "{\"x\"")",
                             R"(part 1 call id="b" name="g")", R"(delta 1 call "{\"y\"")", R"(delta 1 call ":2}")",
                             R"(delta 0 call ":1}")", "end 0 call", "end 1 call", "finish tool_calls"});
}

TEST_CASE("calls that all bear the number 0 are told apart by their ids", "[dialects][openai]") {
    const strings expected{R"(part 0 call id="a" name="f")",
                           R"(delta 0 call "{\"x\"")",
                           R"(part 1 call id="b" name="g")",
                           R"(delta 1 call "{}")",
                           R"(delta 0 call ":1}")",
                           "end 0 call",
                           "end 1 call",
                           "finish tool_calls"};
    const reading r = read_deltas({call_delta(R"({"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\""}})"),
                                   call_delta(R"({"index":0,"id":"b","function":{"name":"g","arguments":"{}"}})"),
                                   call_delta(R"({"index":0,"id":"a","function":{"name":"f","arguments":":1}"}})")},
                                  R"("tool_calls")");
    CHECK(r.steps == expected);
    CHECK(r.repairs == 1);
}

TEST_CASE("calls without ids get some, and whole ones without numbers are told apart", "[dialects][openai]") {
    const reading r = read_deltas({call_delta(R"({"index":0,"id":"","function":{"name":"f","arguments":"{\"x\":1}"}})"),
                                   call_delta(R"({"index":0,"id":"","function":{"name":"f","arguments":"{\"x\":2}"}})"),
                                   call_delta(R"({"function":{"name":"g","arguments":{"y":[3]}}})")},
                                  R"("stop")");
    CHECK(r.steps == strings{R"(part 0 call id="call_chatcmpl-1_0_0" name="f")", R"(delta 0 call "{\"x\":1}")",
                             "end 0 call", R"(part 1 call id="call_chatcmpl-1_0_1" name="f")",
                             R"(delta 1 call "{\"x\":2}")", "end 1 call",
                             R"(part 2 call id="call_chatcmpl-1_0_2" name="g")", R"(delta 2 call "{\"y\":[3]}")",
                             "end 2 call", "finish tool_calls"});
    CHECK(r.repairs == 2);  // the second number 0, and "stop" although tools are called
}

TEST_CASE("names and ids that are repeated in every piece begin no new call", "[dialects][openai]") {
    const reading r = read_deltas({call_delta(R"({"index":0,"id":"a","function":{"name":"f","arguments":"{"}})"),
                                   call_delta(R"({"index":0,"id":"a","function":{"name":"f","arguments":"}"}})"),
                                   call_delta(R"({"index":0,"id":"","function":{"name":"f","arguments":""}})"),
                                   call_delta(R"({"index":0,"id":null,"function":{"name":"","arguments":" "}})")},
                                  R"("tool_calls")");
    CHECK(r.steps == strings{R"(part 0 call id="a" name="f")", R"(delta 0 call "{")", R"(delta 0 call "}")",
                             R"(delta 0 call " ")", "end 0 call", "finish tool_calls"});
}

TEST_CASE("a piece without id and name belongs to the call before it", "[dialects][openai]") {
    const reading r = read_deltas({call_delta(R"({"index":0,"id":"a","function":{"name":"f","arguments":"{}"}})"),
                                   call_delta(R"({"index":0,"function":{"arguments":"{"}})")},
                                  R"("tool_calls")");
    CHECK(r.steps == strings{R"(part 0 call id="a" name="f")", R"(delta 0 call "{}")", R"(delta 0 call "{")",
                             "end 0 call", "finish tool_calls"});
}

TEST_CASE("free text for a custom tool is never taken for whole", "[dialects][openai]") {
    const reading r =
        read_deltas({call_delta(R"({"index":0,"id":"a","type":"custom","custom":{"name":"sql","input":"{1}"}})"),
                     call_delta(R"({"index":1,"id":"b","function":{"name":"f","arguments":"{}"}})"),
                     call_delta(R"({"index":0,"custom":{"input":" and on"}})")},
                    R"("tool_calls")");
    CHECK(r.steps == strings{R"(part 0 custom id="a" name="sql")", R"(delta 0 custom "{1}")",
                             R"(part 1 call id="b" name="f")", R"(delta 1 call "{}")", R"(delta 0 custom " and on")",
                             "end 0 custom", "end 1 call", "finish tool_calls"});
}

TEST_CASE("the signature of Gemini's thoughts ends its call", "[dialects][openai]") {
    const reading r = read_deltas({call_delta(R"({"index":0,"id":"a","function":{"name":"f","arguments":"{}"},)"
                                              R"("extra_content":{"google":{"thought_signature":"CiQB"}}})")},
                                  R"("tool_calls")");
    CHECK(r.steps == strings{R"(part 0 call id="a" name="f")", R"(delta 0 call "{}")", "end 0 call signature=CiQB",
                             "finish tool_calls"});
}

TEST_CASE("pictures and citations of a streamed answer are kept", "[dialects][openai]") {
    const reading r =
        read_deltas({R"({"content":"See"})", R"({"content":"","annotations":[{"type":"url_citation","n":1}]})",
                     R"({"annotations":[{"n":2}]})",
                     R"({"images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]})"});
    CHECK(r.steps == strings{"part 0 text", R"(delta 0 text "See")",
                             R"(end 0 text citations=[{"type":"url_citation","n":1},{"n":2}])",
                             "part 1 whole mime=image/png base64=AAAA", "end 1 whole", "finish stop"});
}

TEST_CASE("choices side by side keep to themselves", "[dialects][openai]") {
    const reading r =
        read_everywhere({chunk(R"({"content":"a"})"), chunk(R"({"content":"b"})", "null", 1),
                         chunk("{}", R"("length")", 1), chunk(R"({"content":"c"})", R"("stop")"), done_event});
    CHECK(r.steps == strings{start_step, "part 0 text", R"(delta 0 text "a")", "part 1/0 text", R"(delta 1/0 text "b")",
                             "end 1/0 text", "finish 1/length", R"(delta 0 text "c")", "end 0 text", "finish stop",
                             "whole"});
    CHECK(read_everywhere({chunk("{}", "null", 128)}).error.find("no chunk") != std::string::npos);
}

TEST_CASE("what servers leave out at the end or say twice is made good and counted", "[dialects][openai]") {
    const strings text{chunk(R"({"content":"a"})"), chunk("{}", R"("stop")")};
    strings twice = text;
    twice.insert(twice.end(), {chunk(R"({"content":""})", R"("stop")"), done_event, done_event});
    const strings expected{start_step, "part 0 text", R"(delta 0 text "a")", "end 0 text", "finish stop", "whole"};
    CHECK(read_everywhere(text) == reading{expected, "", 1});
    CHECK(read_everywhere(twice) == reading{expected, "", 2});
    // An empty reason is none; that a reason never came does not make a stream with its mark a broken one.
    const reading unsaid = read_everywhere({chunk(R"({"content":"a"})", R"("")"), " [DONE] "});
    CHECK(unsaid.steps ==
          strings{start_step, "part 0 text", R"(delta 0 text "a")", "end 0 text", "finish none", "whole"});
    CHECK(unsaid.repairs == 1);
}

TEST_CASE("a stream that breaks off has no end", "[dialects][openai]") {
    const std::string call = call_delta(R"({"index":0,"id":"a","function":{"name":"f","arguments":"{\"x"}})");
    for (const strings& events :
         {strings{}, strings{chunk(R"({"content":"a"})")}, strings{chunk(call)}, strings{chunk(call), done_event},
          strings{done_event}, strings{chunk("{}", R"("stop")"), chunk(R"({"content":"b"})", "null", 1)}}) {
        const reading r = read_everywhere(events);
        CHECK(r.error.find("broke off") != std::string::npos);
        CHECK(std::count(r.steps.begin(), r.steps.end(), "whole") == 0);
    }
}

TEST_CASE("an error in the middle is told, and nothing follows it", "[dialects][openai]") {
    const std::string text = chunk(R"({"content":"a"})");
    const strings before{start_step, "part 0 text", R"(delta 0 text "a")"};
    const auto read_after = [&](const std::string& event) {
        const reading r = read_everywhere({text, event, text, done_event});
        CHECK(r.error.empty());
        CHECK(r.repairs == 0);
        REQUIRE(r.steps.size() == 4);
        CHECK(strings(r.steps.begin(), r.steps.end() - 1) == before);
        return r.steps.back();
    };
    CHECK(read_after(R"({"error":{"message":"Over\nloaded","type":"server_error","code":"busy"}})") ==
          R"(failure type="busy" message="Over\nloaded")");
    CHECK(read_after(R"({"object":"error","message":"Bad","type":"BadRequestError","code":400})") ==
          R"(failure type="400" message="Bad")");
    CHECK(read_after(
              R"({"choices":[{"index":0,"delta":{},"finish_reason":"error","error":{"code":502,"message":"No"}}]})") ==
          R"(failure type="502" message="No")");
    CHECK(read_after(chunk("{}", R"("error")")).starts_with(R"(failure type="upstream_error")"));
    CHECK(read_sse("event: error\ndata: {\"message\":\"Gone\"}\n\n").steps ==
          strings{R"(failure type="" message="Gone")"});
}

TEST_CASE("what is no chunk, and what nobody can place, is refused", "[dialects][openai]") {
    const std::string text = chunk(R"({"content":"a"})");
    for (const std::string bad : {"<html>", "{", "[1]", R"({"object":"chat.completion.chunk"})", R"({"choices":null})",
                                  R"({"choices":[{"index":-1,"delta":{}}]})"}) {
        INFO(bad);
        const reading r = read_everywhere({text, bad});
        CHECK(r.error.find("no chunk of a chat completion: ") != std::string::npos);
        CHECK(r.steps.size() == 3);
    }
    // A piece of a call that nobody began, and text behind the end.
    CHECK(!read_everywhere({chunk(call_delta(R"({"index":0,"function":{"arguments":"{"}})"))}).error.empty());
    CHECK(!read_everywhere({chunk("{}", R"("stop")"), text}).error.empty());
    std::string many;
    for (int i = 0; i < 1025; ++i)
        many += (i == 0 ? "" : ",") + (R"({"index":)" + std::to_string(i) + R"(,"id":"c)" + std::to_string(i)) +
                R"(","function":{"name":"f"}})";
    std::string stream;
    http::append_sse(stream, "", chunk(call_delta(many)));
    CHECK(!read_sse(stream).error.empty());
}

TEST_CASE("usage is taken wherever a server puts it", "[dialects][openai]") {
    const std::string usage = R"("usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5})";
    const std::string expected = "usage in=3 out=2 cached=-1 thought=-1";
    const auto last_usage = [](const reading& r) { return r.steps.at(r.steps.size() - 2); };
    CHECK(last_usage(read_everywhere({R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],)" + usage + "}",
                                      done_event})) == expected);
    CHECK(last_usage(read_everywhere({R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop",)" + usage + "}]}",
                                      done_event})) == expected);
    CHECK(last_usage(read_everywhere({chunk("{}", R"("stop")"), "{" + usage + "}", done_event})) == expected);
}
