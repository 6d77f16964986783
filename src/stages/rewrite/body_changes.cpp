#include "stages/rewrite/body_changes.hpp"

#include "base/nearest.hpp"
#include "http/json_validator.hpp"

#include <algorithm>
#include <charconv>

namespace sluice::rewrite {
namespace {

std::string number_text(double n) {
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, n).ptr;  // the shortest: 4096 is "4096"
    return {text, static_cast<std::size_t>(end - text)};
}

result<void> clamp(const std::string& field, const clamp_config& bounds, body_changes& body) {
    const auto found = body.find(field);
    if (!found || found->type == json_type::null) return {};
    const auto value = found->number();
    // Some upstreams take "100000" for a number; what cannot be compared cannot be let through.
    if (!value) return error{error_kind::bad_request, "`" + field + "` must be a number.", field};
    if (bounds.max && *value > *bounds.max) {
        body.set(field, number_text(*bounds.max));
    } else if (bounds.min && *value < *bounds.min) {
        body.set(field, number_text(*bounds.min));
    }
    return {};
}

void append_messages(std::string& out, const std::vector<message_template>& messages, const exchange& x) {
    for (const message_template& m : messages) {
        if (out.size() > 1) out += ',';
        out.append(R"({"role":)").append(to_json_string(m.role)).append(R"(,"content":)");
        append_json_string(out, m.content.render(x, x.request().headers));
        out += '}';
    }
}

bool blank(std::string_view text) {
    return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace

std::optional<json_value> body_changes::find(std::string_view key) const {
    const auto changed = changed_.find(key);
    if (changed == changed_.end()) return current_.find(key);
    if (!changed->second) return std::nullopt;
    return json_value{http::json_type_of(changed->second->front()), *changed->second};
}

void body_changes::remove(std::string_view key) {
    changed_.insert_or_assign(std::string(key), std::nullopt);
}

void body_changes::write(const json_object& original, json_edits& edits) const {
    for (const auto& [key, raw] : changed_) {
        if (raw) {
            edits.set(original, key, *raw);
        } else {
            edits.remove(original, key);
        }
    }
}

result<void> apply(const body_rules_config& rules, body_changes& body) {
    for (const std::string& field : rules.remove) {
        if (body.find(field)) body.remove(field);
    }
    for (const auto& [field, raw] : rules.defaults) {
        const auto found = body.find(field);
        if (!found || found->type == json_type::null) body.set(field, raw);
    }
    for (const auto& [field, raw] : rules.set) {
        const auto found = body.find(field);
        if (!found || found->raw != raw) body.set(field, raw);
    }
    for (const auto& [field, bounds] : rules.clamp) {
        auto within = clamp(field, bounds, body);
        if (!within) return within;
    }
    return {};
}

result<void> surround(const std::vector<message_template>& before, const std::vector<message_template>& behind,
                      const exchange& x, body_changes& body) {
    if (before.empty() && behind.empty()) return {};
    const auto messages = body.find("messages");
    if (!messages || messages->type == json_type::null) return {};
    if (messages->type != json_type::array) {
        return error{error_kind::bad_request, "`messages` must be a list of messages.", "messages"};
    }
    const std::string_view inside = messages->raw.substr(1, messages->raw.size() - 2);
    std::string out = "[";
    append_messages(out, before, x);
    if (!blank(inside)) {
        if (out.size() > 1) out += ',';
        out += inside;
    }
    append_messages(out, behind, x);
    out += ']';
    body.set("messages", std::move(out));
    return {};
}

result<void> fill_template(const std::vector<prompt_template>& templates, std::size_t bytes_max, body_changes& body) {
    if (templates.empty()) return {};
    const auto asked = body.find("template");
    if (!asked) return {};
    const auto name = asked->string();
    if (!name) return error{error_kind::bad_request, "`template` must be the name of a template.", "template"};
    const auto found =
        std::find_if(templates.begin(), templates.end(), [&](const prompt_template& t) { return t.name() == *name; });
    if (found == templates.end()) {
        std::vector<std::string_view> names;
        for (const prompt_template& t : templates) names.push_back(t.name());
        return error{error_kind::bad_request, "There is no such template" + did_you_mean(*name, names), "template"};
    }
    const auto given = body.find("variables");
    const json_value none{json_type::object, "{}"};
    if (given && given->type != json_type::object) {
        return error{error_kind::bad_request, "`variables` must be an object.", "variables"};
    }
    const auto variables = json_object::inside(given.value_or(none));
    if (!variables) {
        // The error counts bytes from the beginning of the object, which would mislead: nothing is wrong but this.
        return error{error_kind::bad_request, "`variables` names a field twice, or more than 65,536 of them.",
                     "variables"};
    }
    auto filled = found->fill(*variables, bytes_max);
    if (!filled) return filled.error();
    body.remove("template");
    if (given) body.remove("variables");
    for (auto& [field, raw] : *filled) body.set(field, std::move(raw));
    return {};
}

}  // namespace sluice::rewrite
