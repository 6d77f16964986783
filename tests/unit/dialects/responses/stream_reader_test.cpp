#include "dialects/responses/responses.hpp"
#include "dialects/values.hpp"
#include "http/sse_reader.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

using namespace sluice;
using namespace sluice::chat;

namespace {

using kind = stream_step::kind;
using part_type = stream_step::part_type;

// Steps as lines of text, copied while their views are valid.
std::string describe(const stream_step& s) {
    constexpr std::string_view kinds[] = {"start", "part", "more", "done", "finish", "usage", "failure", "ping", "end"};
    constexpr std::string_view types[] = {"text", "reasoning", "refusal", "call", "custom", "whole"};
    std::string line(kinds[static_cast<std::size_t>(s.what)]);
    const auto add = [&](std::string_view label, std::string_view value) {
        if (!value.empty()) line.append(" ").append(label).append(value);
    };
    if (s.what == kind::part_start || s.what == kind::delta || s.what == kind::part_end) {
        line += " " + std::to_string(s.part) + " " + std::string(types[static_cast<std::size_t>(s.type)]);
        if (s.summary) line += " summary";
    }
    add("id=", s.id);
    add("name=", s.name);
    add("", s.text);
    add("logprobs=", s.logprobs);
    add("encrypted=", s.encrypted);
    add("citations=", s.citations);
    if (s.created != 0) line += " at " + std::to_string(s.created);
    if (s.what == kind::finish) line += " " + std::to_string(static_cast<int>(s.why));
    if (s.what == kind::usage)
        line += " " + std::to_string(s.usage.input) + "/" + std::to_string(s.usage.cached_input) + " " +
                std::to_string(s.usage.output) + "/" + std::to_string(s.usage.reasoning);
    if (s.whole != nullptr) {
        if (const auto* native = std::get_if<native_part>(&s.whole->value)) add("native=", native->value);
        if (const auto* media = std::get_if<media_part>(&s.whole->value)) add("picture=", media->base64);
    }
    return line + "\n";
}

struct heard {
    std::string steps;
    int repairs = 0;
    error failed;    // of an event
    error at_end;    // of finish()
    bool ok = true;  // no event was refused
};

heard hear(std::string_view stream, std::size_t cut) {
    heard h;
    http::sse_reader sse;
    const auto reader = responses::responses_upstream().read_stream();
    std::vector<stream_step> steps;
    const auto feed = [&](std::string_view piece) {
        const std::string own(piece);  // views must not outlive what they are of
        sse.feed(own);
        http::sse_event e;
        while (sse.next(e)) {
            if (!e.has_data || !h.ok) continue;
            const std::string data(e.data), name(e.name);
            steps.clear();
            const auto read = reader->read(name, data, steps);
            for (const stream_step& s : steps) h.steps += describe(s);
            if (!read) {
                h.ok = false;
                h.failed = read.error();
            }
        }
    };
    feed(stream.substr(0, cut));
    feed(stream.substr(cut));
    steps.clear();
    const auto end = reader->finish(steps);
    if (!end) h.at_end = end.error();
    h.repairs = reader->repairs();
    return h;
}

std::string event(std::string_view data) {
    std::string out;
    http::append_sse(out, "", data);
    return out;
}

// Cut at every offset the steps are the same.
void check_everywhere(std::string_view stream, const std::string& expected) {
    const heard whole = hear(stream, stream.size());
    CHECK(whole.steps == expected);
    bool same = true;
    for (std::size_t cut = 0; cut < stream.size(); ++cut) same = same && hear(stream, cut).steps == expected;
    CHECK(same);
}

constexpr std::string_view created =
    R"({"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","created_at":1750705330,"status":"in_progress","error":null,"model":"gpt-5","output":[],"usage":null}})";

const std::string reasoning_and_calls =
    event(created) + event(R"({"type":"response.in_progress","sequence_number":1,"response":{"id":"resp_1"}})") +
    event(
        R"({"type":"response.output_item.added","sequence_number":2,"output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[]}})") +
    event(
        R"({"type":"response.reasoning_summary_part.added","item_id":"rs_1","output_index":0,"summary_index":0,"part":{"type":"summary_text","text":""}})") +
    event(
        R"({"type":"response.reasoning_summary_text.delta","item_id":"rs_1","output_index":0,"summary_index":0,"delta":"**Fl\u00fc","obfuscation":"x"})") +
    event(
        R"({"type":"response.reasoning_summary_text.delta","item_id":"rs_1","output_index":0,"summary_index":0,"delta":"ge**"})") +
    event(
        R"({"type":"response.reasoning_summary_text.done","item_id":"rs_1","output_index":0,"summary_index":0,"text":"**Flüge**"})") +
    event(
        R"({"type":"response.reasoning_summary_part.done","item_id":"rs_1","output_index":0,"summary_index":0,"part":{"type":"summary_text","text":"**Flüge**"}})") +
    event(
        R"({"type":"response.reasoning_summary_part.added","item_id":"rs_1","output_index":0,"summary_index":1,"part":{"type":"summary_text","text":""}})") +
    event(
        R"({"type":"response.reasoning_summary_text.delta","item_id":"rs_1","output_index":0,"summary_index":1,"delta":"b"})") +
    event(
        R"({"type":"response.output_item.done","output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[{"type":"summary_text","text":"**Flüge**"},{"type":"summary_text","text":"b"}],"encrypted_content":"gAAAA"}})") +
    event(
        R"({"type":"response.output_item.added","output_index":1,"item":{"id":"fc_1","type":"function_call","status":"in_progress","arguments":"","call_id":"call_1","name":"f"}})") +
    event(
        R"({"type":"response.output_item.added","output_index":2,"item":{"id":"ctc_1","type":"custom_tool_call","status":"in_progress","input":"","call_id":"call_2","name":"g"}})") +
    event(R"({"type":"response.function_call_arguments.delta","item_id":"fc_1","output_index":1,"delta":"{\"a\":"})") +
    event(R"({"type":"response.custom_tool_call_input.delta","item_id":"ctc_1","output_index":2,"delta":"print"})") +
    event(R"({"type":"response.function_call_arguments.delta","item_id":"fc_1","output_index":1,"delta":"1}"})") +
    event(
        R"({"type":"response.function_call_arguments.done","item_id":"fc_1","output_index":1,"arguments":"{\"a\":1}"})") +
    event(
        R"({"type":"response.output_item.done","output_index":1,"item":{"id":"fc_1","type":"function_call","status":"completed","arguments":"{\"a\":1}","call_id":"call_1","name":"f"}})") +
    event(R"({"type":"response.custom_tool_call_input.done","item_id":"ctc_1","output_index":2,"input":"print"})") +
    event(
        R"({"type":"response.output_item.done","output_index":2,"item":{"id":"ctc_1","type":"custom_tool_call","status":"completed","input":"print","call_id":"call_2","name":"g"}})") +
    event(
        R"({"type":"response.completed","response":{"id":"resp_1","status":"completed","output":[],"usage":{"input_tokens":75,"input_tokens_details":{"cached_tokens":64},"output_tokens":40,"output_tokens_details":{"reasoning_tokens":32},"total_tokens":115}}})");

}  // namespace

