#include "dialects/responses/stream_event.hpp"

#include "dialects/responses/stream_parts.hpp"

#include <algorithm>

namespace sluice::chat::responses {
namespace {

bool read_index(const json_value& v, std::int64_t& out) {
    out = v.integer().value_or(-1);
    return out >= 0 && out < stream_parts_max;
}

}  // namespace

stream_event read_event(std::string_view name, std::string_view data) {
    stream_event e;
    e.type = name;
    const auto first = data.find_first_not_of(" \t\r\n");
    each_member(first == std::string_view::npos ? data : data.substr(first),
                [&](std::string_view key, const json_value& v) {
                    if (v.type == json_type::null) return;
                    const bool string = v.type == json_type::string;
                    if (key == "type") {
                        if (string) e.type = chars_of(v.raw);
                    } else if (key == "delta") {
                        e.delta = v.raw;
                    } else if (key == "output_index") {
                        e.in_range &= read_index(v, e.output_index);
                    } else if (key == "content_index" || key == "summary_index") {
                        e.in_range &= read_index(v, e.sub);
                    } else if (key == "text" || key == "refusal" || key == "arguments" || key == "input") {
                        if (string) e.whole = v.raw;
                    } else if (key == "logprobs") {
                        e.logprobs = v.raw;
                    } else if (key == "item") {
                        e.item = v.raw;
                    } else if (key == "part") {
                        e.part = v.raw;
                    } else if (key == "response") {
                        e.response = v.raw;
                    } else if (key == "annotation") {
                        e.annotation = v.raw;
                    } else if (key == "error") {
                        e.error = v.raw;
                    } else if (key == "message") {
                        e.message = v.raw;
                    } else if (key == "code") {
                        e.code = v.raw;
                    }
                });
    return e;
}

item_facts read_item_facts(json object) {
    item_facts f;
    each_member(object, [&](std::string_view key, const json_value& v) {
        if (v.type == json_type::array) {
            if (key == "content") f.content = v.raw;
            if (key == "summary") f.summary = v.raw;
            if (key == "annotations" && v.raw.size() > 2) f.annotations = v.raw;
        }
        if (v.type != json_type::string) return;
        if (key == "type") f.type = v.raw;
        if (key == "id") f.id = v.raw;
        if (key == "call_id") f.call_id = v.raw;
        if (key == "name") f.name = v.raw;
        if (key == "encrypted_content") f.encrypted = v.raw;
        if (key == "text" || key == "refusal" || key == "arguments" || key == "input") f.whole = v.raw;
    });
    return f;
}

response_outline read_outline(json response) {
    response_outline r;
    each_member(response, [&](std::string_view key, const json_value& v) {
        if (key == "id" && v.type == json_type::string) r.id = v.raw;
        if (key == "model" && v.type == json_type::string) r.model = v.raw;
        if (key == "status") r.status = v.raw;
        if (key == "error" && v.type == json_type::object) r.error = v.raw;
        if (key == "usage") r.usage = v.raw;
        if (key == "output" && v.type == json_type::array) r.output = v.raw;
        if (key == "created_at") r.created = static_cast<std::int64_t>(std::clamp(v.number().value_or(0), 0., 1e15));
        if (key != "incomplete_details") return;
        each_member(v.raw, [&](std::string_view k, const json_value& x) {
            if (k == "reason") r.reason = x.raw;
        });
    });
    return r;
}

}  // namespace sluice::chat::responses
