#include "dialects/responses/output_items.hpp"

#include "dialects/responses/item_reader.hpp"
#include "dialects/responses/item_writer.hpp"
#include "dialects/values.hpp"

namespace sluice::chat::responses {

using http::json_writer;

id_maker::id_maker(std::string_view request_id) {
    constexpr std::size_t seed_max = 64;
    for (const char c : request_id.substr(0, seed_max)) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (letter || c == '-' || c == '_') seed_ += c;
    }
}

std::string id_maker::make(std::string_view prefix, std::size_t index) const {
    std::string id = "\"";
    return id.append(prefix).append(seed_).append(1, '_').append(std::to_string(index)).append(1, '"');
}

json logprobs_array(json chat_form) {
    json content = "[]";
    each_member(chat_form, [&](std::string_view key, const json_value& v) {
        if (key == "content" && v.type == json_type::array) content = v.raw;
    });
    return content;
}

void write_output_part(const part& p, json logprobs, json_writer& w) {
    w.begin_object();
    if (const auto* refusal = std::get_if<refusal_part>(&p.value)) {
        w.key("type").string("refusal").key("refusal").raw(refusal->text).end_object();
        return;
    }
    const auto& text = std::get<text_part>(p.value);
    const bool ours = text.from == "openai" && !text.citations.empty();
    w.key("type").string("output_text").key("annotations").raw(ours ? text.citations : json{"[]"});
    w.key("logprobs").raw(logprobs_array(logprobs)).key("text").raw(text.text.empty() ? json{R"("")"} : text.text);
    w.end_object();
}

void write_message_item(const part* first, const part* last, json id, std::string_view status, json logprobs,
                        json_writer& w) {
    w.begin_object().key("type").string("message");
    bool has_id = false, has_status = false;
    if (first != last) {
        each_member(first->item, [&](std::string_view key, const json_value& v) {
            has_id |= key == "id";
            has_status |= key == "status";
            w.key(key).raw(v.raw);
        });
    }
    if (!has_id) w.key("id").raw(id);
    if (!has_status) w.key("status").string(status);
    w.key("role").string("assistant").key("content").begin_array();
    for (const part* p = first; p != last; ++p) {
        const bool text = std::holds_alternative<text_part>(p->value);
        write_output_part(*p, text ? logprobs : json{}, w);
        if (text) logprobs = {};
    }
    w.end_array().end_object();
}

void write_call_item(const tool_call& call, json id, std::string_view status, text_arena& arena, json_writer& w) {
    const bool custom = call.what == tool_call::kind::custom;
    w.begin_object().key("type").string(custom ? "custom_tool_call" : "function_call");
    w.key("id").raw(call.item_id.empty() ? id : call.item_id).key("status").string(status);
    w.key("call_id").raw(call.id.empty() ? id : call.id).key("name").raw(call.name.empty() ? json{R"("")"} : call.name);
    if (custom) {
        w.key("input").raw(call.arguments.empty() ? json{R"("")"} : call.arguments);
    } else {
        // A call without arguments has an empty object of them.
        w.key("arguments").raw(is_empty_string(call.arguments) ? json{R"("{}")"} : arguments_string(call, arena));
    }
    w.end_object();
}

void write_thoughts_item(const part* first, const part* last, json id, text_arena& arena, json_writer& w) {
    const auto& r = std::get<reasoning_part>((last - 1)->value);
    const json_chars secret = r.encrypted.empty() ? r.signature : r.encrypted;
    // A signature belongs to a text, and one that is empty must come back as one.
    std::vector<part> parts(first, last);
    auto& end = std::get<reasoning_part>(parts.back().value);
    if (end.text.empty() && !r.signature.empty() && r.encrypted.empty()) end.text = R"("")";
    // Of OpenAI's own models clients get summaries, and SDKs show nothing else; what others tell of their thoughts is
    // mostly a summary too.
    for (part& p : parts) std::get<reasoning_part>(p.value).summary = true;
    write_reasoning(parts.data(), parts.data() + parts.size(), r.id.empty() ? id : r.id,
                    tag_foreign(secret, r.from, "openai", arena), arena, w);
    w.end_object();
}

void write_call_mark(const tool_call& call, json id, text_arena& arena, json_writer& w) {
    std::string secret(call_mark);
    secret.append(call.signature).append(1, ':').append(chars_of(call.id));
    w.begin_object().key("type").string("reasoning").key("id").raw(id).key("summary").raw("[]");
    w.key("encrypted_content").raw(enclose(tag_foreign(secret, call.signed_by, "openai", arena), arena)).end_object();
}

void write_picture_item(const media_part& picture, json id, text_arena& arena, json_writer& w) {
    w.begin_object().key("type").string("image_generation_call").key("id").raw(id).key("status").string("completed");
    w.key("result").raw(enclose(picture.base64, arena));
    if (picture.mime.starts_with("image/")) w.key("output_format").string(picture.mime.substr(6));
    w.end_object();
}

}  // namespace sluice::chat::responses