TEST_CASE("a stream of reasoning and parallel calls is read step by step, cut anywhere", "[dialects][responses]") {
    check_everywhere(reasoning_and_calls,
                     "start id=\"resp_1\" name=\"gpt-5\" at 1750705330\n"
                     "part 0 reasoning summary\n"
                     "more 0 reasoning summary \"**Fl\\u00fc\"\n"
                     "more 0 reasoning summary \"ge**\"\n"
                     "done 0 reasoning summary\n"
                     "part 1 reasoning summary\n"
                     "more 1 reasoning summary \"b\"\n"
                     "done 1 reasoning summary encrypted=gAAAA\n"
                     "part 2 call id=\"call_1\" name=\"f\"\n"
                     "part 3 custom id=\"call_2\" name=\"g\"\n"
                     "more 2 call \"{\\\"a\\\":\"\n"
                     "more 3 custom \"print\"\n"
                     "more 2 call \"1}\"\n"
                     "done 2 call\n"
                     "done 3 custom\n"
                     "finish 5\n"
                     "usage 75/64 40/32\n"
                     "end\n");
    CHECK(hear(reasoning_and_calls, 0).repairs == 0);
    CHECK(hear(reasoning_and_calls, 0).ok);
}

TEST_CASE("texts, refusals, citations and log probabilities come through", "[dialects][responses]") {
    check_everywhere(
        event(created) +
            event(
                R"({"type":"response.output_item.added","output_index":0,"item":{"id":"msg_1","type":"message","status":"in_progress","role":"assistant","content":[]}})") +
            event(
                R"({"type":"response.content_part.added","item_id":"msg_1","output_index":0,"content_index":0,"part":{"type":"output_text","annotations":[],"logprobs":[],"text":""}})") +
            event(
                R"({"type":"response.output_text.delta","item_id":"msg_1","output_index":0,"content_index":0,"delta":"Hi","logprobs":[{"token":"Hi","logprob":-1}]})") +
            event(
                R"({"type":"response.output_text.annotation.added","item_id":"msg_1","output_index":0,"content_index":0,"annotation_index":0,"annotation":{"type":"url_citation"}})") +
            event(
                R"({"type":"response.output_text.done","item_id":"msg_1","output_index":0,"content_index":0,"text":"Hi","logprobs":[]})") +
            event(
                R"({"type":"response.content_part.done","item_id":"msg_1","output_index":0,"content_index":0,"part":{"type":"output_text","annotations":[{"type":"url_citation"}],"text":"Hi"}})") +
            event(
                R"({"type":"response.refusal.delta","item_id":"msg_1","output_index":0,"content_index":1,"delta":"No"})") +
            event(
                R"({"type":"response.output_item.done","output_index":0,"item":{"id":"msg_1","type":"message","role":"assistant","content":[{"type":"output_text","text":"Hi"},{"type":"refusal","refusal":"No"}]}})") +
            event(R"({"type":"response.web_search_call.searching","item_id":"ws","output_index":1})") +
            event(
                R"({"type":"response.output_item.done","output_index":1,"item":{"id":"ws","type":"web_search_call"}})") +
            event(
                R"({"type":"response.output_item.done","output_index":2,"item":{"id":"ig","type":"image_generation_call","result":"AAAA"}})") +
            event(
                R"({"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"usage":null}})"),
        "start id=\"resp_1\" name=\"gpt-5\" at 1750705330\n"
        "part 0 text\n"
        "more 0 text \"Hi\" logprobs={\"content\":[{\"token\":\"Hi\",\"logprob\":-1}],\"refusal\":null}\n"
        "done 0 text citations=[{\"type\":\"url_citation\"}]\n"
        "part 1 refusal\n"
        "more 1 refusal \"No\"\n"
        "done 1 refusal\n"
        "part 2 whole native={\"id\":\"ws\",\"type\":\"web_search_call\"}\n"
        "done 2 whole\n"
        "part 3 whole picture=AAAA\n"
        "done 3 whole\n"
        "finish 3\n"
        "end\n");
}

