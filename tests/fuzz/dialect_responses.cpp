// Anything as a request, as an answer, and line by line as the events of a stream: what is written of it is valid.
#include "dialects/responses/responses.hpp"
#include "dialects/values.hpp"
#include "http/sse_reader.hpp"

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

using namespace sluice;
using namespace sluice::chat;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

void request(std::string_view text) {
    const auto body = json_object::parse(text);
    if (!body) return;
    conversation c;
    if (!responses::read_request(*body, c)) return;
    // As its own dialect wrote it, and as if another had read it.
    for (const bool own : {true, false}) {
        if (!own) c.dialect = "openai.chat";
        losses lost("t", true);
        std::string out;
        if (!responses::write_request(c, target_facts{"m"}, lost, out)) continue;
        const auto again = json_object::parse(out);
        require(again.has_value());
        conversation second;
        require(!own || responses::read_request(*again, second).has_value());
    }
    responses::needs_state(*body);
}

void whole(std::string_view text) {
    answer a;
    if (!responses::read_answer(text, a)) return;
    std::string out;
    responses::write_answer(a, client_call{}, out);
    require(json_object::parse(out).has_value());
    answer again;
    require(responses::read_answer(out, again).has_value());
}

void check_events(const std::string& bytes) {
    http::sse_reader sse(std::size_t{64} << 20);
    sse.feed(bytes);
    http::sse_event e;
    bool over = false;
    while (sse.next(e)) {
        if (!e.has_data) continue;
        require(!over);
        require(json_object::parse(e.data).has_value());
        over = e.name == "response.completed" || e.name == "response.incomplete" || e.name == "response.failed" ||
               e.name == "error";
    }
    require(sse.rest().empty());
}

void stream(std::string_view text) {
    const auto reader = responses::responses_upstream().read_stream();
    const auto writer = responses::responses_client().write_stream(client_call{});
    std::vector<stream_step> steps;
    std::string bytes;
    while (!text.empty()) {
        const auto end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        // On the heap and no longer: what reads behind it is found.
        const auto copy = std::make_unique<char[]>(line.size());
        std::copy(line.begin(), line.end(), copy.get());
        steps.clear();
        const bool read = reader->read("", {copy.get(), line.size()}, steps).has_value();
        for (const stream_step& s : steps) writer->write(s, bytes);
        if (!read) break;
    }
    steps.clear();
    (void)reader->finish(steps);
    check_events(bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    request(text);
    whole(text);
    stream(text);
    (void)responses::read_error(500, text);
    return 0;
}
