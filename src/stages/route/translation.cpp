#include "stages/route/translation.hpp"

#include "http/path.hpp"

#include <chrono>

namespace sluice::route {
namespace {

// Parameters that the target's configuration sets, in the upstream's own terms.
result<void> set_parameters(std::string& body, const std::map<std::string, std::string>& parameters) {
    if (parameters.empty()) return {};
    const auto o = json_object::parse(body);
    if (!o) return o.error();
    json_edits edits;
    for (const auto& [key, raw] : parameters) edits.set(*o, key, raw);
    body = edits.apply(body);
    return {};
}

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) {
        if (!text.empty()) text += ", ";
        text += name;
    }
    return text;
}

chat::client_call call_of(const exchange& x, const routing::client_api& api) {
    chat::client_call call;
    call.model = x.model;
    call.stream = api.stream;
    call.request_id = x.request_id();
    call.json_array = api.stream && http::query_parameter(x.request().query(), "alt") != "sse";
    return call;
}

}  // namespace

// The client's request with what earlier stages changed.
result<const json_object*> translation::request() {
    const json_object* body = x_.parsed_json();
    if (x_.edits().empty() || edited_json_) return edited_json_ ? &*edited_json_ : body;
    edited_ = x_.edits().apply(body->text());
    auto parsed = json_object::parse(edited_);
    if (!parsed) return parsed.error();
    edited_json_ = std::move(*parsed);
    return &*edited_json_;
}

result<const chat::conversation*> translation::conversation() {
    if (conversation_) return &*conversation_;
    const auto text = request();
    if (!text) return text.error();
    chat::conversation& c = conversation_.emplace();
    auto read = api_.dialect->read_request(**text, call_of(x_, api_), c);
    if (!read) {
        conversation_.reset();
        return read.error();
    }
    if (api_.stream) c.stream = true;
    return &c;
}

result<void> translation::read_embedding(const json_object& body) {
    if (embedding_) return {};
    auto read = api_.dialect->embeddings()->read(body, call_of(x_, api_), embedding_.emplace());
    if (!read) embedding_.reset();
    return read;
}

// Appends the body and gives the path.
result<std::string> translation::write(const chat::target_facts& facts, chat::losses& lost, std::string& body) {
    if (api_.wants == routing::operation::chat) {
        const auto asked = conversation();
        if (!asked) return asked.error();
        auto written = upstream_->write_request(**asked, facts, lost, body);
        if (!written) return written.error();
        return upstream_->path(facts, (*asked)->stream);
    }
    const chat::embedding_upstream* const form = upstream_->embeddings();
    if (api_.wants != routing::operation::embed || form == nullptr) {
        return error{error_kind::bad_request,
                     "The target " + std::string(facts.model) + " has nothing that could serve this endpoint."};
    }
    const auto text = request();
    if (!text) return text.error();
    auto read = read_embedding(**text);
    if (!read) return read.error();
    auto written = form->write(*embedding_, facts, lost, body);
    if (!written) return written.error();
    return form->path(facts);
}

result<std::string> translation::aim(const routing::target& t, std::string_view model) {
    upstream_ = t.at->dialect;
    std::string label(model);
    label.append(" (").append(upstream_->name()).append(")");
    chat::losses lost(label, drop_);
    std::string& body = x_.outgoing_body.emplace();
    body.reserve(x_.collected_body().size() + 512);
    chat::target_facts facts{model};
    if (api_.dialect->maker() == "anthropic") facts.betas = x_.request().headers.find("anthropic-beta").value_or("");
    auto path = write(facts, lost, body);
    if (!path) return path.error();
    if (auto set = set_parameters(body, t.config.body); !set) return set.error();
    dropped_ = joined(lost.dropped());
    return path;
}

std::unique_ptr<translating_sink> translation::make_sink(reply_sink& next, services& s) {
    chat::client_call call = call_of(x_, api_);
    call.wants_usage = conversation_ && conversation_->stream_usage;
    call.stream = conversation_ && conversation_->stream;
    call.now =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    return std::make_unique<translating_sink>(x_, s, next, *api_.dialect, *upstream_, call,
                                              embedding_ ? &*embedding_ : nullptr, dropped_);
}

void translation::translate(error& e) const {
    if (e.upstream == nullptr || upstream_ == nullptr) return;
    auto said = std::make_shared<upstream_failure>();
    said->status = e.upstream->status;
    said->content_type = "application/json";
    const chat::error_facts facts = upstream_->read_error(e.upstream->status, e.upstream->body);
    api_.dialect->write_error(facts, said->body);
    if (e.retry_after.count() == 0) e.retry_after = facts.retry_after;
    e.upstream = std::move(said);
}

}  // namespace sluice::route
