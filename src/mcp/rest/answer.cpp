#include "mcp/rest/answer.hpp"

#include "http/json_writer.hpp"

#include "base/ascii.hpp"
#include "base/base64.hpp"
#include "base/content_type.hpp"
#include "mcp/protocol/text_result.hpp"

namespace sluice::mcp::rest {

namespace {

std::string cut(std::string text, std::size_t bytes_max) {
    if (text.size() <= bytes_max) return text;
    const std::size_t all = text.size();
    std::size_t keep = bytes_max;
    while (keep > 0 && (static_cast<unsigned char>(text[keep]) & 0xc0) == 0x80) --keep;
    text.resize(keep);
    return text + "\n[cut: " + std::to_string(all - keep) + " more bytes]";
}

tool_result text_result(const std::string& text, bool is_error, std::string_view structured = {}) {
    return {mcp::text_result(text, is_error, structured), is_error};
}

tool_result image_result(const service_answer& answer) {
    tool_result out;
    http::json_writer w{out.json};
    w.begin_object().key("content").begin_array();
    w.begin_object().key("type").string("image").key("data").string(base64_encode(answer.body));
    w.key("mimeType").string(media_type(answer.content_type)).end_object().end_array().end_object();
    return out;
}

tool_result failed(const error& e) {
    return text_result("the answer of the service could not be shown: " + e.message, true);
}

// The body as templates see it: JSON, or else text. Error: more of it than templates walk.
result<value> data_of(std::string_view body) {
    auto parsed = value::parse(body);
    if (parsed || parsed.error().kind == error_kind::payload_too_large) return parsed;
    return value::string(std::string{body});
}

result<std::string> rendered(const text_template& source, std::string_view body, const template_context& context) {
    const auto data = data_of(body);
    if (!data) return data.error();
    return source.execute(*data, context, placing::text);
}

value headers_of(const service_answer& answer) {
    value::members fields;
    fields.emplace_back(":status", value::integer(answer.status));
    for (const auto& [name, v] : answer.headers) {
        std::string key = name;
        for (char& c : key) c = ascii::lower(c);
        fields.emplace_back(std::move(key), value::string(v));
    }
    return value::object(std::move(fields)).value();  // two levels
}

tool_result error_answer(const tool& t, const template_context& context, const service_answer& answer) {
    const std::size_t bytes_max = context.limits.output_bytes_max;
    if (t.error_response.empty()) {
        const std::string head = "call failed, status: " + std::to_string(answer.status) + ", response: ";
        return text_result(cut(head + std::string{answer.body.substr(0, bytes_max + 1)}, bytes_max), true);
    }
    auto text = rendered(t.error_response, answer.body, context);
    return text ? text_result(*text, true) : failed(text.error());
}

}  // namespace

tool_result make_result(const tool& t, const value& args, const template_context& context,
                        const service_answer& answer) {
    const std::size_t bytes_max = context.limits.output_bytes_max;
    template_context own = context;
    auto beside = value::object({{"args", args}, {"_headers", headers_of(answer)}});
    if (!beside) return failed(beside.error());
    own.beside = *beside;
    if (answer.status < 200 || answer.status > 299) return error_answer(t, own, answer);
    if (answer.content_type.starts_with("image/")) {
        if (answer.body.size() <= bytes_max) return image_result(answer);
        return text_result("the image is too large: " + std::to_string(answer.body.size()) + " bytes", true);
    }
    std::string text;
    if (t.response.body.empty()) {
        text = t.response.prepend + std::string{answer.body} + t.response.append;
    } else {
        auto made = rendered(t.response.body, answer.body, own);
        if (!made) return failed(made.error());
        text = std::move(*made);
    }
    if (text.empty()) text = "success";
    std::string structured;
    if (t.output_schema.is(value::kind::object)) {
        // A client that was promised structure must not take a piece of it for the whole.
        if (answer.body.size() > bytes_max) return text_result("the answer of the service is too long", true);
        const auto data = value::parse(answer.body);
        if (data && data->is(value::kind::object)) structured = data->json(2 * bytes_max);
        if (structured.empty()) return text_result("the service did not answer with a JSON object", true);
    }
    return text_result(cut(std::move(text), bytes_max), false, structured);
}

tool_result direct_result(const definition& d, const tool& t, const value& args, const template_context& context) {
    auto data = value::object({{"config", d.config}, {"args", args}});
    if (!data) return failed(data.error());
    auto text = t.response.body.execute(*data, context, placing::text);
    return text ? text_result(text->empty() ? "success" : *text, false) : failed(text.error());
}

}  // namespace sluice::mcp::rest
