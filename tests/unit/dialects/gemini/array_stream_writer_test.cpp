#include "dialects/gemini/gemini.hpp"

#include <sluice/json.hpp>

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace sluice;
using namespace sluice::chat;
using kind = stream_step::kind;

namespace {

stream_step step(kind what) {
    stream_step s;
    s.what = what;
    return s;
}

stream_step text(json piece) {
    stream_step s = step(kind::delta);
    s.text = piece;
    return s;
}

std::string written(const std::vector<stream_step>& steps) {
    client_call call;
    call.model = "m";
    call.request_id = "r";
    const auto writer = gemini::make_array_stream_writer(call);
    std::string out;
    for (const stream_step& s : steps) writer->write(s, out);
    return out;
}

constexpr std::string_view behind = R"(,"modelVersion":"m","responseId":"r"})";

}  // namespace

TEST_CASE("a stream without alt=sse is one JSON array of its chunks", "[dialects][gemini]") {
    stream_step finish = step(kind::finish);
    finish.why = finish_reason::stop;
    const std::string out = written({step(kind::start), step(kind::part_start), text(R"("a\n\nb")"), step(kind::ping),
                                     text(R"("c")"), step(kind::part_end), finish, step(kind::end)});
    const auto chunk = [](std::string_view piece) {
        return R"({"candidates":[{"content":{"parts":[{"text":)" + std::string(piece) +
               R"(}],"role":"model"},"index":0}])" + std::string(behind);
    };
    CHECK(out == "[" + chunk(R"("a\n\nb")") + ",\r\n" + chunk(R"("c")") + ",\r\n" +
                     R"({"candidates":[{"content":{"parts":[],"role":"model"},"finishReason":"STOP","index":0}])" +
                     std::string(behind) + "\n]");
    CHECK(validate_json(out).has_value());
}

TEST_CASE("a stream without alt=sse that failed is a closed array with the error last", "[dialects][gemini]") {
    stream_step failure = step(kind::failure);
    failure.text = R"("Overloaded")";
    failure.name = R"("UNAVAILABLE")";
    const std::string out = written({step(kind::start), failure, text(R"("late")"), step(kind::end)});
    CHECK(out == "[{\"error\":{\"code\":502,\"message\":\"Overloaded\",\"status\":\"UNAVAILABLE\"}}\n]");
    CHECK(validate_json(out).has_value());
}
