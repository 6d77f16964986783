#include "dialects/openai/message_reader.hpp"

#include "dialects/openai/part_reader.hpp"
#include "dialects/values.hpp"

#include <optional>

namespace sluice::chat::openai {
namespace {

// What a message says besides its content, before its role is known to be what needs it.
struct loose_message {
    json role, name, tool_call_id, refusal, reasoning, cache_control;
    std::optional<json_value> content, tool_calls, thinking_blocks;
    extra_fields extras;
};

result<void> take_member(const json_member& m, const std::string& at, loose_message& out) {
    const auto string = [&](json& into) -> result<void> {
        if (m.value.type != json_type::string) return wrong_type(at + "." + std::string(m.key), "a string");
        into = m.value.raw;
        return {};
    };
    if (m.key == "role") return string(out.role);
    if (m.key == "name") return string(out.name);
    if (m.key == "tool_call_id") return string(out.tool_call_id);
    if (m.key == "refusal") return string(out.refusal);
    if (m.key == "reasoning_content" || m.key == "reasoning") return string(out.reasoning);
    if (m.key == "content") {
        out.content = m.value;
    } else if (m.key == "tool_calls") {
        if (m.value.type != json_type::array) return wrong_type(at + ".tool_calls", "an array");
        out.tool_calls = m.value;
    } else if (m.key == "thinking_blocks") {
        if (m.value.type != json_type::array) return wrong_type(at + ".thinking_blocks", "an array");
        out.thinking_blocks = m.value;
    } else if (m.key == "cache_control") {
        if (m.value.type != json_type::object) return wrong_type(at + ".cache_control", "an object");
        out.cache_control = m.value.raw;
    } else if (m.key == "function_call") {
        return error{error_kind::bad_request,
                     "`" + at + ".function_call` is the old form of calls, which is not translated: use `tool_calls`.",
                     at + ".function_call"};
    } else {
        out.extras.push_back({m.key, m.value.raw});
    }
    return {};
}

// {"type":"thinking","thinking":...,"signature":...} or {"type":"redacted_thinking","data":...}
result<reasoning_part> read_thinking_block(const json_value& block, const std::string& at) {
    const auto o = json_object::inside(block);
    if (!o) return block.type == json_type::object ? o.error() : wrong_type(at, "an object");
    json type, text, signature, data;
    for (const json_member& m : o->members()) {
        json* const into = m.key == "type"        ? &type
                           : m.key == "thinking"  ? &text
                           : m.key == "signature" ? &signature
                           : m.key == "data"      ? &data
                                                  : nullptr;
        if (into == nullptr || m.value.type == json_type::null) continue;
        if (m.value.type != json_type::string) return wrong_type(at + "." + std::string(m.key), "a string");
        *into = m.value.raw;
    }
    const bool hidden = says(type, "redacted_thinking");
    if (!hidden && !says(type, "thinking")) {
        return error{error_kind::bad_request, "`" + at + ".type` must be thinking or redacted_thinking.", at + ".type"};
    }
    if (hidden ? data.empty() : text.empty()) return wrong_type(at + (hidden ? ".data" : ".thinking"), "a string");
    // Chat completions have no signatures of their own: what stands without a tag came in Anthropic's form.
    const auto [secret, from] = untag(chars_of(hidden ? data : signature), "anthropic");
    reasoning_part r;
    r.text = hidden ? json{} : text;
    (hidden ? r.encrypted : r.signature) = secret;
    r.from = from;
    return r;
}

result<void> read_calls(json calls, const std::string& at, std::vector<part>& out) {
    result<void> read;
    std::size_t index = 0;
    each_element(calls, [&](const json_value& v) {
        if (!read) return;
        const std::string place = at + ".tool_calls[" + std::to_string(index++) + "]";
        auto call = read_call(v, place);
        if (call && std::get<tool_call>(call->value).id.empty()) {
            read = wrong_type(place + ".id", "a string");
        } else if (call) {
            out.push_back(std::move(*call));
        } else {
            read = call.error();
        }
    });
    return read;
}

result<message> read_assistant(loose_message& m, const std::string& at, conversation& c) {
    message out;
    out.who = role::assistant;
    // Where both are, they say the same; only blocks have signatures.
    if (m.thinking_blocks) {
        if (auto read = read_thinking_blocks(m.thinking_blocks->raw, at, out.content); !read) return read.error();
    }
    if (out.content.empty() && !m.reasoning.empty() && !is_empty_string(m.reasoning)) {
        reasoning_part r;
        r.text = m.reasoning;
        r.from = "openai";
        out.content.push_back({std::move(r)});
    }
    if (m.content) {
        if (auto read = read_content(*m.content, at, c, out.content); !read) return read.error();
    }
    if (!m.refusal.empty()) out.content.push_back({refusal_part{m.refusal}});
    if (m.tool_calls) {
        if (auto read = read_calls(m.tool_calls->raw, at, out.content); !read) return read.error();
    }
    return out;
}

result<message> read_tool_result(loose_message& m, const std::string& at, conversation& c) {
    if (m.tool_call_id.empty()) {
        return error{error_kind::bad_request, "`" + at + ".tool_call_id` is missing.", at + ".tool_call_id"};
    }
    tool_result r;
    r.call_id = m.tool_call_id;
    r.name = m.name;
    m.name = {};
    if (m.content) {
        if (auto read = read_content(*m.content, at, c, r.content); !read) return read.error();
    }
    message out;
    out.content.push_back({std::move(r)});
    return out;
}

result<message> read_plain(role who, loose_message& m, const std::string& at, conversation& c) {
    message out;
    out.who = who;
    if (!m.content) return error{error_kind::bad_request, "`" + at + ".content` is missing.", at + ".content"};
    if (auto read = read_content(*m.content, at, c, out.content); !read) return read.error();
    return out;
}

result<message> by_role(loose_message& m, const std::string& at, conversation& c) {
    if (says(m.role, "user")) return read_plain(role::user, m, at, c);
    if (says(m.role, "assistant")) return read_assistant(m, at, c);
    if (says(m.role, "system")) return read_plain(role::system, m, at, c);
    if (says(m.role, "developer")) return read_plain(role::developer, m, at, c);
    if (says(m.role, "tool")) return read_tool_result(m, at, c);
    return error{error_kind::bad_request, "`" + at + ".role` must be system, developer, user, assistant or tool.",
                 at + ".role"};
}

}  // namespace

result<void> read_thinking_blocks(json blocks, const std::string& at, std::vector<part>& out) {
    result<void> read;
    std::size_t index = 0;
    each_element(blocks, [&](const json_value& block) {
        if (!read) return;
        auto r = read_thinking_block(block, at + ".thinking_blocks[" + std::to_string(index++) + "]");
        if (r) {
            out.push_back({std::move(*r)});
        } else {
            read = r.error();
        }
    });
    return read;
}

error wrong_type(std::string_view field, std::string_view wanted) {
    std::string text = field.empty() ? std::string{} : "`" + std::string(field) + "` ";
    text.append("must be ").append(wanted).append(".");
    return error{error_kind::bad_request, std::move(text), std::string(field)};
}

result<void> read_message(const json_value& v, std::size_t index, conversation& c) {
    const std::string at = "messages[" + std::to_string(index) + "]";
    const auto o = json_object::inside(v);
    if (!o) return v.type == json_type::object ? o.error() : wrong_type(at, "an object");
    loose_message loose;
    for (const json_member& m : o->members()) {
        if (m.value.type == json_type::null) continue;
        if (auto taken = take_member(m, at, loose); !taken) return taken.error();
    }
    auto m = by_role(loose, at, c);
    if (!m) return m.error();
    m->name = loose.name;
    m->extras = std::move(loose.extras);
    // A marker on a message stands behind its last part.
    if (!loose.cache_control.empty() && !m->content.empty()) m->content.back().cache_control = loose.cache_control;
    c.messages.push_back(std::move(*m));
    return {};
}

}  // namespace sluice::chat::openai
