#include "stages/rewrite/body_changes.hpp"

#include "base/ascii.hpp"
#include "base/nearest.hpp"

#include <algorithm>
#include <charconv>

namespace sluice::rewrite {
namespace {

std::string number_text(double n) {
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, n).ptr;  // the shortest: 4096 is "4096"
    return {text, static_cast<std::size_t>(end - text)};
}

void clamp(const std::string& field, const clamp_config& bounds, body_changes& body) {
    const auto raw = body.find(field);
    if (!raw || (raw->front() != '-' && !ascii::is_digit(raw->front()))) return;
    const auto value = json_value{json_type::number, *raw}.number();
    if (!value) return;
    if (bounds.max && *value > *bounds.max) {
        body.set(field, number_text(*bounds.max));
    } else if (bounds.min && *value < *bounds.min) {
        body.set(field, number_text(*bounds.min));
    }
}

void append_messages(std::string& out, const std::vector<message_template>& messages, const exchange& x) {
    for (const message_template& m : messages) {
        if (out.size() > 1) out += ',';
        out.append(R"({"role":)").append(to_json_string(m.role)).append(R"(,"content":)");
        append_json_string(out, m.content.render(x));
        out += '}';
    }
}

bool blank(std::string_view text) {
    return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace

std::optional<std::string_view> body_changes::find(std::string_view key) const {
    if (const auto changed = changed_.find(key); changed != changed_.end()) {
        return changed->second ? std::optional<std::string_view>(*changed->second) : std::nullopt;
    }
    const auto value = original_.find(key);
    return value ? std::optional(value->raw) : std::nullopt;
}

void body_changes::remove(std::string_view key) {
    changed_.insert_or_assign(std::string(key), std::nullopt);
}

void body_changes::write(json_edits& edits) const {
    for (const auto& [key, raw] : changed_) {
        if (raw) {
            edits.set(original_, key, *raw);
        } else if (original_.member(key) != nullptr) {
            edits.remove(original_, key);
        }
    }
}

void apply(const body_rules_config& rules, body_changes& body) {
    for (const std::string& field : rules.remove) {
        if (body.find(field)) body.remove(field);
    }
    for (const auto& [field, raw] : rules.defaults) {
        if (!body.find(field)) body.set(field, raw);
    }
    for (const auto& [field, raw] : rules.set) {
        if (body.find(field) != raw) body.set(field, raw);
    }
    for (const auto& [field, bounds] : rules.clamp) clamp(field, bounds, body);
}

void surround(const std::vector<message_template>& before, const std::vector<message_template>& behind,
              const exchange& x, body_changes& body) {
    if (before.empty() && behind.empty()) return;
    const auto messages = body.find("messages");
    if (!messages || !messages->starts_with('[')) return;
    const std::string_view inside = messages->substr(1, messages->size() - 2);
    std::string out = "[";
    append_messages(out, before, x);
    if (!blank(inside)) {
        if (out.size() > 1) out += ',';
        out += inside;
    }
    append_messages(out, behind, x);
    out += ']';
    body.set("messages", std::move(out));
}

result<void> fill_template(const std::vector<prompt_template>& templates, const json_object& original,
                           std::size_t bytes_max, body_changes& body) {
    const auto asked = original.find("template");
    if (templates.empty() || !asked) return {};
    const auto name = asked->string();
    if (!name) return error{error_kind::bad_request, "`template` must be the name of a template.", "template"};
    const auto found =
        std::find_if(templates.begin(), templates.end(), [&](const prompt_template& t) { return t.name() == *name; });
    if (found == templates.end()) {
        std::vector<std::string_view> names;
        for (const prompt_template& t : templates) names.push_back(t.name());
        return error{error_kind::bad_request, "There is no such template" + did_you_mean(*name, names), "template"};
    }
    const json_value none{json_type::object, "{}"};
    const auto variables = json_object::inside(original.find("variables").value_or(none));
    if (!variables) return error{error_kind::bad_request, "`variables` must be an object.", "variables"};
    auto filled = found->fill(*variables, bytes_max);
    if (!filled) return filled.error();
    body.remove("template");
    if (original.find("variables")) body.remove("variables");
    for (auto& [field, raw] : *filled) body.set(field, std::move(raw));
    return {};
}

}  // namespace sluice::rewrite
