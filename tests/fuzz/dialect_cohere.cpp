// Any conversation is written as valid JSON or refused; any body is read or refused; any events make steps whose texts
// are JSON strings, in an order that a client can rely on.
#include "any_conversation.hpp"
#include "dialects/cohere/cohere.hpp"
#include "dialects/cohere/embeddings.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

using namespace sluice;
using namespace sluice::chat;

namespace {

void require(bool fact) {
    if (!fact) std::abort();
}

constexpr std::string_view models[] = {"command-a-03-2025", "command-a-reasoning-08-2025"};

void write(const conversation& c, bool drop) {
    for (const std::string_view model : models) {
        losses lost(model, drop);
        std::string out;
        if (cohere::chat().write_request(c, {model}, lost, out)) require(validate_json(out).has_value());
    }
}

void stream(std::string_view text) {
    const auto reader = cohere::chat().read_stream();
    bool finished = false, over = false;
    int open = 0;
    const auto check = [&](const std::vector<stream_step>& steps) {
        for (const stream_step& s : steps) {
            require(!over);
            for (const json j : {s.text, s.logprobs}) require(j.empty() || validate_json(j).has_value());
            if (s.what == stream_step::kind::part_start) ++open;
            if (s.what == stream_step::kind::part_end) --open;
            require(open >= 0);
            if (s.what == stream_step::kind::finish) {
                require(open == 0 && !finished);
                finished = true;
            }
            over = s.what == stream_step::kind::end || s.what == stream_step::kind::failure;
            require(s.what != stream_step::kind::end || finished);
        }
    };
    bool whole = true;
    fuzz::each_line(text, [&](std::string_view line) {
        if (!whole) return;
        std::vector<stream_step> steps;
        whole = reader->read({}, line, steps).has_value();
        check(steps);
    });
    std::vector<stream_step> steps;
    if (whole && reader->finish(steps)) check(steps);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const conversation c = fuzz::conversation_of(text);
    write(c, false);
    write(c, true);
    answer a;
    if (cohere::chat().read_answer(text, a)) {
        for (const part& p : a.choices.at(0).content) {
            const auto* cited = std::get_if<text_part>(&p.value);
            if (cited != nullptr) require(cited->citations.empty() || validate_json(cited->citations).has_value());
        }
    }
    (void)cohere::chat().read_error(429, text);
    embedding_answer vectors;
    if (cohere::read_embed_answer(text, vectors)) require(!vectors.vectors.empty());
    stream(text);
    return 0;
}
