#include "dialects/bedrock/answers.hpp"
#include "dialects/bedrock/bedrock.hpp"
#include "dialects/values.hpp"

#include <array>
#include <utility>

namespace sluice::chat::bedrock {

namespace {

constexpr auto finish_reasons = std::to_array<std::pair<std::string_view, finish_reason>>({
    {"end_turn", finish_reason::stop},
    {"tool_use", finish_reason::tool_calls},
    {"max_tokens", finish_reason::length},
    {"stop_sequence", finish_reason::stop_sequence},
    {"guardrail_intervened", finish_reason::content_filter},
    {"content_filtered", finish_reason::content_filter},
    {"malformed_tool_use", finish_reason::malformed_call},
    {"model_context_window_exceeded", finish_reason::context_window},
    {"refusal", finish_reason::refusal},
    {"pause_turn", finish_reason::pause},
});

error not_an_answer(std::string_view body) {
    return error{error_kind::upstream_protocol, "The upstream's answer is not one of Converse: " + excerpt(body)};
}

json member_of(json object, std::string_view name) {
    json found;
    each_member(object, [&](std::string_view key, const json_value& v) {
        if (key == name) found = v.raw;
    });
    return found;
}

class block_reader {
public:
    block_reader(std::vector<part>& out, text_arena& arena) : out_(out), arena_(arena) {}

    // One block is an object with one member, named for its type.
    void read(json block) {
        each_member(block, [&](std::string_view type, const json_value& v) {
            if (type == "text" && is_string(v.raw)) {
                out_.push_back({text_part{v.raw, {}, {}}});
            } else if (type == "toolUse") {
                read_call(block, v.raw);
            } else if (type == "reasoningContent") {
                read_reasoning(v.raw);
            } else if (type == "citationsContent") {
                read_cited(v.raw);
            } else if (type == "image") {
                read_image(block, v.raw);
            } else {
                keep(block, type);
            }
        });
    }

private:
    void keep(json block, std::string_view type) { out_.push_back({native_part{block, dialect_name, type}}); }

    // A call with a type is one that Bedrock itself has answered.
    void read_call(json block, json use) {
        if (!member_of(use, "type").empty()) return keep(block, "toolUse");
        tool_call call;
        each_member(use, [&](std::string_view key, const json_value& v) {
            if (key == "toolUseId") call.id = v.raw;
            if (key == "name") call.name = v.raw;
            if (key == "input") call.arguments = v.type == json_type::object ? v.raw : json{"{}"};
        });
        out_.push_back({call});
    }

    void read_reasoning(json content) {
        reasoning_part r;
        each_member(content, [&](std::string_view key, const json_value& v) {
            if (key == "redactedContent") r.encrypted = chars_of(v.raw);
            if (key != "reasoningText") return;
            r.text = member_of(v.raw, "text");
            r.signature = chars_of(member_of(v.raw, "signature"));
        });
        if (!r.signature.empty() || !r.encrypted.empty()) r.from = maker_name;
        out_.push_back({r});
    }

    void read_cited(json cited) {
        std::vector<part> texts;
        each_element(member_of(cited, "content"), [&](const json_value& v) {
            const json text = member_of(v.raw, "text");
            if (is_string(text)) texts.push_back({text_part{text, {}, {}}});
        });
        std::string joined = "\"";
        for (const part& p : texts) joined += chars_of(std::get<text_part>(p.value).text);
        const json text = texts.size() == 1 ? std::get<text_part>(texts.front().value).text : arena_.keep(joined + '"');
        const json citations = anthropic_citations(member_of(cited, "citations"), arena_);
        out_.push_back({text_part{text, citations, citations.empty() ? family{} : maker_name}});
    }

    void read_image(json block, json image) {
        const json bytes = member_of(member_of(image, "source"), "bytes");
        if (!is_string(bytes)) return keep(block, "image");
        media_part m;
        m.base64 = chars_of(bytes);
        m.mime = arena_.keep("image/" + decode(member_of(image, "format")));
        out_.push_back({m});
    }

    std::vector<part>& out_;
    text_arena& arena_;
};

std::int64_t count_of(const json_value& v) {
    return v.integer().value_or(-1);
}

}  // namespace

finish_reason finish_of(json stop_reason) {
    for (const auto& [name, reason] : finish_reasons) {
        if (says(stop_reason, name)) return reason;
    }
    return is_null(stop_reason) ? finish_reason::none : finish_reason::other;
}

token_usage usage_of(json usage) {
    token_usage u;
    each_member(usage, [&](std::string_view key, const json_value& v) {
        if (key == "inputTokens") u.input = count_of(v);
        if (key == "outputTokens") u.output = count_of(v);
        if (key == "cacheReadInputTokens") u.cached_input = count_of(v);
        if (key == "cacheWriteInputTokens") u.cache_write = count_of(v);
        if (key != "cacheDetails") return;
        each_element(v.raw, [&](const json_value& detail) {
            bool hour = false;
            std::int64_t tokens = -1;
            each_member(detail.raw, [&](std::string_view name, const json_value& value) {
                if (name == "ttl") hour = says(value.raw, "1h");
                if (name == "inputTokens") tokens = count_of(value);
            });
            if (hour) u.cache_write_1h = tokens;
        });
    });
    if (u.input >= 0) u.input += std::max<std::int64_t>(u.cached_input, 0) + std::max<std::int64_t>(u.cache_write, 0);
    return u;
}

result<void> read_converse_answer(std::string_view body, answer& out) {
    const auto parsed = json_object::parse(body);
    if (!parsed) return not_an_answer(body);
    const auto output = parsed->find("output");
    const json message = output ? member_of(output->raw, "message") : json{};
    const json content = member_of(message, "content");
    if (type_of(content) != json_type::array || !parsed->find("stopReason")) return not_an_answer(body);
    choice& c = out.choices.emplace_back();
    block_reader blocks(c.content, out.arena);
    each_element(content, [&](const json_value& block) { blocks.read(block.raw); });
    for (const json_member& m : parsed->members()) {
        const json value = m.value.raw;
        if (m.key == "stopReason") {
            c.finish = finish_of(value);
        } else if (m.key == "usage") {
            out.usage = usage_of(value);
        } else if (m.key == "serviceTier") {
            out.service_tier = member_of(value, "type");
        } else if (m.key == "additionalModelResponseFields") {
            const json stop = member_of(value, "stop_sequence");
            if (is_string(stop)) c.stop_sequence = stop;
            out.extras.push_back({m.key, value});
        } else if (m.key == "trace" || m.key == "performanceConfig") {
            out.extras.push_back({m.key, value});
        }
    }
    return {};
}

}  // namespace sluice::chat::bedrock
