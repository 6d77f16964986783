// Any text as a request, an answer, an error and a stream of the Messages API: nothing crashes, what is written is
// valid, what was written for the same dialect is read again, and no stream ends twice or after it failed.
#include "dialects/anthropic/anthropic.hpp"
#include "dialects/values.hpp"
#include "http/sse_reader.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

using namespace sluice;
using namespace sluice::chat;

namespace {

void require(bool fact) {
    if (!fact) std::abort();
}

void write_for(const conversation& c, const upstream_dialect& to, std::string_view model) {
    for (const bool drop : {false, true}) {
        losses lost("fuzz", drop);
        std::string out;
        const auto done = to.write_request(c, {model}, lost, out);
        require(done ? validate_json(out).has_value() : out.empty());
        if (!done) require(done.error().kind == error_kind::bad_request);
        if (!done || &to != &anthropic::messages_upstream() || c.dialect != "anthropic.messages") continue;
        const auto object = json_object::parse(out);
        require(object.has_value());
        conversation again;
        // A conversation of nothing but empty texts has no message left.
        if (out.find("\"messages\":[]") == std::string::npos)
            require(anthropic::messages_client().read_request(*object, {}, again).has_value());
    }
}

void read_request(std::string_view text) {
    const auto body = json_object::parse(text);
    if (!body) return;
    conversation c;
    if (!anthropic::messages_client().read_request(*body, {}, c)) return;
    (void)anthropic::require_max_tokens(*body);
    write_for(c, anthropic::messages_upstream(), "claude-opus-4-6");
    write_for(c, anthropic::bedrock_invoke_upstream(), "anthropic.claude-sonnet-4-5");
    c.dialect = "openai.chat";
    write_for(c, anthropic::messages_upstream(), "claude-sonnet-4-5");
    write_for(c, anthropic::vertex_anthropic_upstream(), "claude-opus-5-5");
}

void read_answer(std::string_view text) {
    answer a;
    if (!anthropic::messages_upstream().read_answer(text, a)) return;
    std::string out;
    anthropic::messages_client().write_answer(a, {}, out);
    answer again;
    require(anthropic::messages_upstream().read_answer(out, again).has_value());
    require(again.choices.front().content.size() == a.choices.front().content.size());
}

void read_error(std::string_view text) {
    const error_facts facts = anthropic::messages_upstream().read_error(500, text);
    std::string out;
    anthropic::messages_client().write_error(facts, out);
    require(validate_json(out).has_value());
}

// Each line is the data of an event.
void read_stream(std::string_view text, const upstream_dialect& from) {
    const auto reader = from.read_stream();
    const auto writer = anthropic::messages_client().write_stream({});
    std::string out;
    bool over = false;
    std::vector<stream_step> steps;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        const auto held = std::make_unique<std::string>(line);
        steps.clear();
        const auto done = reader->read("chunk", *held, steps);
        for (const stream_step& s : steps) {
            require(!over);
            over = s.what == stream_step::kind::end || s.what == stream_step::kind::failure;
            writer->write(s, out);
        }
        if (!done) break;
    }
    steps.clear();
    require(reader->finish(steps).has_value() == over);
    http::sse_reader sse(out.size() + 1);
    http::sse_event e;
    sse.feed(out);
    while (sse.next(e)) require(validate_json(e.data).has_value());
    require(sse.rest().empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto held = std::make_unique<char[]>(size);
    std::copy_n(data, size, held.get());
    const std::string_view text{reinterpret_cast<const char*>(held.get()), size};
    read_request(text);
    read_answer(text);
    read_error(text);
    read_stream(text, anthropic::messages_upstream());
    read_stream(text, anthropic::bedrock_invoke_upstream());
    return 0;
}