TEST_CASE("what went missing on the way is made good from the whole items", "[dialects][responses]") {
    const std::string begin = event(created);
    SECTION("the rest of a text") {
        const heard h = hear(
            begin +
                event(R"({"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"a\u00e9"})") +
                event(R"({"type":"response.output_text.done","output_index":0,"content_index":0,"text":"aéb\n"})"),
            0);
        CHECK(h.steps ==
              "start id=\"resp_1\" name=\"gpt-5\" at 1750705330\npart 0 text\nmore 0 text \"a\\u00e9\"\nmore 0 text "
              "\"b\\n\"\n");
        CHECK(h.repairs == 1);
    }
    SECTION("whole items that only the last event has") {
        const heard h = hear(begin + event(R"({"type":"response.completed","response":{"status":"completed","output":[
            {"id":"rs","type":"reasoning","summary":[],"encrypted_content":"E"},
            {"id":"m","type":"message","role":"assistant","content":[{"type":"output_text","text":"x"}]},
            {"id":"f","type":"function_call","call_id":"c","name":"f","arguments":"{}"},
            {"id":"w","type":"web_search_call"},{"id":"v","type":"mcp_call"}]}})"),
                             0);
        CHECK(h.ok);
        CHECK(h.steps ==
              "start id=\"resp_1\" name=\"gpt-5\" at 1750705330\n"
              "part 0 reasoning\ndone 0 reasoning encrypted=E\n"
              "part 1 text\nmore 1 text \"x\"\ndone 1 text\n"
              "part 2 call id=\"c\" name=\"f\"\nmore 2 call \"{}\"\ndone 2 call\n"
              "part 3 whole native={\"id\":\"w\",\"type\":\"web_search_call\"}\ndone 3 whole\n"
              "part 4 whole native={\"id\":\"v\",\"type\":\"mcp_call\"}\ndone 4 whole\n"
              "finish 5\nend\n");
        CHECK(h.repairs == 2);
        CHECK(h.at_end.message.empty());
    }
    SECTION("a call that was not announced") {
        const heard h = hear(
            begin + event(R"({"type":"response.function_call_arguments.delta","output_index":0,"delta":"{"})") +
                event(
                    R"({"type":"response.output_item.done","output_index":0,"item":{"id":"f","type":"function_call","call_id":"c","name":"f","arguments":"{}"}})"),
            0);
        CHECK(h.steps ==
              "start id=\"resp_1\" name=\"gpt-5\" at 1750705330\npart 0 call id=\"c\" name=\"f\"\nmore 0 call "
              "\"{}\"\ndone 0 call\n");
        CHECK(h.repairs == 1);
    }
    SECTION("items that came are not repeated, however the last list counts them") {
        const heard h = hear(
            begin +
                event(
                    R"({"type":"response.output_item.done","output_index":1,"item":{"id":"m","type":"message","content":[{"type":"output_text","text":"x"}]}})") +
                event(
                    R"({"type":"response.completed","response":{"output":[{"id":"m","type":"message","content":[{"type":"output_text","text":"x"}]}]}})"),
            0);
        CHECK(h.steps ==
              "start id=\"resp_1\" name=\"gpt-5\" at 1750705330\npart 0 text\nmore 0 text \"x\"\ndone 0 text\nfinish "
              "1\nend\n");
    }
}

