#include "dialects/responses/responses.hpp"
#include "dialects/steps.hpp"
#include "dialects/values.hpp"
#include "http/sse_reader.hpp"

#include <sluice/json.hpp>

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

using namespace sluice;
using namespace sluice::chat;

namespace {

using kind = stream_step::kind;
using part_type = stream_step::part_type;

stream_step step(kind what, std::int32_t number = 0, part_type type = part_type::text, json text = {}) {
    stream_step s;
    s.what = what;
    s.part = number;
    s.type = type;
    s.text = text;
    return s;
}

stream_step call_start(std::int32_t number, json id, json name, part_type type = part_type::tool_call) {
    stream_step s = step(kind::part_start, number, type);
    s.id = id;
    s.name = name;
    return s;
}

stream_step finish(finish_reason why) {
    stream_step s = step(kind::finish);
    s.why = why;
    return s;
}

stream_step usage(std::int64_t in, std::int64_t out) {
    stream_step s = step(kind::usage);
    s.usage.input = in;
    s.usage.output = out;
    return s;
}

struct told {
    std::string bytes;
    std::vector<std::string> events;  // their data
};

told tell(const std::vector<stream_step>& steps) {
    client_call call;
    call.model = "m";
    call.now = 17;
    call.request_id = "r";
    const auto writer = responses::responses_client().write_stream(call);
    told t;
    for (const stream_step& s : steps) writer->write(s, t.bytes);
    http::sse_reader sse(std::size_t{64} << 20);
    sse.feed(t.bytes);
    http::sse_event e;
    std::size_t number = 0;
    while (sse.next(e)) {
        if (!e.has_data) continue;
        const auto o = json_object::parse(e.data);
        REQUIRE(o.has_value());
        CHECK(o->find("type")->string() == std::string(e.name));
        CHECK(o->find("sequence_number")->integer() == static_cast<std::int64_t>(number));
        ++number;
        t.events.emplace_back(e.data);
    }
    CHECK(sse.rest().empty());
    return t;
}

// All but the events that hold the whole response, without what is the same in each.
std::string without_responses(const told& t) {
    std::string all;
    for (const std::string& e : t.events) {
        if (e.find(R"("response":{)") != std::string::npos) continue;
        const auto number = e.find(R"(,"sequence_number":)");
        const auto behind = e.find(',', number + 1);
        all += "{" + e.substr(8, number - 8) + e.substr(behind) + "\n";
    }
    return all;
}

std::string last_response(const told& t) {
    const auto o = json_object::parse(t.events.back());
    REQUIRE(o.has_value());
    REQUIRE(o->find("response").has_value());
    return std::string(o->find("response")->raw);
}

}  // namespace

TEST_CASE("a text is told in all the events that clients wait for", "[dialects][responses]") {
    stream_step start = step(kind::start);
    start.id = R"("msg_up")";
    start.name = R"("up-model")";
    start.created = 5;
    const told t = tell({start, step(kind::part_start), step(kind::delta, 0, part_type::text, R"("H\u00e9")"),
                         step(kind::ping), step(kind::delta, 0, part_type::text, R"("y")"), step(kind::part_end),
                         finish(finish_reason::stop), usage(3, 2), step(kind::end)});
    CHECK(
        without_responses(t) ==
        R"({"response.output_item.added","output_index":0,"item":{"type":"message","id":"msg_r_0","status":"in_progress","role":"assistant","content":[]}})"
        "\n"
        R"({"response.content_part.added","item_id":"msg_r_0","output_index":0,"content_index":0,"part":{"type":"output_text","annotations":[],"logprobs":[],"text":""}})"
        "\n"
        R"({"response.output_text.delta","item_id":"msg_r_0","output_index":0,"content_index":0,"delta":"H\u00e9","logprobs":[]})"
        "\n"
        R"({"response.output_text.delta","item_id":"msg_r_0","output_index":0,"content_index":0,"delta":"y","logprobs":[]})"
        "\n"
        R"({"response.output_text.done","item_id":"msg_r_0","output_index":0,"content_index":0,"text":"H\u00e9y","logprobs":[]})"
        "\n"
        R"({"response.content_part.done","item_id":"msg_r_0","output_index":0,"content_index":0,"part":{"type":"output_text","annotations":[],"logprobs":[],"text":"H\u00e9y"}})"
        "\n"
        R"({"response.output_item.done","output_index":0,"item":{"type":"message","id":"msg_r_0","status":"completed","role":"assistant","content":[{"type":"output_text","annotations":[],"logprobs":[],"text":"H\u00e9y"}]}})"
        "\n");
    CHECK_THAT(
        t.events.at(0),
        Catch::StartsWith(
            R"({"type":"response.created","sequence_number":0,"response":{"id":"msg_up","object":"response","created_at":5,"status":"in_progress")"));
    CHECK_THAT(t.events.at(0), Catch::Contains(R"("usage":null)"));
    CHECK_THAT(t.events.at(1), Catch::StartsWith(R"({"type":"response.in_progress")"));
    CHECK_THAT(t.events.back(), Catch::StartsWith(R"({"type":"response.completed")"));
    CHECK_THAT(t.bytes, Catch::Contains(": ping\n\n"));
    CHECK_THAT(last_response(t), Catch::Contains(R"("input_tokens":3)") && Catch::Contains(R"("total_tokens":5)") &&
                                     Catch::Contains(R"("model":"up-model")"));
}

