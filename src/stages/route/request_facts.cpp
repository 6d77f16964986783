#include "stages/route/request_facts.hpp"

#include "base/content_type.hpp"
#include "http/fold_case.hpp"
#include "http/multipart.hpp"
#include "http/path.hpp"
#include "routing/upstream_path.hpp"

#include <algorithm>

namespace sluice::route {
namespace {

constexpr std::size_t hidden_bytes_max = 2 * std::string_view{"stream_options"}.size();  // some letters take two bytes

bool has_body(const request_head& head) {
    return head.body != framing::none && (head.body == framing::chunked || head.content_length > 0);
}

// Does a stream of this endpoint say its usage only when asked?
bool usage_on_request(std::string_view path) {
    return path.ends_with("/completions");
}

bool decides(std::string_view name) {
    return name == "model" || name == "stream" || name == "stream_options";
}

// Quickly: could it, written otherwise? The last letter is the first byte of a long s.
bool may_decide(std::string_view name) {
    return !name.empty() && name.size() <= hidden_bytes_max &&
           std::string_view{"mMsS\xc5"}.find(name.front()) != std::string_view::npos;
}

// No field that decides anything may hide behind escapes or capitals: "mod\u0065l" is a model to every upstream's
// parser, "Model" to some.
result<void> refuse_hidden(const json_object& body) {
    std::string name;
    for (const json_member& m : body.members()) {
        if (!m.key_escaped && (decides(m.key) || !may_decide(m.key))) continue;
        const json_value key{json_type::string, {m.key.data() - 1, m.key.size() + 2}};
        if (m.key_escaped) {
            http::fold_case(key.string().value_or(""), name);
        } else {
            http::fold_case(m.key, name);
        }
        if (decides(name)) {
            return error{error_kind::bad_request, "`" + name + "` must be written in these letters, without escapes.",
                         name};
        }
    }
    return {};
}

result<request_facts> facts_of(const json_object& body, std::string_view path) {
    request_facts facts;
    facts.api = routing::client_api_of(path);
    if (facts.api && !facts.api->model.empty()) {
        facts.model = facts.api->model;
        facts.place = model_place::path;
        facts.stream = facts.api->stream;
        return facts;
    }
    facts.place = model_place::json;
    auto plain = refuse_hidden(body);
    if (!plain) return plain.error();
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
        // Neither null nor a boolean is malformed too.
        if (asked && asked->type != json_type::null) facts.wants_usage = asked->boolean() == false;
    } else if (options && options->type != json_type::null) {
        facts.wants_usage = false;  // malformed: the upstream shall say so
    }
    return facts;
}

}  // namespace

std::optional<result<request_facts>> facts_now(exchange& x, std::string_view path) {
    const request_head& head = x.request();
    if (!has_body(head) || head.method != "POST" || is_form(head.headers)) return std::nullopt;
    const auto body = x.json_now();
    if (!body) return std::nullopt;
    if (!*body) return body->error();
    return facts_of(***body, path);
}

awaitable<result<request_facts>> read_facts(exchange& x, std::string_view path) {
    const request_head& head = x.request();
    request_facts facts;
    if (has_body(head) && is_form(head.headers)) {
        if (routing::is_upload_path(path)) co_return facts;  // every other form is looked into
        auto body = co_await x.collect_body();
        if (!body) co_return body.error();
        const std::string_view type = *head.headers.find("content-type");
        const auto parts = http::parse_multipart(*body, type);
        if (!parts) co_return parts.error();
        const bool named = std::any_of(parts->begin(), parts->end(), [](const auto& p) { return p.name == "model"; });
        if (!named) co_return facts;
        auto model = http::multipart_field(*body, type, "model");
        if (!model) co_return model.error();
        facts.model = *model;
        facts.sent = std::move(*model);
        facts.place = model_place::form;
        co_return facts;
    }
    // Clients leave the type out or get it wrong (curl -d): a POST to a model endpoint is JSON unless it says form.
    if (has_body(head) && head.method == "POST") {
        auto body = co_await x.json();
        if (!body) co_return body.error();
        co_return facts_of(**body, path);
    }
    if (auto model = http::query_parameter(head.query(), "model")) {
        facts.model = std::move(*model);
        facts.place = model_place::query;
    }
    co_return facts;
}

result<void> set_model(exchange& x, request_facts& facts, std::string_view upstream_model) {
    if (facts.place == model_place::json) {
        // `model` is what was asked for; a route with a fixed model asks for another than the body says.
        const json_object& body = *x.parsed_json();
        const auto said = body.find("model");
        const bool same = said && said->raw.size() == upstream_model.size() + 2 &&
                          said->raw.substr(1, upstream_model.size()) == upstream_model;
        if (!same) x.edits().set(body, "model", to_json_string(upstream_model));
    }
    if (facts.place != model_place::form || facts.sent == upstream_model) return {};
    const std::string type(*x.request().headers.find("content-type"));
    auto pieces = http::replace_multipart_field(x.collected_body(), type, "model", upstream_model);
    if (!pieces) return pieces.error();
    std::string text;
    for (const std::string_view p : *pieces) text += p;
    x.replace_body(std::move(text));
    facts.sent = upstream_model;
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
