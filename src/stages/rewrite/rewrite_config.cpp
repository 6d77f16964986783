#include "stages/rewrite/rewrite_config.hpp"

#include "base/ascii.hpp"
#include "http/reserved_header.hpp"
#include "http/settable_header.hpp"
#include "stages/rewrite/prompt_template.hpp"
#include "stages/rewrite/text_template.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

namespace sluice::rewrite {
namespace {

const constraint few{.max = rules_max};
const constraint few_required{.max = rules_max, .need = presence::required};

enum class message : std::uint8_t { request, response };
enum class verb : std::uint8_t { set, remove };

// A rule that could never be seen to do anything would only be trusted.
void check_name(config_reader& r, std::string_view key, const std::string& name, message on, verb what) {
    const std::string quoted = "\"" + name + "\" ";
    if (!http::settable_header(name)) {
        r.problem(key, quoted + "is not a header that can be " + (what == verb::set ? "set" : "removed"),
                  "the gateway frames and addresses messages itself");
    } else if (on == message::request && http::gateway_header(name)) {
        r.problem(key, quoted + "is the gateway's own: it replaces what a rule or a client makes of it",
                  "remove this rule, or use a name of your own");
    } else if (on == message::request && what == verb::set && http::credential_header(name)) {
        r.problem(key, quoted + "never leaves the gateway from here",
                  "give the provider `credentials`: they are set on every call");
    } else if (on == message::response && iequals(name, "x-request-id")) {
        r.problem(key, quoted + "is the gateway's own: every reply carries it", "remove this rule");
    }
}

void check_values(config_reader& r, std::string_view key, const std::map<std::string, std::string>& fields,
                  message on) {
    for (const auto& [name, value] : fields) {
        check_name(r, key, name, on, verb::set);
        if (!valid_header_value(value)) r.problem(key, name + ": holds bytes that no header may hold");
        if (value.size() > header_value_bytes_max) r.problem(key, name + ": a value may have at most 8 KiB");
        const auto text = text_template::parse(value);
        if (!text) r.problem(key, name + ": " + text.error().message);
    }
}

void read_rules(config_reader& r, header_rules_config& c, message on) {
    r.field("remove", c.remove, "Names of fields to take away.", few);
    r.field("set", c.set,
            "Fields in place of all of that name. {{key}}, {{tenant}}, {{header:NAME}}, ... are filled in.", few);
    r.field("add", c.add, "Fields beside those there are.", few);
    check_values(r, "set", c.set, on);
    check_values(r, "add", c.add, on);
    for (const std::string& name : c.remove) check_name(r, "remove", name, on, verb::remove);
}

// Bounds on what is never a number would refuse every request.
void check_clamped(config_reader& r, std::string_view key, const std::map<std::string, std::string>& fields,
                   const std::map<std::string, clamp_config>& clamp) {
    for (const auto& [field, raw] : fields) {
        const bool number = raw.starts_with('-') || (!raw.empty() && ascii::is_digit(raw.front()));
        if (number || raw == "null" || !clamp.contains(field)) continue;
        r.problem(key, field + ": is no number, but `clamp` has bounds for it");
    }
}

}  // namespace

bool rewrite_config::touches_body() const {
    return !templates.empty() || !messages.prepend.empty() || !messages.append.empty() || !body.remove.empty() ||
           !body.defaults.empty() || !body.set.empty() || !body.clamp.empty();
}

void read(config_reader& r, request_headers_config& c) {
    read_rules(r, c, message::request);
}

void read(config_reader& r, response_headers_config& c) {
    read_rules(r, c, message::response);
}

void read(config_reader& r, clamp_config& c) {
    double min = 0, max = 0;
    r.field("min", min, "Smaller numbers become this one.");
    r.field("max", max, "Larger numbers become this one.");
    if (r.has("min")) c.min = min;
    if (r.has("max")) c.max = max;
    if (!c.min && !c.max) r.problem("", "needs min, max or both");
    if (!std::isfinite(min)) r.problem("min", "is no finite number");
    if (!std::isfinite(max)) r.problem("max", "is no finite number");
    if (c.min && c.max && *c.min > *c.max) r.problem("min", "is larger than max");
}

void read(config_reader& r, body_rules_config& c) {
    r.field("remove", c.remove, "Top-level fields to take away.", few);
    r.json_map("default", c.defaults, "Top-level fields where the client set none or null.", few);
    r.json_map("set", c.set, "Top-level fields, whatever the client set.", few);
    r.map("clamp", c.clamp, "Bounds of top-level numbers, such as max_tokens. A text there is refused.", few);
    check_clamped(r, "default", c.defaults, c.clamp);
    check_clamped(r, "set", c.set, c.clamp);
}

void read(config_reader& r, message_config& c) {
    constexpr std::array<std::string_view, 4> roles{"system", "developer", "user", "assistant"};
    r.field("role", c.role, "system, developer, user or assistant.", required);
    r.field("content", c.content, "The text. {{key}}, {{tenant}}, {{header:NAME}}, {{claim:NAME}} are filled in.",
            required);
    if (!c.role.empty() && std::find(roles.begin(), roles.end(), c.role) == roles.end()) {
        r.problem("role", "\"" + c.role + "\" is no role of a message", "use system, developer, user or assistant");
    }
    if (c.content.size() > prompt_bytes_max) r.problem("content", "a text may have at most 64 KiB");
    const auto text = text_template::parse(c.content);
    if (!text) r.problem("content", text.error().message);
}

void read(config_reader& r, messages_config& c) {
    r.list("prepend", c.prepend, "Before the client's messages.", few);
    r.list("append", c.append, "Behind the client's messages.", few);
}

void read(config_reader& r, prompt_template_config& c) {
    r.field("name", c.name, "What a client names in `template`.", required);
    r.json_map("body", c.body, "Fields of the body. {{NAME}} inside a string is filled from the client's `variables`.",
               few_required);
    for (const auto& [field, raw] : c.body) {
        if (raw.size() > prompt_bytes_max) r.problem("body", field + ": a text may have at most 64 KiB");
        const auto parsed = json_places(raw);
        if (!parsed) r.problem("body", field + ": " + parsed.error().message);
    }
}

void read(config_reader& r, rewrite_config& c) {
    r.section("request_headers", c.request_headers, "Headers on their way to the upstream.");
    r.section("response_headers", c.response_headers, "Headers on their way to the client.");
    r.section("body", c.body, "Parameters of a JSON body.");
    r.section("messages", c.messages, "Messages around the client's.");
    r.list("templates", c.templates, "Prompts that clients fill in by name.", few);
    std::set<std::string> names;
    for (std::size_t i = 0; i < c.templates.size(); ++i) {
        if (names.insert(c.templates[i].name).second) continue;
        r.problem("templates[" + std::to_string(i) + "].name",
                  "there is already a template \"" + c.templates[i].name + "\"");
    }
}

}  // namespace sluice::rewrite
