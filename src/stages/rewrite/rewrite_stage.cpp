#include "stages/rewrite/rewrite_stage.hpp"

#include "base/ascii.hpp"

namespace sluice::rewrite {
namespace {

// A body that says it is something else is none of ours: an upload, a form.
bool may_be_json(const request_head& head) {
    if (head.method != "POST" || head.body == framing::none) return false;
    if (head.body == framing::length && head.content_length == 0) return false;
    const std::string_view value = head.headers.find("content-type").value_or(std::string_view{});
    const std::string_view type = ascii::trim(value.substr(0, value.find(';')));
    return type.empty() || iequals(type, "application/json") || type.ends_with("+json");
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
      request_headers_(config.request_headers),
      response_headers_(config.response_headers),
      refused_(s.metrics().get_counter(
          "sluice_rewrite_refused_total",
          "Requests that could not be rewritten: no JSON, no such template, a variable missing.")) {
    compile(config.messages.prepend, prepend_);
    compile(config.messages.append, append_);
    for (const prompt_template_config& t : config.templates) templates_.emplace_back(t);
}

awaitable<void> rewrite_stage::serve(exchange& x, next_stage next) {
    if (config_.touches_body() && may_be_json(x.request())) {
        auto body = co_await x.json();
        const auto changed = body ? change_body(x, **body) : result<void>(body.error());
        if (!changed) {
            refused_.add();
            co_return x.fail(changed.error());
        }
    }
    request_headers_.apply(x, x.request_to_change().headers);
    if (response_headers_.empty()) {
        co_await next(x);
    } else {
        header_sink sink(response_headers_, x);
        co_await next(x);
    }
}

result<void> rewrite_stage::change_body(exchange& x, const json_object& body) const {
    // "max_\u0074okens" is max_tokens to the upstream: no rule may be passed by that way.
    for (const json_member& m : body.members()) {
        if (!m.key_escaped) continue;
        return error{error_kind::bad_request, "Field names must be written without escapes.", std::string(m.key)};
    }
    const std::size_t bytes_max = x.session().body_bytes_max();
    body_changes changes(body);
    const auto filled = fill_template(templates_, body, bytes_max, changes);
    if (!filled) return filled.error();
    apply(config_.body, changes);
    surround(prepend_, append_, x, changes);
    changes.write(x.edits());
    if (x.edits().empty()) return {};
    if (x.edits().size(x.collected_body()) > bytes_max) {
        return error{error_kind::payload_too_large, "The request is too large once it is rewritten."};
    }
    // Behind `route`, edits are what each attempt starts from; the body itself must stay.
    if (!x.target) x.replace_body(x.edits().apply(x.collected_body()));
    return {};
}

}  // namespace sluice::rewrite