TEST_CASE("thinking with its signature and calls side by side are items of their own", "[dialects][responses]") {
    stream_step thought_end = step(kind::part_end, 0, part_type::reasoning);
    thought_end.signature = "SIG";
    thought_end.from = "anthropic";
    stream_step call_end = step(kind::part_end, 2, part_type::tool_call);
    call_end.signature = "U0lH";
    call_end.from = "gemini";
    const told t =
        tell({step(kind::start), step(kind::part_start, 0, part_type::reasoning),
              step(kind::delta, 0, part_type::reasoning, R"("Hm.")"), thought_end, call_start(1, R"("c1")", R"("f")"),
              call_start(2, R"("c2")", R"("g")"), step(kind::delta, 1, part_type::tool_call, R"("{\"a\":")"), call_end,
              step(kind::delta, 1, part_type::tool_call, R"("1}")"), step(kind::part_end, 1, part_type::tool_call),
              call_start(3, R"("c3")", R"("h")", part_type::custom_call),
              step(kind::delta, 3, part_type::custom_call, R"("go")"), step(kind::part_end, 3, part_type::custom_call),
              finish(finish_reason::tool_calls), step(kind::end)});
    CHECK(
        without_responses(t) ==
        R"({"response.output_item.added","output_index":0,"item":{"type":"reasoning","id":"rs_r_0","summary":[]}})"
        "\n"
        R"({"response.reasoning_summary_part.added","item_id":"rs_r_0","output_index":0,"summary_index":0,"part":{"type":"summary_text","text":""}})"
        "\n"
        R"({"response.reasoning_summary_text.delta","item_id":"rs_r_0","output_index":0,"summary_index":0,"delta":"Hm."})"
        "\n"
        R"({"response.reasoning_summary_text.done","item_id":"rs_r_0","output_index":0,"summary_index":0,"text":"Hm."})"
        "\n"
        R"({"response.reasoning_summary_part.done","item_id":"rs_r_0","output_index":0,"summary_index":0,"part":{"type":"summary_text","text":"Hm."}})"
        "\n"
        R"({"response.output_item.done","output_index":0,"item":{"type":"reasoning","id":"rs_r_0","summary":[{"type":"summary_text","text":"Hm."}],"encrypted_content":"anthropic:SIG"}})"
        "\n"
        R"({"response.output_item.added","output_index":1,"item":{"type":"function_call","id":"fc_r_1","status":"in_progress","call_id":"c1","name":"f","arguments":""}})"
        "\n"
        R"({"response.output_item.added","output_index":2,"item":{"type":"function_call","id":"fc_r_2","status":"in_progress","call_id":"c2","name":"g","arguments":""}})"
        "\n"
        R"({"response.function_call_arguments.delta","item_id":"fc_r_1","output_index":1,"delta":"{\"a\":"})"
        "\n"
        R"({"response.function_call_arguments.delta","item_id":"fc_r_2","output_index":2,"delta":"{}"})"
        "\n"
        R"({"response.function_call_arguments.done","item_id":"fc_r_2","output_index":2,"arguments":"{}","name":"g"})"
        "\n"
        R"({"response.output_item.done","output_index":2,"item":{"type":"function_call","id":"fc_r_2","status":"completed","call_id":"c2","name":"g","arguments":"{}"}})"
        "\n"
        R"({"response.output_item.added","output_index":3,"item":{"type":"reasoning","id":"rs_r_3","summary":[],"encrypted_content":"gemini:call:U0lH:c2"}})"
        "\n"
        R"({"response.output_item.done","output_index":3,"item":{"type":"reasoning","id":"rs_r_3","summary":[],"encrypted_content":"gemini:call:U0lH:c2"}})"
        "\n"
        R"({"response.function_call_arguments.delta","item_id":"fc_r_1","output_index":1,"delta":"1}"})"
        "\n"
        R"({"response.function_call_arguments.done","item_id":"fc_r_1","output_index":1,"arguments":"{\"a\":1}","name":"f"})"
        "\n"
        R"({"response.output_item.done","output_index":1,"item":{"type":"function_call","id":"fc_r_1","status":"completed","call_id":"c1","name":"f","arguments":"{\"a\":1}"}})"
        "\n"
        R"({"response.output_item.added","output_index":4,"item":{"type":"custom_tool_call","id":"ctc_r_4","status":"in_progress","call_id":"c3","name":"h","input":""}})"
        "\n"
        R"({"response.custom_tool_call_input.delta","item_id":"ctc_r_4","output_index":4,"delta":"go"})"
        "\n"
        R"({"response.custom_tool_call_input.done","item_id":"ctc_r_4","output_index":4,"input":"go"})"
        "\n"
        R"({"response.output_item.done","output_index":4,"item":{"type":"custom_tool_call","id":"ctc_r_4","status":"completed","call_id":"c3","name":"h","input":"go"}})"
        "\n");
    CHECK_THAT(last_response(t), Catch::Contains(R"("usage":null)"));
}

