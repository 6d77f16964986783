#include "stages/rewrite/rewrite_stage.hpp"

#include "base/content_type.hpp"
#include "http/hop_by_hop.hpp"
#include "http/multipart.hpp"
#include "routing/upstream_path.hpp"

namespace sluice::rewrite {
namespace {

bool has_body(const request_head& head) {
    return head.body != framing::none && (head.body == framing::chunked || head.content_length > 0);
}

bool is_upload(const request_head& head) {
    return routing::is_upload_path(routing::upstream_path(head.path(), {}));
}

void compile(const std::vector<message_config>& from, std::vector<message_template>& to) {
    for (const message_config& m : from) {
        auto content = text_template::parse(m.content);
        if (content) to.push_back({m.role, std::move(*content)});
    }
}

}  // namespace

rewrite_stage::rewrite_stage(const rewrite_config& config, services& s)
    : config_(config),
      governed_(config),
      request_headers_(config.request_headers),
      response_headers_(config.response_headers),
      refused_(s.metrics().get_counter("sluice_rewrite_refused_total",
                                       "Requests that could not be rewritten: no JSON, a field no rule can hold, no "
                                       "such template, a variable missing.")) {
    compile(config.messages.prepend, prepend_);
    compile(config.messages.append, append_);
    for (const prompt_template_config& t : config.templates) templates_.emplace_back(t);
}

awaitable<void> rewrite_stage::serve(exchange& x, next_stage next) {
    if (config_.touches_body() && has_body(x.request())) {
        const auto rewritten = co_await rewrite_body(x);
        if (!rewritten) {
            refused_.add();
            co_return x.fail(rewritten.error());
        }
    }
    if (request_headers_.empty() && response_headers_.empty()) {
        co_await next(x);
        co_return;
    }
    const request_headers_hold client(x);
    if (!request_headers_.empty()) {
        header_list& headers = x.request_to_change().headers;
        // First: a client that names a field in Connection must not have it taken away once we have set it.
        http::remove_nominated(headers);
        request_headers_.apply(x, client.before(), headers);
    }
    if (response_headers_.empty()) {
        co_await next(x);
    } else {
        header_sink sink(response_headers_, x, client.before());
        co_await next(x);
    }
}

awaitable<result<void>> rewrite_stage::rewrite_body(exchange& x) const {
    const request_head& head = x.request();
    if (is_form(head.headers)) {
        if (is_upload(head)) co_return result<void>{};
        auto form = co_await x.collect_body();
        if (!form) co_return form.error();
        // JSON that calls itself a form would pass the rules, and a lenient upstream would read it.
        const auto parts = http::parse_multipart(*form, *head.headers.find("content-type"));
        if (!parts) co_return parts.error();
        co_return result<void>{};
    }
    auto body = co_await x.json();
    if (body) co_return change_body(x, **body);
    if (x.collected() && x.collected_body().empty()) co_return result<void>{};
    error e = body.error();
    if (e.kind == error_kind::bad_request) e.message = "The body must be JSON: " + e.message;
    co_return std::move(e);
}

result<void> rewrite_stage::change_body(exchange& x, const json_object& original) const {
    const auto plain = governed_.check(original);
    if (!plain) return plain.error();
    const std::size_t bytes_max = x.session().body_bytes_max();
    // Stages before this one may have changed fields already: what they made of the body is what is changed here.
    std::string edited;
    std::optional<json_object> current;
    if (!x.edits().empty()) {
        edited = x.edits().apply(x.collected_body());
        auto parsed = json_object::parse(edited);
        if (!parsed) return parsed.error();
        current = std::move(*parsed);
    }
    body_changes changes(current ? *current : original);
    const auto collected = collect_changes(x, bytes_max, changes);
    if (!collected) return collected.error();
    if (changes.empty()) return {};
    changes.write(original, x.edits());
    if (x.edits().size(x.collected_body()) > bytes_max) {
        return error{error_kind::payload_too_large, "The request is too large once it is rewritten."};
    }
    // Behind `route`, edits are what each attempt starts from; the body itself must stay.
    if (!x.target) x.replace_body(x.edits().apply(x.collected_body()));
    return {};
}

result<void> rewrite_stage::collect_changes(const exchange& x, std::size_t bytes_max, body_changes& changes) const {
    const auto filled = fill_template(templates_, bytes_max, changes);
    if (!filled) return filled.error();
    const auto applied = apply(config_.body, changes);
    if (!applied) return applied.error();
    return surround(prepend_, append_, x, changes);
}

}  // namespace sluice::rewrite
