// What a dialect does not report as lost is not lost: any conversation that is written in a dialect, without a word
// about losses, is read from there as the same conversation.
//
// The conversations are drawn at random, from seeds that are the same in each run. "The same" is what a model would
// see: ids of calls count by what they connect, and the forms in which dialects say one thing are one.
#include "dialects/values.hpp"
#include "unit/dialects/matrix/wires.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <random>
#include <string>
#include <vector>

using namespace sluice;
using namespace sluice::chat;
using namespace sluice::chat::test;

namespace {

class drawing {
public:
    explicit drawing(unsigned seed) : dice_(seed) {}

    conversation& draw() {
        if (chance(2)) say(role::system, false);
        const int turns = upto(4);
        for (int i = 0; i < turns; ++i) {
            say(role::user, true);
            say(role::assistant, true);
        }
        say(role::user, true);
        options();
        return c_;
    }

private:
    int upto(int n) { return static_cast<int>(dice_() % static_cast<unsigned>(n + 1)); }
    bool chance(int of) { return upto(of - 1) == 0; }
    json keep(std::string text) { return c_.arena.keep(std::move(text)); }

    json text() {
        static const char* const pieces[] = {"a",
                                             " ",
                                             "\\n",
                                             "\\\"",
                                             "\\\\",
                                             "\\u00e9",
                                             "\\ud83d\\ude00",
                                             "\xe6\xbc\xa2\xe5\xad\x97",
                                             "{}",
                                             "data:",
                                             "\\/",
                                             "\\u0000",
                                             "<tool>",
                                             "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7"};
        std::string out = "\"w";  // some take no text of white space alone
        for (int n = upto(6); n > 0; --n)
            out += pieces[static_cast<std::size_t>(upto(static_cast<int>(std::size(pieces)) - 1))];
        return keep(out + '"');
    }
    json object() {
        static const char* const members[] = {R"("n":1.50)", R"("s":"x \" y")", R"("a":[1,{"b":null}])",
                                              R"("o":{"k":true})"};
        std::string out = "{";
        for (const char* m : members) {
            if (chance(2)) out.append(out.size() > 1 ? "," : "").append(m);
        }
        return keep(out + "}");
    }

    part text_of() { return {text_part{text(), {}, {}}}; }
    part media() {
        media_part m;
        if (chance(3)) {
            m.what = media_kind::document;
            m.mime = "application/pdf";
            m.base64 = "JVBERi0x";
            m.name = R"("report.pdf")";
        } else {
            m.mime = chance(2) ? "image/png" : "image/jpeg";
            if (chance(2)) {
                m.base64 = "iVBORw0KGgo=";
            } else {
                m.url = m.mime == "image/png" ? R"("https://example.com/a.png")" : R"("https://example.com/a.jpg")";
            }
        }
        return {m};
    }

    void say(role who, bool rich) {
        message m;
        m.who = who;
        if (who == role::user) {
            for (const json id : open_calls_) m.content.push_back(result_of(id));
            open_calls_.clear();
        }
        if (who == role::assistant && chance(6)) m.content.push_back(thought());
        for (int n = upto(2); n >= 0; --n) m.content.push_back(text_of());
        if (rich && who == role::user && chance(3)) m.content.push_back(media());
        if (who == role::assistant && chance(2)) {
            for (int n = upto(2); n >= 0; --n) m.content.push_back(call());
        }
        c_.messages.push_back(std::move(m));
    }
    // Signed by one of those who sign; others report it as lost.
    part thought() {
        reasoning_part r;
        r.text = text();
        r.from = chance(2) ? "anthropic" : "gemini";
        r.signature = "EqQBCkYIAxgC";
        return {r};
    }
    part call() {
        tool_call call;
        call.id = keep("\"call_" + std::to_string(calls_++) + '"');
        call.name = chance(2) ? R"("get_weather")" : R"("get_time")";
        call.arguments = chance(2) ? object() : quote(object(), c_.arena);
        open_calls_.push_back(call.id);
        names_[std::string(call.id)] = call.name;
        return {call};
    }
    part result_of(json id) {
        tool_result r;
        r.call_id = id;
        if (chance(2)) r.name = names_[std::string(id)];
        r.is_error = chance(4);
        if (chance(4)) {
            r.structured = object();
        } else {
            r.content.push_back(text_of());
        }
        return {r};
    }