TEST_CASE("texts that follow each other share a message, and summaries and secrets have their events",
          "[dialects][responses]") {
    stream_step cited = step(kind::part_end, 0);
    cited.citations = "[{\"type\":\"url_citation\",\n\"url\":\"u\"}]";
    cited.from = "openai";
    stream_step scored = step(kind::delta, 0, part_type::text, R"("a")");
    scored.logprobs = R"({"content":[{"token":"a"}],"refusal":null})";
    stream_step summary = step(kind::part_start, 2, part_type::reasoning);
    summary.summary = true;
    stream_step hidden_end = step(kind::part_end, 3, part_type::reasoning);
    hidden_end.encrypted = "E";
    hidden_end.from = "openai";
    const told t = tell(
        {step(kind::start), step(kind::part_start, 0), scored, cited, step(kind::part_start, 1, part_type::refusal),
         step(kind::delta, 1, part_type::refusal, R"("no")"), step(kind::part_end, 1, part_type::refusal), summary,
         step(kind::delta, 2, part_type::reasoning, R"("s")"), step(kind::part_end, 2, part_type::reasoning),
         step(kind::part_start, 3, part_type::reasoning), hidden_end, step(kind::part_start, 4),
         step(kind::delta, 4, part_type::text, R"("cut o")"), finish(finish_reason::length), step(kind::end)});
    CHECK(
        without_responses(t) ==
        R"({"response.output_item.added","output_index":0,"item":{"type":"message","id":"msg_r_0","status":"in_progress","role":"assistant","content":[]}})"
        "\n"
        R"({"response.content_part.added","item_id":"msg_r_0","output_index":0,"content_index":0,"part":{"type":"output_text","annotations":[],"logprobs":[],"text":""}})"
        "\n"
        R"({"response.output_text.delta","item_id":"msg_r_0","output_index":0,"content_index":0,"delta":"a","logprobs":[{"token":"a"}]})"
        "\n"
        R"({"response.output_text.annotation.added","item_id":"msg_r_0","output_index":0,"content_index":0,"annotation_index":0,"annotation":{"type":"url_citation", "url":"u"}})"
        "\n"
        R"({"response.output_text.done","item_id":"msg_r_0","output_index":0,"content_index":0,"text":"a","logprobs":[{"token":"a"}]})"
        "\n"
        R"({"response.content_part.done","item_id":"msg_r_0","output_index":0,"content_index":0,"part":{"type":"output_text","annotations":[{"type":"url_citation", "url":"u"}],"logprobs":[{"token":"a"}],"text":"a"}})"
        "\n"
        R"({"response.content_part.added","item_id":"msg_r_0","output_index":0,"content_index":1,"part":{"type":"refusal","refusal":""}})"
        "\n"
        R"({"response.refusal.delta","item_id":"msg_r_0","output_index":0,"content_index":1,"delta":"no"})"
        "\n"
        R"({"response.refusal.done","item_id":"msg_r_0","output_index":0,"content_index":1,"refusal":"no"})"
        "\n"
        R"({"response.content_part.done","item_id":"msg_r_0","output_index":0,"content_index":1,"part":{"type":"refusal","refusal":"no"}})"
        "\n"
        R"({"response.output_item.done","output_index":0,"item":{"type":"message","id":"msg_r_0","status":"completed","role":"assistant","content":[{"type":"output_text","annotations":[{"type":"url_citation", "url":"u"}],"logprobs":[{"token":"a"}],"text":"a"},{"type":"refusal","refusal":"no"}]}})"
        "\n"
        R"({"response.output_item.added","output_index":1,"item":{"type":"reasoning","id":"rs_r_1","summary":[]}})"
        "\n"
        R"({"response.reasoning_summary_part.added","item_id":"rs_r_1","output_index":1,"summary_index":0,"part":{"type":"summary_text","text":""}})"
        "\n"
        R"({"response.reasoning_summary_text.delta","item_id":"rs_r_1","output_index":1,"summary_index":0,"delta":"s"})"
        "\n"
        R"({"response.reasoning_summary_text.done","item_id":"rs_r_1","output_index":1,"summary_index":0,"text":"s"})"
        "\n"
        R"({"response.reasoning_summary_part.done","item_id":"rs_r_1","output_index":1,"summary_index":0,"part":{"type":"summary_text","text":"s"}})"
        "\n"
        R"({"response.output_item.done","output_index":1,"item":{"type":"reasoning","id":"rs_r_1","summary":[{"type":"summary_text","text":"s"}]}})"
        "\n"
        R"({"response.output_item.added","output_index":2,"item":{"type":"reasoning","id":"rs_r_2","summary":[]}})"
        "\n"
        R"({"response.output_item.done","output_index":2,"item":{"type":"reasoning","id":"rs_r_2","summary":[],"encrypted_content":"E"}})"
        "\n"
        R"({"response.output_item.added","output_index":3,"item":{"type":"message","id":"msg_r_3","status":"in_progress","role":"assistant","content":[]}})"
        "\n"
        R"({"response.content_part.added","item_id":"msg_r_3","output_index":3,"content_index":0,"part":{"type":"output_text","annotations":[],"logprobs":[],"text":""}})"
        "\n"
        R"({"response.output_text.delta","item_id":"msg_r_3","output_index":3,"content_index":0,"delta":"cut o","logprobs":[]})"
        "\n"
        R"({"response.output_text.done","item_id":"msg_r_3","output_index":3,"content_index":0,"text":"cut o","logprobs":[]})"
        "\n"
        R"({"response.content_part.done","item_id":"msg_r_3","output_index":3,"content_index":0,"part":{"type":"output_text","annotations":[],"logprobs":[],"text":"cut o"}})"
        "\n"
        R"({"response.output_item.done","output_index":3,"item":{"type":"message","id":"msg_r_3","status":"incomplete","role":"assistant","content":[{"type":"output_text","annotations":[],"logprobs":[],"text":"cut o"}]}})"
        "\n");
    CHECK_THAT(t.events.back(), Catch::StartsWith(R"({"type":"response.incomplete")"));
    CHECK_THAT(last_response(t), Catch::Contains(R"("incomplete_details":{"reason":"max_output_tokens"})"));
}

