#include "dialects/context_overflow.hpp"
#include "dialects/responses/responses.hpp"
#include "dialects/values.hpp"
#include "http/json_writer.hpp"

namespace sluice::chat::responses {

void write_error(const error_facts& e, std::string& out) {
    http::json_writer w(out);
    const auto text_or_null = [&](std::string_view key, const std::string& text) {
        w.key(key);
        if (text.empty()) {
            w.null();
        } else {
            w.string(text);
        }
    };
    w.begin_object().key("error").begin_object().key("message").string(e.message);
    w.key("type").string(e.type.empty() ? "server_error" : e.type);
    text_or_null("param", e.param);
    text_or_null("code", e.code);
    w.end_object().end_object();
}

error_facts read_error(int status, std::string_view body) {
    error_facts e;
    e.status = status;
    const auto scalar = [](const json_value& v) {
        if (v.type == json_type::string) return decode(v.raw);
        return v.type == json_type::number ? std::string(v.raw) : std::string{};
    };
    const auto read = [&](json object) {
        each_member(object, [&](std::string_view key, const json_value& v) {
            if (key == "message" || key == "detail") e.message = scalar(v);
            if (key == "type") e.type = scalar(v);
            if (key == "code") e.code = scalar(v);
            if (key == "param") e.param = scalar(v);
        });
    };
    if (const auto o = json_object::parse(body)) {
        const auto inner = o->find("error");
        if (inner && inner->type == json_type::string) {
            e.message = decode(inner->raw);  // {"error":"..."}
        } else if (inner && inner->type == json_type::object) {
            read(inner->raw);
        } else {
            read(o->text().substr(o->text().find('{')));
        }
    }
    if (says_too_long(status, body)) e.code = "context_length_exceeded";
    constexpr std::size_t message_max = 1024;
    if (e.message.size() > message_max) e.message = excerpt(e.message);
    if (e.message.empty())
        e.message =
            "The upstream answered with status " + std::to_string(status) + (body.empty() ? "." : ": " + excerpt(body));
    return e;
}

}  // namespace sluice::chat::responses
