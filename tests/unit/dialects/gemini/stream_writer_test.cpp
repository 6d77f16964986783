#include "dialects/gemini/gemini.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

using namespace sluice;
using namespace sluice::chat;
using kind = stream_step::kind;
using part_type = stream_step::part_type;

namespace {

stream_step step(kind what, part_type type = part_type::text) {
    stream_step s;
    s.what = what;
    s.type = type;
    return s;
}

std::vector<stream_step> call_of(const std::vector<json>& pieces) {
    std::vector<stream_step> steps{step(kind::start), step(kind::part_start, part_type::tool_call)};
    steps.back().id = R"("c1")";
    steps.back().name = R"("weather")";
    for (const json piece : pieces) {
        steps.push_back(step(kind::delta, part_type::tool_call));
        steps.back().text = piece;
    }
    steps.push_back(step(kind::part_end, part_type::tool_call));
    return steps;
}

std::string written(const std::vector<stream_step>& steps) {
    client_call call;
    call.model = "m";
    call.request_id = "r";
    const auto writer = gemini::make_stream_writer(call);
    std::string out;
    for (const stream_step& s : steps) writer->write(s, out);
    return out;
}

std::string chunk_of(std::string_view part) {
    return R"(data: {"candidates":[{"content":{"parts":[)" + std::string(part) +
           R"(],"role":"model"},"index":0}],"modelVersion":"m","responseId":"r"})" + "\n\n";
}

}  // namespace

TEST_CASE("a call is written once, when its arguments are whole", "[dialects][gemini]") {
    const std::string out = written(call_of({R"("{\"city\":\"K")", R"("\u00f6ln\"}")"}));
    CHECK(out ==
          chunk_of("{\"functionCall\":{\"id\":\"c1\",\"name\":\"weather\",\"args\":{\"city\":\"K\xc3\xb6ln\"}}}"));
}

TEST_CASE("line ends between the tokens of a call's arguments do not end its event", "[dialects][gemini]") {
    const std::string out = written(call_of({R"("{\n \"a\": \"x\\ny\",\r\n\n\"b\":1\n}")"}));
    CHECK(out == chunk_of(R"({"functionCall":{"id":"c1","name":"weather","args":{  "a": "x\ny",   "b":1 }}})"));
}

TEST_CASE("line ends in a part that comes in one piece do not end its event", "[dialects][gemini]") {
    part code;
    code.value = native_part{"{\n\"executableCode\":{\n\n\"code\":\"1\"}}", gemini::dialect_name, "executableCode"};
    stream_step whole = step(kind::part_start, part_type::whole);
    whole.whole = &code;
    CHECK(written({step(kind::start), whole}) == chunk_of(R"({ "executableCode":{  "code":"1"}})"));
}

TEST_CASE("arguments that are no object end the stream with an error", "[dialects][gemini]") {
    auto steps = call_of({R"("{\"city\":")"});
    steps.push_back(step(kind::end));
    const std::string out = written(steps);
    CHECK(out ==
          "data: {\"error\":{\"code\":502,\"message\":\"The model's arguments of a call are not a JSON "
          "object.\",\"status\":\"INTERNAL\"}}\n\n");
}