TEST_CASE("a stream that failed ends with the failure and nothing behind it", "[dialects][responses]") {
    stream_step failure = step(kind::failure, 0, part_type::text, R"("boom")");
    failure.name = R"("overloaded_error")";
    SECTION("before anything was told") {
        const told t = tell({failure, step(kind::end)});
        REQUIRE(t.events.size() == 1);
        CHECK(t.bytes ==
              "event: error\ndata: "
              "{\"type\":\"error\",\"sequence_number\":0,\"code\":\"overloaded_error\",\"message\":\"boom\",\"param\":"
              "null}\n\n");
    }
    SECTION("in the middle of a text, with a whole item before it") {
        const told t =
            tell({step(kind::start), call_start(0, R"("c")", R"("f")"), step(kind::part_end, 0, part_type::tool_call),
                  step(kind::part_start, 1), step(kind::delta, 1, part_type::text, R"("par")"), usage(1, 1), failure,
                  step(kind::delta, 1, part_type::text, R"("t")"), finish(finish_reason::stop), step(kind::end)});
        CHECK_THAT(t.events.back(), Catch::StartsWith(R"({"type":"response.failed")"));
        const std::string response = last_response(t);
        CHECK_THAT(response, Catch::Contains(R"("status":"failed")") &&
                                 Catch::Contains(R"("error":{"code":"overloaded_error","message":"boom"})") &&
                                 Catch::Contains(R"("usage":null)") && Catch::Contains(R"("call_id":"c")"));
        CHECK(response.find("\"par\"") == std::string::npos);
        for (const std::string& e : t.events) CHECK(e.find("response.completed") == std::string::npos);
    }
    SECTION("when it is larger than what may be kept") {
        const std::string megabyte = "\"" + std::string(1 << 20, 'x') + "\"";
        std::vector<stream_step> steps = {step(kind::start), step(kind::part_start)};
        for (int i = 0; i < 20; ++i) steps.push_back(step(kind::delta, 0, part_type::text, megabyte));
        steps.push_back(step(kind::end));
        const told t = tell(steps);
        CHECK_THAT(t.events.back(), Catch::StartsWith(R"({"type":"response.failed")"));
        CHECK(t.events.size() == 2 + 2 + 17 + 1);
    }
}

