#include "dialects/cohere/parts.hpp"
#include "dialects/values.hpp"
#include "http/json_writer.hpp"

#include <array>
#include <utility>

namespace sluice::chat::cohere {

namespace {

constexpr auto finish_reasons = std::to_array<std::pair<std::string_view, finish_reason>>({
    {"COMPLETE", finish_reason::stop},
    {"STOP_SEQUENCE", finish_reason::stop_sequence},
    {"MAX_TOKENS", finish_reason::length},
    {"TOOL_CALL", finish_reason::tool_calls},
    {"ERROR_LIMIT", finish_reason::context_window},
    {"ERROR_TOXIC", finish_reason::content_filter},
});

error not_an_answer(std::string_view body) {
    return error{error_kind::upstream_protocol, "The upstream's answer is not one of Cohere's chat: " + excerpt(body)};
}

std::int64_t count_of(const json_value& v) {
    return v.integer().value_or(-1);
}

void read_call(json value, std::vector<part>& out) {
    tool_call call;
    each_member(value, [&](std::string_view key, const json_value& v) {
        if (key == "id") call.id = v.raw;
        if (key != "function") return;
        each_member(v.raw, [&](std::string_view name, const json_value& inner) {
            if (name == "name") call.name = inner.raw;
            if (name == "arguments") call.arguments = is_empty_string(inner.raw) ? json{R"("{}")"} : inner.raw;
        });
    });
    if (is_string(call.name)) out.push_back({call});
}

// {"type":"text","text":"..."} and {"type":"thinking","thinking":"..."}.
void read_content(json value, std::vector<part>& out) {
    json text, thought;
    each_member(value, [&](std::string_view key, const json_value& v) {
        if (key == "text" && is_string(v.raw)) text = v.raw;
        if (key == "thinking" && is_string(v.raw)) thought = v.raw;
    });
    if (!thought.empty()) {
        reasoning_part r;
        r.text = thought;
        out.push_back({r});
    } else {
        out.push_back({text_part{text.empty() ? json{R"("")"} : text, {}, {}}});
    }
}

// Each citation says in which part of the content it is.
void read_citations(json citations, std::size_t first, std::size_t parts, answer& out) {
    std::vector<std::string> lists(parts);
    each_element(citations, [&](const json_value& v) {
        std::int64_t index = 0;
        each_member(v.raw, [&](std::string_view key, const json_value& member) {
            if (key == "content_index") index = count_of(member);
        });
        if (index < 0 || static_cast<std::size_t>(index) >= parts) return;
        std::string& list = lists[static_cast<std::size_t>(index)];
        list.append(1, list.empty() ? '[' : ',').append(v.raw);
    });
    for (std::size_t i = 0; i < parts; ++i) {
        auto* const text = std::get_if<text_part>(&out.choices.front().content[first + i].value);
        if (text == nullptr || lists[i].empty()) continue;
        text->citations = out.arena.keep(lists[i] + "]");
        text->from = "cohere";
    }
}

void read_message(json message, answer& out) {
    std::vector<part>& parts = out.choices.front().content;
    json content, calls, citations;
    each_member(message, [&](std::string_view key, const json_value& v) {
        if (key == "content") content = v.raw;
        if (key == "tool_calls") calls = v.raw;
        if (key == "citations") citations = v.raw;
        if (key != "tool_plan" || !is_string(v.raw) || is_empty_string(v.raw)) return;
        reasoning_part plan;
        plan.text = v.raw;
        parts.insert(parts.begin(), part{plan});
    });
    const std::size_t first = parts.size();
    each_element(content, [&](const json_value& v) { read_content(v.raw, parts); });
    read_citations(citations, first, parts.size() - first, out);
    each_element(calls, [&](const json_value& v) { read_call(v.raw, parts); });
}

}  // namespace

std::optional<finish_reason> finish_of(json reason) {
    if (says(reason, "ERROR") || says(reason, "TIMEOUT")) return std::nullopt;
    for (const auto& [name, meaning] : finish_reasons) {
        if (says(reason, name)) return meaning;
    }
    return is_null(reason) ? finish_reason::none : finish_reason::other;
}

token_usage usage_of(json usage) {
    token_usage u, billed;
    each_member(usage, [&](std::string_view key, const json_value& v) {
        if (key == "cached_tokens") u.cached_input = count_of(v);
        if (key != "tokens" && key != "billed_units") return;
        token_usage& to = key == "tokens" ? u : billed;
        each_member(v.raw, [&](std::string_view name, const json_value& count) {
            if (name == "input_tokens") to.input = count_of(count);
            if (name == "output_tokens") to.output = count_of(count);
        });
    });
    if (u.input < 0) u.input = billed.input;
    if (u.output < 0) u.output = billed.output;
    return u;
}

// A piece of text may be of several tokens: its probability is their product.
json openai_logprobs(json logprobs, text_arena& arena) {
    std::string out;
    http::json_writer w(out);
    bool any = false;
    const auto write_piece = [&](json piece) {
        json text;
        double sum = 0;
        each_member(piece, [&](std::string_view key, const json_value& v) {
            if (key == "text") text = v.raw;
            if (key == "logprobs") each_element(v.raw, [&](const json_value& n) { sum += n.number().value_or(0); });
        });
        if (!is_string(text)) return;
        any = true;
        w.begin_object().key("token").raw(text).key("logprob").number(sum);
        w.key("bytes").null().key("top_logprobs").begin_array().end_array().end_object();
    };
    w.begin_object().key("content").begin_array();
    if (type_of(logprobs) == json_type::object) {
        write_piece(logprobs);
    } else {
        each_element(logprobs, [&](const json_value& v) { write_piece(v.raw); });
    }
    w.end_array().end_object();
    return any ? arena.keep(std::move(out)) : json{};
}

result<void> read_chat_answer(std::string_view body, answer& out) {
    const auto parsed = json_object::parse(body);
    if (!parsed) return not_an_answer(body);
    const auto message = parsed->find("message");
    const auto reason = parsed->find("finish_reason");
    if (!message || message->type != json_type::object || !reason) return not_an_answer(body);
    const auto finish = finish_of(reason->raw);
    if (!finish) return error{error_kind::upstream_protocol, "The upstream's model failed: " + excerpt(body)};
    choice& c = out.choices.emplace_back();
    c.finish = *finish;
    read_message(message->raw, out);
    for (const json_member& m : parsed->members()) {
        if (m.key == "id") out.id = m.value.raw;
        if (m.key == "usage") out.usage = usage_of(m.value.raw);
        if (m.key == "logprobs") c.logprobs = openai_logprobs(m.value.raw, out.arena);
    }
    return {};
}

}  // namespace sluice::chat::cohere
