// Every upstream's answer to every client, plain and streamed, for the answers of tests/golden/dialects/answers.json.
//
// An answer is written down once, as a chat completion. Here each upstream's dialect says it, whole and as a stream,
// and each client's dialect translates that. What the clients get stands in tests/golden/dialects/answers; of a stream
// it must be the same wherever the upstream's bytes are cut.
#include "dialects/openai/openai.hpp"
#include "dialects/steps.hpp"
#include "dialects/values.hpp"
#include "http/sse_reader.hpp"
#include "unit/dialects/matrix/golden.hpp"
#include "unit/dialects/matrix/wires.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

using namespace sluice;
using namespace sluice::chat;
using namespace sluice::chat::test;

namespace {

struct told {
    std::string name, text;
};

std::vector<told> answers() {
    static const std::string text = read_golden("dialects/answers.json");
    std::vector<told> all;
    REQUIRE(validate_json(text).has_value());
    each_element(std::string_view(text).substr(text.find('[')), [&](const json_value& v) {
        told& t = all.emplace_back();
        each_member(v.raw, [&](std::string_view key, const json_value& m) {
            if (key == "name") t.name = decode(m.raw);
            if (key == "answer") t.text = m.raw;
        });
    });
    return all;
}

client_call plain_call() {
    client_call call;
    call.model = "m";
    call.now = 1700000000;
    call.request_id = "r";
    call.wants_usage = true;
    return call;
}

// Texts in pieces of about 10 bytes, never within an escape or a character.
std::vector<stream_step> in_pieces(const std::vector<stream_step>& whole, text_arena& arena) {
    std::vector<stream_step> out;
    for (const stream_step& s : whole) {
        if (s.what != stream_step::kind::delta) {
            out.push_back(s);
            continue;
        }
        const std::string_view text = chars_of(s.text);
        std::size_t from = 0;
        while (from < text.size()) {
            std::size_t to = from;
            while (to < text.size() && to - from < 10) {
                if (text[to] == '\\') {
                    // A pair of surrogates is one character.
                    to += text[to + 1] != 'u' ? 2 : text[to + 2] == 'd' || text[to + 2] == 'D' ? 12 : 6;
                } else {
                    do ++to;
                    while (to < text.size() && (static_cast<unsigned char>(text[to]) & 0xc0) == 0x80);
                }
            }
            out.push_back(s);
            out.back().text = enclose(text.substr(from, to - from), arena);
            from = to;
        }
    }
    return out;
}

std::string streamed(const client_dialect& client, const std::vector<stream_step>& steps) {
    const auto writer = client.write_stream(plain_call());
    std::string out;
    for (const stream_step& s : steps) writer->write(s, out);
    return out;
}

// What a client gets of an upstream's stream that comes in two pieces.
std::string translated(const upstream_dialect& from, const client_dialect& to, std::string_view wire, std::size_t cut) {
    const auto reader = from.read_stream();
    const auto writer = to.write_stream(plain_call());
    http::sse_reader events(1 << 20);
    std::vector<stream_step> steps;
    std::string out;
    for (const std::string_view piece : {wire.substr(0, cut), wire.substr(cut)}) {
        events.feed(piece);
        http::sse_event e;
        while (events.next(e)) {
            if (!e.has_data) continue;
            steps.clear();
            const auto read = reader->read(e.name, e.data, steps);
            INFO(e.raw);
            REQUIRE(read.has_value());
            for (const stream_step& s : steps) writer->write(s, out);
        }
    }
    steps.clear();
    INFO(wire);
    REQUIRE(reader->finish(steps).has_value());
    for (const stream_step& s : steps) writer->write(s, out);
    CHECK(reader->repairs() == 0);
    return out;
}

// Groups the upstreams from which a client gets the same.
class variants {
public:
    void add(std::string text, std::string_view from) {
        for (auto& [known, names] : all_) {
            if (known != text) continue;
            names.append(", ").append(from);
            return;
        }
        all_.emplace_back(std::move(text), from);
    }
    void append(std::string& file, std::string_view what, std::string_view client) const {
        for (const auto& [text, names] : all_) {
            file.append("--- ").append(what).append(" for ").append(client).append(" from ").append(names).append("\n");
            file.append(text).append("\n");
        }
    }

private:
    std::vector<std::pair<std::string, std::string>> all_;
};

}  // namespace

TEST_CASE("every answer reaches every client from every upstream", "[dialects][matrix]") {
    for (const told& t : answers()) {
        answer original;
        REQUIRE(openai::read_chat_answer(t.text, original).has_value());
        std::string file;
        for (const both_sides& to : client_dialects()) {
            variants found;
            for (const both_sides& from : client_dialects()) {
                std::string wire, out;
                from.client->write_answer(original, plain_call(), wire);
                answer a;
                INFO(t.name << " " << from.client->name() << ": " << wire);
                REQUIRE(validate_json(wire).has_value());
                REQUIRE(from.upstream->read_answer(wire, a).has_value());
                to.client->write_answer(a, plain_call(), out);
                REQUIRE(validate_json(out).has_value());
                found.add(pretty(out), from.client->name());
            }
            found.append(file, "answer", to.client->name());
        }
        check_golden("dialects/answers/" + t.name + ".txt", file);
    }
}

TEST_CASE("every stream reaches every client from every upstream, wherever it is cut", "[dialects][matrix]") {
    for (const told& t : answers()) {
        answer original;
        REQUIRE(openai::read_chat_answer(t.text, original).has_value());
        text_arena arena;
        std::vector<stream_step> whole;
        steps_of(original, whole);
        const std::vector<stream_step> steps = in_pieces(whole, arena);
        std::string file;
        for (const both_sides& to : client_dialects()) {
            variants found;
            for (const both_sides& from : client_dialects()) {
                INFO(t.name << " from " << from.client->name() << " to " << to.client->name());
                const std::string wire = streamed(*from.client, steps);
                const std::string out = translated(*from.upstream, *to.client, wire, wire.size());
                // Where bytes are cut is seen by the framing and the reader alone: one client is enough to show it.
                const std::size_t cuts = &to == &client_dialects().front() ? wire.size() : 0;
                for (std::size_t cut = 1; cut < cuts; ++cut) {
                    if (translated(*from.upstream, *to.client, wire, cut) == out) continue;
                    FAIL_CHECK("cut at " << cut);
                    break;
                }
                found.add(out, from.client->name());
            }
            found.append(file, "stream", to.client->name());
        }
        check_golden("dialects/streams/" + t.name + ".txt", file);
    }
}
