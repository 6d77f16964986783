#include "dialects/responses/stream_output.hpp"

#include "dialects/responses/responses.hpp"
#include "dialects/values.hpp"

#include <algorithm>
#include <charconv>

namespace sluice::chat::responses {
namespace {

using part_type = stream_step::part_type;
using http::json_writer;

void append_number(std::size_t n, std::string& out) {
    char text[20];
    out.append(text, std::to_chars(text, text + sizeof text, n).ptr);
}

constexpr part_terms text_terms{"output_text.delta", "output_text.done", "text"};
constexpr part_terms refusal_terms{"refusal.delta", "refusal.done", "refusal"};
constexpr part_terms summary_terms{"reasoning_summary_text.delta", "reasoning_summary_text.done", "text"};
constexpr part_terms thought_terms{"reasoning_text.delta", "reasoning_text.done", "text"};
constexpr part_terms function_terms{"function_call_arguments.delta", "function_call_arguments.done", "arguments"};
constexpr part_terms custom_terms{"custom_tool_call_input.delta", "custom_tool_call_input.done", "input"};

}  // namespace

const part_terms& terms_of(const written_part& p) {
    switch (p.type) {
        case part_type::refusal:
            return refusal_terms;
        case part_type::reasoning:
            return p.summary ? summary_terms : thought_terms;
        case part_type::tool_call:
            return function_terms;
        case part_type::custom_call:
            return custom_terms;
        default:
            return text_terms;
    }
}

bool is_said(part_type t) {
    return t == part_type::text || t == part_type::refusal;
}

bool is_call(part_type t) {
    return t == part_type::tool_call || t == part_type::custom_call;
}

part said_part(const written_part& p, const written_item& item, const stream_step& end) {
    switch (p.type) {
        case part_type::refusal:
            return {refusal_part{p.text}};
        case part_type::reasoning: {
            reasoning_part r;
            r.text = p.announced ? json{p.text} : json{};
            r.summary = p.summary;
            r.signature = end.signature;
            r.encrypted = end.encrypted;
            r.from = end.from;
            return {std::move(r)};
        }
        case part_type::tool_call:
        case part_type::custom_call: {
            tool_call call;
            call.what = p.type == part_type::custom_call ? tool_call::kind::custom : tool_call::kind::function;
            call.id = item.call_id;
            call.name = item.name;
            call.arguments = p.text;
            call.signature = end.signature;
            call.signed_by = end.from;
            return {std::move(call)};
        }
        default:
            return {text_part{p.text, p.citations, p.citations.empty() ? family{} : family{"openai"}}};
    }
}

std::string part_object(const written_part& p, json text, json logprobs) {
    std::string object;
    json_writer w(object);
    if (p.type == part_type::refusal) {
        write_output_part({refusal_part{text}}, {}, w);
    } else if (p.type == part_type::reasoning) {
        w.begin_object().key("type").string(p.summary ? "summary_text" : "reasoning_text").key("text").raw(text);
        w.end_object();
    } else {
        const family from = p.citations.empty() ? family{} : family{"openai"};
        write_output_part({text_part{text, p.citations, from}}, logprobs, w);
    }
    return object;
}

std::string place_of_part(const written_part& p, const written_item& item) {
    std::string where;
    append_member("item_id", item.id, where);
    append_member("output_index", std::to_string(p.item), where);
    if (is_said(p.type) || p.type == part_type::reasoning)
        append_member(p.summary ? "summary_index" : "content_index", std::to_string(p.sub), where);
    return where;
}

void event_numbers::open(std::string_view type, std::string& out) {
    out.append("event: response.").append(type).append("\ndata: {\"type\":\"response.").append(type);
    out += "\",\"sequence_number\":";
    append_number(sequence_++, out);
}

void event_numbers::open_error(std::string& out) {
    out += "event: error\ndata: {\"type\":\"error\",\"sequence_number\":";
    append_number(sequence_++, out);
}

void event_numbers::item(std::string_view type, std::size_t index, std::string_view object, std::string& out) {
    open(type, out);
    out += ",\"output_index\":";
    append_number(index, out);
    append_flat("item", object, out);
    close(out);
}

void append_member(std::string_view key, std::string_view value, std::string& out) {
    out.append(",\"").append(key).append("\":").append(value);
}

void append_flat(std::string_view key, std::string_view json, std::string& out) {
    const std::size_t from = out.size();
    append_member(key, json, out);
    for (std::size_t i = from; i < out.size(); ++i) {
        if (out[i] == '\n' || out[i] == '\r') out[i] = ' ';
    }
}

}  // namespace sluice::chat::responses