TEST_CASE("a stream that breaks, fails or lies never ends well", "[dialects][responses]") {
    const std::string begin =
        event(created) +
        event(R"({"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"a"})");
    SECTION("truncated, even with a mark that other dialects end with") {
        for (const std::string& tail : {std::string{}, event("[DONE]")}) {
            const heard h = hear(begin + tail, 0);
            CHECK(h.ok);
            CHECK(h.at_end.kind == error_kind::upstream_reset);
            CHECK(h.steps.find("finish") == std::string::npos);
        }
    }
    SECTION("failed, in each form") {
        const std::string_view forms[] = {
            R"({"type":"response.failed","response":{"status":"failed","error":{"code":"server_error","message":"boom"}}})",
            R"({"type":"error","code":"server_error","message":"boom","param":null})",
            R"({"type":"error","error":{"type":"server_error","code":null,"message":"boom"}})",
            R"({"error":{"type":"server_error","message":"boom"}})",
        };
        for (const std::string_view form : forms) {
            INFO(form);
            const heard h = hear(begin + event(form) + event(R"({"type":"response.completed","response":{}})"), 0);
            CHECK_THAT(h.steps, Catch::EndsWith("more 0 text \"a\"\nfailure name=\"server_error\" \"boom\"\n"));
            CHECK(h.at_end.message.empty());
        }
    }
    SECTION("an event that is none") {
        for (const std::string_view data :
             {"{\"type\":", "{\"type\":\"response.output_text.delta\",\"delta\":1}",
              "{\"type\":\"response.output_text.delta\",\"delta\":\"a\",\"output_index\":-1}",
              "{\"type\":\"response.output_item.added\",\"item\":{\"type\":\"function_call\"}}"}) {
            INFO(data);
            const heard h = hear(begin + event(data), 0);
            CHECK_FALSE(h.ok);
            CHECK(h.failed.kind == error_kind::upstream_protocol);
        }
    }
    SECTION("arguments that are not what their pieces were") {
        const heard h = hear(
            begin +
                event(
                    R"({"type":"response.output_item.added","output_index":1,"item":{"type":"function_call","call_id":"c","name":"f"}})") +
                event(R"({"type":"response.function_call_arguments.delta","output_index":1,"delta":"{\"a\":2"})") +
                event(R"({"type":"response.function_call_arguments.done","output_index":1,"arguments":"{\"a\":1}"})"),
            0);
        CHECK_FALSE(h.ok);
    }
    SECTION("events that nobody knows are passed over") {
        const heard h = hear(begin + event(R"({"type":"response.hologram.delta","delta":{}})") +
                                 event(R"({"type":"keepalive"})") + event("7"),
                             0);
        CHECK(h.ok);
        CHECK_THAT(h.steps, Catch::EndsWith("more 0 text \"a\"\nping\n"));
    }
}