TEST_CASE("what is written of a stream reads as the same answer", "[dialects][responses]") {
    stream_step thought_end = step(kind::part_end, 0, part_type::reasoning);
    thought_end.encrypted = "E";
    thought_end.from = "openai";
    const told t = tell(
        {step(kind::start), step(kind::part_start, 0, part_type::reasoning), thought_end, step(kind::part_start, 1),
         step(kind::delta, 1, part_type::text, R"("a\n")"), step(kind::part_end, 1), call_start(2, R"("c")", R"("f")"),
         step(kind::delta, 2, part_type::tool_call, R"("{\"k\":1}")"), step(kind::part_end, 2, part_type::tool_call),
         finish(finish_reason::tool_calls), usage(1, 2), step(kind::end)});
    answer whole;
    const std::string response = last_response(t);
    REQUIRE(responses::read_answer(response, whole).has_value());
    REQUIRE(whole.choices.at(0).content.size() == 3);
    CHECK(std::get<text_part>(whole.choices[0].content[1].value).text == R"("a\n")");
    const auto reader = responses::responses_upstream().read_stream();
    std::vector<stream_step> steps;
    std::string texts;
    for (const std::string& e : t.events) {
        steps.clear();
        REQUIRE(reader->read("", e, steps).has_value());
        for (const stream_step& s : steps) {
            if (s.what == kind::delta) texts.append(s.text);
            if (s.what == kind::end) texts += " end";
        }
    }
    steps.clear();
    CHECK(reader->finish(steps).has_value());
    CHECK(reader->repairs() == 0);
    CHECK(texts == R"("a\n""{\"k\":1}" end)");
}
