#include "dialects/responses/item_reader.hpp"

#include "dialects/responses/responses.hpp"
#include "http/json_writer.hpp"

#include <algorithm>

namespace sluice::chat::responses {
namespace {

// What a client sends of the items that only OpenAI has a form for. All others are the model's.
constexpr std::string_view of_the_client[] = {
    "computer_call_output",  "local_shell_call_output", "shell_call_output", "apply_patch_call_output",
    "mcp_approval_response", "tool_search_output",      "item_reference",    "additional_tools",
    "configuration_update",  "compaction_trigger",      "program_output",
};
constexpr std::string_view of_the_model[] = {
    "web_search_call",
    "file_search_call",
    "computer_call",
    "image_generation_call",
    "code_interpreter_call",
    "local_shell_call",
    "shell_call",
    "apply_patch_call",
    "mcp_list_tools",
    "mcp_call",
    "mcp_approval_request",
    "tool_search_call",
    "program",
    "compaction",
    "compaction_summary",
};

template <class List>
std::string_view known(const List& list, json type) {
    for (const std::string_view name : list) {
        if (says(type, name)) return name;
    }
    return {};
}

role role_of(std::string_view name) {
    if (name == "assistant") return role::assistant;
    if (name == "system") return role::system;
    return name == "developer" ? role::developer : role::user;
}

}  // namespace

message& item_reader::in(run r) {
    if (one_turn_) r = run::turn;
    if (run_ != r || out_.empty()) {
        out_.emplace_back().who = r == run::turn ? role::assistant : role::user;
        run_ = r;
        has_message_ = false;
    }
    return out_.back();
}

void item_reader::read(const json_value& item, const place& where) {
    fields f(check_, item, where);
    json type = f.string("type");
    if (!check_.ok()) return;
    if (type.empty()) {
        const auto has = [&](std::string_view key) { return f.any(key).has_value(); };
        type = has("role") ? json{R"("message")"} : has("id") ? json{R"("item_reference")"} : json{};
    }
    if (type.empty()) return check_.refuse(where.in("type"), "is missing.");
    if (says(type, "message")) return read_message(item, f);
    if (says(type, "function_call")) return read_call(f, tool_call::kind::function);
    if (says(type, "custom_tool_call")) return read_call(f, tool_call::kind::custom);
    if (says(type, "function_call_output")) return read_output(f, tool_call::kind::function);
    if (says(type, "custom_tool_call_output")) return read_output(f, tool_call::kind::custom);
    if (says(type, "reasoning")) return read_reasoning(f);
    if (says(type, "image_generation_call") && read_image_call(f)) return;
    read_native(item, type);
}

void item_reader::read_message(const json_value& item, fields& f) {
    const role who = role_of(f.word("role", {"user", "assistant", "system", "developer"}));
    const auto content = f.any("content", need::required);
    const json id = f.string("id");
    f.any("role", need::required);
    if (!check_.ok()) return;
    extra_fields extras;
    f.rest(extras);
    drop_default(extras, "status", R"("completed")");
    const place inside = f.where().in("content");
    if (who != role::assistant) {
        run_ = run::none;
        message& m = out_.emplace_back();
        m.who = who;
        m.id = id;
        m.extras = std::move(extras);
        return read_parts(check_, *content, inside, arena_, m.content);
    }
    message& m = in(run::turn);
    const std::size_t first = m.content.size();
    read_parts(check_, *content, inside, arena_, m.content);
    if (has_message_ || one_turn_) {
        if (m.content.size() > first) m.content[first].item = envelope(item);
    } else {
        m.id = id;
        m.extras = std::move(extras);
    }
    has_message_ = true;
}

// What a further message of the same turn is besides its content.
json item_reader::envelope(const json_value& item) {
    std::string text;
    http::json_writer w(text);
    w.begin_object();
    each_member(item.raw, [&](std::string_view key, const json_value& v) {
        if (v.type == json_type::null || key == "type" || key == "role" || key == "content") return;
        if (key == "status" && says(v.raw, "completed")) return;
        w.key(key).raw(v.raw);
    });
    w.end_object();
    return arena_.keep(std::move(text));
}

void item_reader::read_call(fields& f, tool_call::kind kind) {
    tool_call call;
    call.what = kind;
    call.id = f.string("call_id", need::required);
    call.name = f.string("name", need::required);
    call.arguments = f.string(kind == tool_call::kind::function ? "arguments" : "input", need::required);
    call.item_id = f.string("id");
    if (!check_.ok()) return;
    part p{std::move(call)};
    f.rest(p.extras);
    drop_default(p.extras, "status", R"("completed")");
    in(run::turn).content.push_back(std::move(p));
}

void item_reader::read_output(fields& f, tool_call::kind kind) {
    tool_result r;
    r.what = kind;
    r.call_id = f.string("call_id");
    r.name = f.string("name");
    const place inside = f.where().in("output");
    const auto output = f.any("output", need::required);
    if (output) read_parts(check_, *output, inside, arena_, r.content);
    if (check_.ok() && r.call_id.empty() && r.name.empty()) check_.refuse(f.where().in("call_id"), "must be a string.");
    if (!check_.ok()) return;
    part p{std::move(r)};
    f.rest(p.extras);
    drop_default(p.extras, "status", R"("completed")");
    in(run::results).content.push_back(std::move(p));
}

// Each text of the summary and of the reasoning itself is a part; the secret goes with the last one.
void item_reader::read_reasoning(fields& f) {
    const json id = f.string("id");
    const json encrypted = f.string("encrypted_content");
    const auto [secret, from] = untag(chars_of(encrypted), "openai");
    if (from != "openai" && secret.starts_with(call_mark)) return sign_call(secret.substr(call_mark.size()), from);
    std::vector<part> parts;
    const auto texts = [&](std::string_view key, bool summary) {
        const place where = f.where().in(key);
        each_checked(check_, f.array(key), where, [&](const json_value& v, const place& at) {
            fields entry(check_, v, at);
            reasoning_part r;
            r.text = entry.string("text", need::required);
            r.id = id;
            r.summary = summary;
            parts.push_back({std::move(r)});
        });
    };
    texts("summary", true);
    texts("content", false);
    if (!check_.ok()) return;
    if (parts.empty()) {
        reasoning_part hidden;
        hidden.id = id;
        parts.push_back({std::move(hidden)});
    }
    auto& last = std::get<reasoning_part>(parts.back().value);
    if (!encrypted.empty()) {
        // Thoughts of others come with a signature, unless nothing of them may be seen.
        (from == "openai" || last.text.empty() ? last.encrypted : last.signature) = secret;
        last.from = from;
    }
    f.rest(parts.back().extras);
    drop_default(parts.back().extras, "status", R"("completed")");
    auto& content = in(run::turn).content;
    std::move(parts.begin(), parts.end(), std::back_inserter(content));
}

// "<signature>:<id of the call>"
void item_reader::sign_call(json_chars mark, family from) {
    if (run_ != run::turn) return;
    const auto colon = mark.find(':');
    if (colon == json_chars::npos) return;
    auto& content = out_.back().content;
    for (auto p = content.rbegin(); p != content.rend(); ++p) {
        auto* const call = std::get_if<tool_call>(&p->value);
        if (call == nullptr || chars_of(call->id) != mark.substr(colon + 1)) continue;
        call->signature = mark.substr(0, colon);
        call->signed_by = from;
        return;
    }
}

// A picture that is there is a picture to every dialect.
bool item_reader::read_image_call(fields& f) {
    const auto result = f.any("result");
    if (!result || result->type != json_type::string) return false;
    media_part m;
    m.base64 = chars_of(result->raw);
    const json format = f.string("output_format");
    m.mime = format.empty() ? std::string_view{"image/png"} : arena_.keep("image/" + decode(format));
    part p{std::move(m)};
    f.rest(p.extras);
    drop_default(p.extras, "status", R"("completed")");
    in(run::turn).content.push_back(std::move(p));
    return true;
}

void item_reader::read_native(const json_value& item, json type) {
    const std::string_view clients = known(of_the_client, type);
    std::string_view name = clients.empty() ? known(of_the_model, type) : clients;
    // A type that is newer than this list: carried to Responses, refused by name elsewhere.
    const bool models = clients.empty() && !name.empty();
    if (name.empty()) name = decode(type, arena_);
    in(models ? run::turn : run::results).content.push_back({native_part{item.raw, dialect_name, name}});
}

}  // namespace sluice::chat::responses
