// Every client's dialect to every upstream's, for the conversations of tests/golden/dialects/conversations.json.
//
// A conversation is written down once, in one dialect. Here it is first said in each of the clients' dialects, then
// read from there and written for each upstream. What the upstreams get stands in tests/golden/dialects/requests,
// one file per conversation.
#include "dialects/values.hpp"
#include "unit/dialects/matrix/golden.hpp"
#include "unit/dialects/matrix/wires.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

using namespace sluice;
using namespace sluice::chat;
using namespace sluice::chat::test;

namespace {

struct told {
    std::string name, dialect, request;
};

std::vector<told> conversations() {
    static const std::string text = read_golden("dialects/conversations.json");
    std::vector<told> all;
    REQUIRE(validate_json(text).has_value());
    each_element(std::string_view(text).substr(text.find('[')), [&](const json_value& v) {
        told& t = all.emplace_back();
        each_member(v.raw, [&](std::string_view key, const json_value& m) {
            if (key == "name") t.name = decode(m.raw);
            if (key == "dialect") t.dialect = decode(m.raw);
            if (key == "request") t.request = m.raw;
        });
    });
    return all;
}

client_call call_for(const client_dialect& client) {
    client_call call;
    call.model = client.name() == "gemini" ? "m" : "";
    call.request_id = "r";
    return call;
}

void read_into(conversation& c, const client_dialect& client, const std::string& text) {
    const auto body = json_object::parse(text);
    REQUIRE(body.has_value());
    const auto read = client.read_request(*body, call_for(client), c);
    INFO(client.name() << ": " << text);
    INFO((read ? std::string{} : read.error().message));
    REQUIRE(read.has_value());
}

// The request as `upstream` gets it, and what was lost; or why it is refused.
std::string written(const conversation& c, const upstream_dialect& upstream, bool drop) {
    losses lost("m", drop);
    std::string out;
    const auto done = upstream.write_request(c, target_facts{"m"}, lost, out);
    if (!done) return "refused: " + done.error().param + "\n";
    INFO(out);
    REQUIRE(validate_json(out).has_value());
    std::string text = pretty(out) + "\n";
    for (const std::string& field : lost.dropped()) text += "dropped: " + field + "\n";
    return text;
}

// Nothing: the dialect has no way to say it.
std::optional<std::string> said_in(const upstream_dialect& upstream, const conversation& c) {
    losses lost("m", false);
    std::string out;
    if (!upstream.write_request(c, target_facts{"m"}, lost, out)) return std::nullopt;
    return out;
}

}  // namespace

TEST_CASE("every conversation reaches every upstream from every client", "[dialects][matrix]") {
    const auto all = conversations();
    CHECK(all.size() >= 40);
    for (const told& t : all) {
        conversation original;
        read_into(original, client_of(t.dialect), t.request);
        std::string file;
        for (const upstream_dialect* to : upstream_dialects()) {
            std::vector<std::pair<std::string, std::string>> variants;  // text, clients
            for (const both_sides& from : client_dialects()) {
                const bool own = from.client->name() == t.dialect;
                const auto wire = own ? t.request : said_in(*from.upstream, original);
                if (!wire) continue;
                conversation c;
                read_into(c, *from.client, *wire);
                const std::string text = written(c, *to, false);
                const auto same =
                    std::find_if(variants.begin(), variants.end(), [&](const auto& v) { return v.first == text; });
                if (same == variants.end()) {
                    variants.emplace_back(text, from.client->name());
                } else {
                    same->second.append(", ").append(from.client->name());
                }
            }
            for (const auto& [text, clients] : variants)
                file.append("--- ").append(to->name()).append(" from ").append(clients).append("\n").append(text);
        }
        check_golden("dialects/requests/" + t.name + ".txt", file);
    }
}

TEST_CASE("what a target cannot take is left out where that is allowed", "[dialects][matrix]") {
    for (const told& t : conversations()) {
        conversation c;
        read_into(c, client_of(t.dialect), t.request);
        for (const upstream_dialect* to : upstream_dialects()) {
            INFO(t.name << " to " << to->name());
            losses lost("m", true);
            std::string out;
            const auto done = to->write_request(c, target_facts{"m"}, lost, out);
            // Only what is wrong in itself is still refused.
            CHECK(done.has_value());
            if (done) CHECK(validate_json(out).has_value());
        }
    }
}

TEST_CASE("a dialect that reads what it wrote writes the same again", "[dialects][matrix]") {
    for (const told& t : conversations()) {
        conversation original;
        read_into(original, client_of(t.dialect), t.request);
        for (const both_sides& d : client_dialects()) {
            INFO(t.name << " in " << d.client->name());
            const auto once = said_in(*d.upstream, original);
            if (!once) continue;
            conversation again;
            read_into(again, *d.client, *once);
            CHECK(said_in(*d.upstream, again) == once);
        }
    }
}
