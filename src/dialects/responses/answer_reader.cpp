#include "dialects/responses/item_reader.hpp"
#include "dialects/responses/response_frame.hpp"
#include "dialects/responses/responses.hpp"
#include "dialects/responses/usage.hpp"

#include <algorithm>

namespace sluice::chat::responses {
namespace {

error unreadable(std::string_view body) {
    return error{error_kind::upstream_protocol, "The upstream's answer is not a finished response: " + excerpt(body)};
}

json string_in(json object, std::string_view key) {
    json found;
    each_member(object, [&](std::string_view k, const json_value& v) {
        if (k == key && v.type == json_type::string) found = v.raw;
    });
    return found;
}

// Log probabilities stand at each text here, at the choice in chat completions.
json gather_logprobs(std::vector<part>& content, text_arena& arena) {
    std::string all;
    for (part& p : content) {
        for (const extra_field& f : p.extras) {
            if (f.key != "logprobs" || f.value.size() <= 2) continue;
            if (!all.empty()) all += ',';
            all.append(f.value.substr(1, f.value.size() - 2));
        }
        std::erase_if(p.extras, [](const extra_field& f) { return f.key == "logprobs"; });
    }
    if (all.empty()) return {};
    return arena.keep(R"({"content":[)" + all + R"(],"refusal":null})");
}

bool read_output(const json_value& output, choice& c, text_arena& arena) {
    checker check;
    std::vector<message> messages;
    item_reader items(check, arena, messages);
    items.one_turn();
    const place where;
    each_checked(check, output.raw, where, [&](const json_value& v, const place& at) { items.read(v, at); });
    if (!check.ok()) return false;
    if (!messages.empty()) c.content = std::move(messages.front().content);
    c.logprobs = gather_logprobs(c.content, arena);
    return true;
}

bool has_calls(const choice& c) {
    return std::any_of(c.content.begin(), c.content.end(),
                       [](const part& p) { return std::holds_alternative<tool_call>(p.value); });
}

}  // namespace

result<void> read_answer(std::string_view body, answer& out) {
    const auto o = json_object::parse(body);
    if (!o) return unreadable(body);
    const auto output = o->find("output");
    if (!output || output->type != json_type::array) return unreadable(body);
    json status, reason;
    for (const json_member& m : o->members()) {
        const json_value& v = m.value;
        if (m.key == "id" && v.type == json_type::string) out.id = v.raw;
        if (m.key == "model" && v.type == json_type::string) out.model = v.raw;
        if (m.key == "created_at")
            out.created = static_cast<std::int64_t>(std::clamp(v.number().value_or(0), 0., 1e15));
        if (m.key == "status") status = v.raw;
        if (m.key == "service_tier" && v.type == json_type::string) out.service_tier = v.raw;
        if (m.key == "usage") out.usage = read_usage(v.raw);
        if (m.key == "incomplete_details") reason = string_in(v.raw, "reason");
        if (m.key == "error" && v.type == json_type::object) {
            return error{error_kind::upstream_protocol, "The upstream's response failed: " + excerpt(v.raw)};
        }
    }
    if (!status.empty() && !says(status, "completed") && !says(status, "incomplete")) return unreadable(body);
    choice& c = out.choices.emplace_back();
    if (!read_output(*output, c, out.arena)) return unreadable(body);
    c.finish = finish_of(status, reason, has_calls(c));
    return {};
}

}  // namespace sluice::chat::responses
