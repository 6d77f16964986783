#include "dialects/steps.hpp"
#include "stream_support.hpp"

using namespace sluice;
using namespace sluice::chat;
using namespace sluice::chat::openai;
using namespace sluice::chat::openai::test;
using kind = stream_step::kind;
using type = stream_step::part_type;

namespace {

client_call call(bool usage = false) {
    client_call c;
    c.model = "public";
    c.request_id = "r1";
    c.now = 7;
    c.wants_usage = usage;
    return c;
}

stream_step step(kind what, type of = type::text, json text = {}) {
    stream_step s;
    s.what = what;
    s.type = of;
    s.text = text;
    return s;
}

// What stands between `"delta":` and the chunk's end, or the whole data of another event.
strings events_of(const std::vector<stream_step>& steps, const client_call& c = call()) {
    std::string out;
    const auto writer = chat_client().write_stream(c);
    for (const stream_step& s : steps) writer->write(s, out);
    http::sse_reader sse;
    http::sse_event e;
    strings all;
    sse.feed(out);
    while (sse.next(e)) {
        const std::string data(e.data);
        const auto at = data.find(R"("delta":)");
        if (e.has_data && data != "[DONE]") CHECK(validate_json(data).has_value());
        all.push_back(at == data.npos ? (e.has_data ? data : std::string(e.raw)) : data.substr(at + 8));
    }
    CHECK(sse.rest().empty());
    return all;
}

const std::string first = R"({"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}]})";
std::string rest(const std::string& delta, const std::string& finish = "null") {
    return delta + R"(,"logprobs":null,"finish_reason":)" + finish + "}]}";
}

stream_step finish(finish_reason why) {
    stream_step s = step(kind::finish);
    s.why = why;
    return s;
}

}  // namespace

TEST_CASE("a stream of text is the chunks that OpenAI sends", "[dialects][openai]") {
    stream_step start = step(kind::start);
    start.id = R"("msg_1")";
    start.name = R"("claude")";
    start.created = 5;
    stream_step usage = step(kind::usage);
    usage.usage.input = 3;
    usage.usage.output = 2;
    std::string out;
    const auto writer = chat_client().write_stream(call(true));
    for (const stream_step& s : {start, step(kind::part_start), step(kind::delta, type::text, R"("Hi \u00f6")"),
                                 step(kind::part_end), finish(finish_reason::stop_sequence), usage, step(kind::end)})
        writer->write(s, out);
    const std::string head =
        R"(data: {"id":"msg_1","object":"chat.completion.chunk","created":5,"model":"claude","choices":[)";
    const auto chunk_of = [&](const std::string& delta, const std::string& reason) {
        return head + R"({"index":0,"delta":)" + delta + R"(,"logprobs":null,"finish_reason":)" + reason +
               R"(}],"usage":null})" + "\n\n";
    };
    CHECK(out == chunk_of(R"({"role":"assistant","content":"","refusal":null})", "null") +
                     chunk_of(R"({"content":"Hi \u00f6"})", "null") + chunk_of("{}", R"("stop")") + head +
                     R"(],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5,)"
                     R"("prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},)"
                     R"("completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}}})" +
                     "\n\ndata: [DONE]\n\n");
}

TEST_CASE("an id, a time and a name are made where the upstream gave none", "[dialects][openai]") {
    std::string out;
    const auto writer = chat_client().write_stream(call());
    writer->write(step(kind::delta, type::text, R"("a")"), out);
    CHECK(
        out.starts_with(R"(data: {"id":"chatcmpl-r1","object":"chat.completion.chunk","created":7,"model":"public",)"));
}

TEST_CASE("calls are numbered by themselves and may come mixed", "[dialects][openai]") {
    stream_step text = step(kind::delta, type::text, R"("a")");
    stream_step f = step(kind::part_start, type::tool_call);
    f.part = 1;
    f.id = R"("c1")";
    f.name = R"("f")";
    stream_step g = step(kind::part_start, type::custom_call);
    g.part = 2;
    g.id = R"("c2")";
    g.name = R"("g")";
    stream_step f_more = step(kind::delta, type::tool_call, R"("{}")");
    f_more.part = 1;
    stream_step g_more = step(kind::delta, type::custom_call, R"("free")");
    g_more.part = 2;
    stream_step f_end = step(kind::part_end, type::tool_call);
    f_end.part = 1;
    f_end.signature = "CiQB";
    f_end.from = "gemini";
    CHECK(
        events_of({text, f, g, g_more, f_more, f_end, finish(finish_reason::tool_calls), step(kind::end)}) ==
        strings{
            first, rest(R"({"content":"a"})"),
            rest(R"({"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":""}}]})"),
            rest(R"({"tool_calls":[{"index":1,"id":"c2","type":"custom","custom":{"name":"g","input":""}}]})"),
            rest(R"({"tool_calls":[{"index":1,"custom":{"input":"free"}}]})"),
            rest(R"({"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]})"),
            rest(R"({"tool_calls":[{"index":0,"extra_content":{"google":{"thought_signature":"CiQB"}}}]})"),
            rest("{}", R"("tool_calls")"), "[DONE]"});
}

