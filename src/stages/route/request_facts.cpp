#include "stages/route/request_facts.hpp"

#include "http/multipart.hpp"
#include "http/path.hpp"

namespace sluice::route {
namespace {

bool has_type(const request_head& head, std::string_view type) {
    const auto value = head.headers.find("content-type");
    return value && value->size() >= type.size() && iequals(value->substr(0, type.size()), type);
}

bool has_body(const request_head& head) {
    return head.body != framing::none && (head.body == framing::chunked || head.content_length > 0);
}

// Does a stream of this endpoint say its usage only when asked?
bool usage_on_request(std::string_view path) {
    return path.ends_with("/completions");
}

// Does a form of this endpoint hold a model?
bool names_model(std::string_view path) {
    return path.find("/audio/") != std::string_view::npos || path.find("/images/") != std::string_view::npos;
}

result<request_facts> facts_of(const json_object& body, std::string_view path) {
    request_facts facts;
    facts.form = body_form::json;
    if (const auto model = body.find("model")) {
        const auto text = model->string();
        if (!text) return error{error_kind::bad_request, "`model` must be a string.", "model"};
        facts.model = *text;
    }
    if (const auto stream = body.find("stream"); stream && stream->type != json_type::null) {
        const auto value = stream->boolean();
        if (!value) return error{error_kind::bad_request, "`stream` must be a boolean.", "stream"};
        facts.stream = *value;
    }
    if (!facts.stream || !usage_on_request(path)) return facts;
    facts.wants_usage = true;
    const auto options = body.find("stream_options");
    if (options && options->type == json_type::object) {
        const auto inner = json_object::inside(*options);
        if (!inner) return inner.error();
        const auto asked = inner->find("include_usage");
        facts.wants_usage = !asked || !asked->boolean().value_or(false);
    } else if (options && options->type != json_type::null) {
        facts.wants_usage = false;  // malformed: the upstream shall say so
    }
    return facts;
}

}  // namespace

std::optional<result<request_facts>> facts_now(exchange& x) {
    const request_head& head = x.request();
    if (!has_body(head) || head.method != "POST" || has_type(head, "multipart/form-data")) return std::nullopt;
    const auto body = x.json_now();
    if (!body) return std::nullopt;
    if (!*body) return body->error();
    return facts_of(***body, head.path());
}

awaitable<result<request_facts>> read_facts(exchange& x) {
    const request_head& head = x.request();
    request_facts facts;
    if (has_body(head) && has_type(head, "multipart/form-data")) {
        // An upload names no model and may be huge: it streams past.
        if (!names_model(head.path())) co_return facts;
        auto body = co_await x.collect_body();
        if (!body) co_return body.error();
        auto model = http::multipart_field(*body, *head.headers.find("content-type"), "model");
        if (model) facts.model = std::string(*model);
        facts.form = body_form::form;
        co_return facts;
    }
    // Clients leave the type out or get it wrong (curl -d): a POST to a model endpoint is JSON unless it says form.
    if (has_body(head) && head.method == "POST") {
        auto body = co_await x.json();
        if (!body) co_return body.error();
        co_return facts_of(**body, head.path());
    }
    if (auto model = http::query_parameter(head.query(), "model")) facts.model = std::move(*model);
    co_return facts;
}

result<void> set_model(exchange& x, const request_facts& facts, std::string_view upstream_model) {
    if (upstream_model == facts.model || facts.form == body_form::none) return {};
    if (facts.form == body_form::json) {
        x.edits().set(*x.parsed_json(), "model", to_json_string(upstream_model));
        return {};
    }
    const std::string type(*x.request().headers.find("content-type"));
    auto pieces = http::replace_multipart_field(x.collected_body(), type, "model", upstream_model);
    if (!pieces) return pieces.error();
    std::string text;
    for (const std::string_view p : *pieces) text += p;
    x.replace_body(std::move(text));
    return {};
}

void ask_for_usage(exchange& x) {
    const json_object& body = *x.parsed_json();
    const auto options = body.find("stream_options");
    std::string text = R"({"include_usage":true})";
    if (options && options->type == json_type::object) {
        const auto inner = json_object::inside(*options);
        json_edits edits;
        edits.set(*inner, "include_usage", "true");
        text = edits.apply(options->raw);
    }
    x.edits().set(body, "stream_options", std::move(text));
}

}  // namespace sluice::route
