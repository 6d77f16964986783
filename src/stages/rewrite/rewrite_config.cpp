#include "stages/rewrite/rewrite_config.hpp"

#include "http/settable_header.hpp"
#include "stages/rewrite/prompt_template.hpp"
#include "stages/rewrite/text_template.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace sluice::rewrite {
namespace {

void check_values(config_reader& r, std::string_view key, const std::map<std::string, std::string>& fields) {
    for (const auto& [name, value] : fields) {
        if (!http::settable_header(name, value)) r.problem(key, "\"" + name + "\" is not a header that can be set");
        const auto text = text_template::parse(value);
        if (!text) r.problem(key, name + ": " + text.error().message);
    }
}

}  // namespace

bool rewrite_config::touches_body() const {
    return !templates.empty() || !messages.prepend.empty() || !messages.append.empty() || !body.remove.empty() ||
           !body.defaults.empty() || !body.set.empty() || !body.clamp.empty();
}

void read(config_reader& r, header_rules_config& c) {
    r.field("remove", c.remove, "Names of fields to take away.");
    r.field("set", c.set,
            "Fields in place of all of that name. {{key}}, {{tenant}}, {{header:NAME}}, ... are filled in.");
    r.field("add", c.add, "Fields beside those there are.");
    check_values(r, "set", c.set);
    check_values(r, "add", c.add);
    for (const std::string& name : c.remove) {
        if (!http::settable_header(name)) r.problem("remove", "\"" + name + "\" is not a header that can be removed");
    }
}

void read(config_reader& r, clamp_config& c) {
    double min = 0, max = 0;
    r.field("min", min, "Smaller numbers become this one.");
    r.field("max", max, "Larger numbers become this one.");
    if (r.has("min")) c.min = min;
    if (r.has("max")) c.max = max;
    if (!c.min && !c.max) r.problem("", "needs min, max or both");
    if (c.min && c.max && *c.min > *c.max) r.problem("min", "is larger than max");
}

void read(config_reader& r, body_rules_config& c) {
    r.field("remove", c.remove, "Top-level fields to take away.");
    r.json_map("default", c.defaults, "Top-level fields where the client set none.");
    r.json_map("set", c.set, "Top-level fields, whatever the client set.");
    r.map("clamp", c.clamp, "Bounds of top-level numbers, such as max_tokens.");
}

void read(config_reader& r, message_config& c) {
    constexpr std::array<std::string_view, 4> roles{"system", "developer", "user", "assistant"};
    r.field("role", c.role, "system, developer, user or assistant.", required);
    r.field("content", c.content, "The text. {{key}}, {{tenant}}, {{header:NAME}}, {{claim:NAME}} are filled in.",
            required);
    if (!c.role.empty() && std::find(roles.begin(), roles.end(), c.role) == roles.end()) {
        r.problem("role", "\"" + c.role + "\" is no role of a message", "use system, developer, user or assistant");
    }
    const auto text = text_template::parse(c.content);
    if (!text) r.problem("content", text.error().message);
}

void read(config_reader& r, messages_config& c) {
    r.list("prepend", c.prepend, "Before the client's messages.");
    r.list("append", c.append, "Behind the client's messages.");
}

void read(config_reader& r, prompt_template_config& c) {
    r.field("name", c.name, "What a client names in `template`.", required);
    r.json_map("body", c.body, "Fields of the body. {{NAME}} inside a string is filled from the client's `variables`.",
               required);
    for (const auto& [field, raw] : c.body) {
        const auto parsed = json_places(raw);
        if (!parsed) r.problem("body", field + ": " + parsed.error().message);
    }
}

void read(config_reader& r, rewrite_config& c) {
    r.section("request_headers", c.request_headers, "Headers on their way to the upstream.");
    r.section("response_headers", c.response_headers, "Headers on their way to the client.");
    r.section("body", c.body, "Parameters of a JSON body.");
    r.section("messages", c.messages, "Messages around the client's.");
    r.list("templates", c.templates, "Prompts that clients fill in by name.");
    std::set<std::string> names;
    for (std::size_t i = 0; i < c.templates.size(); ++i) {
        if (names.insert(c.templates[i].name).second) continue;
        r.problem("templates[" + std::to_string(i) + "].name",
                  "there is already a template \"" + c.templates[i].name + "\"");
    }
}

}  // namespace sluice::rewrite