TEST_CASE("thoughts come with a block that a client can send back", "[dialects][openai]") {
    stream_step end = step(kind::part_end, type::reasoning);
    end.signature = "EqQB";
    end.from = "anthropic";
    stream_step hidden = end;
    hidden.signature = {};
    hidden.encrypted = "EmwK";
    hidden.from = "openai";
    CHECK(events_of({step(kind::part_start, type::reasoning), step(kind::delta, type::reasoning, R"("Let \"")"),
                     step(kind::delta, type::reasoning, R"(" me")"), end, step(kind::part_start, type::reasoning),
                     hidden}) ==
          strings{
              first, rest(R"({"reasoning_content":"Let \""})"), rest(R"({"reasoning_content":" me"})"),
              rest(R"({"thinking_blocks":[{"index":0,"type":"thinking","thinking":"Let \" me","signature":"EqQB"}]})"),
              rest(R"({"thinking_blocks":[{"index":1,"type":"redacted_thinking","data":"openai:EmwK"}]})")});
}

TEST_CASE("a thought that is too long to be kept has no block", "[dialects][openai]") {
    const std::string half = "\"" + std::string(std::size_t{5} << 20, 'x') + "\"";
    stream_step end = step(kind::part_end, type::reasoning);
    end.signature = "EqQB";
    end.from = "anthropic";
    std::string out;
    const auto writer = chat_client().write_stream(call());
    for (const stream_step& s :
         {step(kind::part_start, type::reasoning), step(kind::delta, type::reasoning, half),
          step(kind::delta, type::reasoning, half), step(kind::delta, type::reasoning, R"("y")"), end})
        writer->write(s, out);
    CHECK(out.size() > 10U << 20);
    CHECK(out.find("thinking_blocks") == out.npos);
}

TEST_CASE("pictures, citations and refusals have their fields", "[dialects][openai]") {
    const part image{make<media_part>([](media_part& m) {
        m.mime = "image/png";
        m.base64 = "AAAA";
    })};
    stream_step whole = step(kind::part_start, type::whole);
    whole.whole = &image;
    stream_step cited = step(kind::part_end);
    cited.citations = R"([{"type":"url_citation"}])";
    cited.from = "openai";
    stream_step foreign = cited;
    foreign.from = "anthropic";
    CHECK(
        events_of({whole, cited, foreign, step(kind::delta, type::refusal, R"("No")")}) ==
        strings{first,
                rest(R"({"images":[{"index":0,"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]})"),
                rest(R"({"annotations":[{"type":"url_citation"}]})"), rest(R"({"refusal":"No"})")});
}

TEST_CASE("a failure is an error, and nothing says that the stream is whole", "[dialects][openai]") {
    stream_step failure = step(kind::failure, type::text, R"("Too \"busy\"")");
    failure.name = R"("overloaded_error")";
    CHECK(
        events_of({step(kind::delta, type::text, R"("a")"), step(kind::ping), failure}) ==
        strings{
            first, rest(R"({"content":"a"})"), ": ping\n\n",
            R"({"error":{"message":"Too \"busy\"","type":"upstream_error","param":null,"code":"overloaded_error"}})"});
}

TEST_CASE("what was written is read as the same steps", "[dialects][openai]") {
    answer a;
    a.id = R"("chatcmpl-9")";
    a.model = R"("m")";
    a.created = 5;
    choice& c = a.choices.emplace_back();
    c.finish = finish_reason::tool_calls;
    c.content.push_back({make<reasoning_part>([](reasoning_part& r) { r.text = R"("hm")"; })});
    c.content.push_back(test::text(R"("Hi")"));
    for (const json id : {R"("a")", R"("b")"}) {
        c.content.push_back({make<tool_call>([&](tool_call& t) {
            t.id = id;
            t.name = R"("f")";
            t.arguments = R"("{\"x\":1}")";
        })});
    }
    a.usage.input = 4;
    a.usage.output = 2;
    std::vector<stream_step> steps;
    steps_of(a, steps);
    std::string out;
    const auto writer = chat_client().write_stream(call(true));
    for (const stream_step& s : steps) writer->write(s, out);
    CHECK(read_sse(out).steps == strings{R"(start id="chatcmpl-9" model="m" at=5)", "part 0 reasoning",
                                         R"(delta 0 reasoning "hm")", "end 0 reasoning", "part 1 text",
                                         R"(delta 1 text "Hi")", "end 1 text", R"(part 2 call id="a" name="f")",
                                         R"(delta 2 call "{\"x\":1}")", "end 2 call", R"(part 3 call id="b" name="f")",
                                         R"(delta 3 call "{\"x\":1}")", "end 3 call", "finish tool_calls",
                                         "usage in=4 out=2 cached=0 thought=0", "whole"});
}