    void options() {
        c_.sampling.tokens_max = 1000;
        if (calls_ > 0 || chance(2)) {
            for (const json name : {json{R"("get_weather")"}, json{R"("get_time")"}}) {
                tool t;
                t.name = name;
                if (chance(2)) t.description = text();
                t.parameters = R"({"type":"object","properties":{"city":{"type":"string"}}})";
                c_.tools.push_back(t);
            }
            static constexpr tool_choice::mode modes[] = {tool_choice::mode::unset, tool_choice::mode::automatic,
                                                          tool_choice::mode::none, tool_choice::mode::required,
                                                          tool_choice::mode::named};
            c_.choice.how = modes[upto(4)];
            if (c_.choice.how == tool_choice::mode::named) c_.choice.name = R"("get_time")";
        }
        if (chance(3)) {
            c_.format.what = response_format::kind::json_schema;
            c_.format.schema = R"({"type":"object","properties":{},"additionalProperties":false})";
        }
        if (chance(2)) c_.sampling.temperature = "0.50";
        if (chance(3)) c_.sampling.stop = {R"("END")"};
        if (chance(4)) c_.sampling.top_p = "0.9";
        if (chance(4)) c_.sampling.seed = "7";
        c_.stream = chance(2);
    }

    std::mt19937 dice_;
    conversation c_;
    std::vector<json> open_calls_;
    std::map<std::string, json> names_;
    int calls_ = 0;
};

// --- what a model sees ------------------------------------------------------------------------------------------

class description {
public:
    explicit description(conversation& c) : c_(c) {
        for (const message& m : c.messages) add(m);
        for (const tool& t : c.tools)
            line("tool", decode(t.name) + " " + decode(t.description) + " " + std::string(t.parameters));
        line("choice", std::to_string(static_cast<int>(c.choice.how)) + " " + decode(c.choice.name));
        line("format", std::to_string(static_cast<int>(c.format.what)) + " " + std::string(c.format.schema));
        const sampling_options& s = c.sampling;
        line("sampling", std::string(s.temperature) + " " + std::string(s.top_p) + " " + std::string(s.seed) + " " +
                             std::to_string(s.tokens_max.value_or(-1)));
        for (const json stop : s.stop) line("stop", decode(stop));
    }
    const std::string& text() const { return text_; }

private:
    void line(std::string_view what, const std::string& value) {
        text_.append(what).append(": ").append(value).append("\n");
    }

    std::string who(role r) const {
        return r == role::assistant ? "assistant"
               : r == role::user    ? "user"
                                    : "system";  // developer is a system's name
    }
    // Calls by their order, whatever they are called.
    int number_of(json id) { return numbers_.emplace(decode(id), static_cast<int>(numbers_.size())).first->second; }

    void add(const message& m) {
        for (const part& p : m.content) {
            const std::string by = who(m.who);
            if (const auto* t = std::get_if<text_part>(&p.value)) {
                line(by, decode(t->text));
            } else if (const auto* media = std::get_if<media_part>(&p.value)) {
                line(by + " media", std::to_string(static_cast<int>(media->what)) + " " + std::string(media->base64) +
                                        decode(media->url) + " " + decode(media->name));
            } else if (const auto* call = std::get_if<tool_call>(&p.value)) {
                const auto arguments = arguments_object(*call, c_.arena);
                REQUIRE(arguments.has_value());
                line(by + " call",
                     std::to_string(number_of(call->id)) + " " + decode(call->name) + " " + std::string(*arguments));
            } else if (const auto* r = std::get_if<tool_result>(&p.value)) {
                line(by + " result", std::to_string(number_of(r->call_id)) + " " + (r->is_error ? "error " : "") +
                                         decode(text_of(*r, c_.arena)));
            } else if (const auto* thought = std::get_if<reasoning_part>(&p.value)) {
                line(by + " thought",
                     decode(thought->text) + " " + std::string(thought->signature) + " " + std::string(thought->from));
            } else {
                line(by, "something else");
            }
        }
    }

    conversation& c_;
    std::map<std::string, int> numbers_;
    std::string text_;
};

}  // namespace

TEST_CASE("a conversation that is written without losses is read as it was", "[dialects][matrix]") {
    std::map<std::string_view, int> kept;
    for (unsigned seed = 1; seed <= 3000; ++seed) {
        drawing drawn(seed);
        conversation& original = drawn.draw();
        for (const both_sides& d : client_dialects()) {
            losses lost("m", false);
            std::string text;
            if (!d.upstream->write_request(original, target_facts{"m"}, lost, text) || !lost.dropped().empty())
                continue;
            const auto body = json_object::parse(text);
            REQUIRE(body.has_value());
            client_call call;
            call.model = "m";
            conversation again;
            INFO("seed " << seed << ", " << d.client->name() << ": " << text);
            const auto read = d.client->read_request(*body, call, again);
            INFO((read ? std::string{} : read.error().message));
            REQUIRE(read.has_value());
            REQUIRE(description(again).text() == description(original).text());
            ++kept[d.client->name()];
        }
    }
    for (const both_sides& d : client_dialects()) {
        INFO(d.client->name());
        CHECK(kept[d.client->name()] > 200);
    }
}
