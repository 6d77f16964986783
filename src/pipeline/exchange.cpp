#include <sluice/exchange.hpp>
#include <sluice/stage.hpp>

#include "base/glob.hpp"

#include <algorithm>
#include <utility>

namespace sluice {
namespace {

// Behind the last stage. The session answers for the route: none of its stages did.
awaitable<void> nothing_left(exchange&) {
    co_return;
}

}  // namespace

bool identity::may_use(std::string_view model) const {
    return models.empty() ||
           std::any_of(models.begin(), models.end(), [&](const std::string& g) { return glob_match(g, model); });
}

awaitable<void> next_stage::operator()(exchange& x) const {
    // Not a coroutine: the stage's own frame is the only one per hop.
    if (rest_.empty()) return nothing_left(x);
    return rest_.front()->serve(x, next_stage(rest_.subspan(1)));
}

awaitable<result<std::string_view>> exchange::collect_body() {
    if (!collected_) {
        auto text = co_await body_.collect(host_.body_bytes_max(), nullptr);
        if (!text) co_return text.error();
        text_ = *text;
        collected_ = true;
    }
    co_return text_;
}

std::optional<result<const json_object*>> exchange::json_now() {
    if (json_) return &*json_;
    // Nobody may unpack more than was sent: a coded body could be any size, and would be read by others only.
    const auto coding = head_.headers.find("content-encoding");
    if (coding && !coding->empty() && !iequals(*coding, "identity")) {
        return error{error_kind::unsupported_media_type, "A request body with a content coding is not taken.",
                     "content-encoding"};
    }
    if (!collected_) {
        const auto text = body_.collect_now(host_.body_bytes_max());
        if (!text) return std::nullopt;
        if (!*text) return text->error();
        text_ = **text;
        collected_ = true;
    }
    return keep(json_object::parse(text_));
}

result<const json_object*> exchange::keep(result<json_object> parsed) {
    if (!parsed) return parsed.error();
    json_ = std::move(*parsed);
    return &*json_;
}

awaitable<result<const json_object*>> exchange::json() {
    if (auto here = json_now()) co_return *here;
    json_reader reader;
    auto text = co_await body_.collect(host_.body_bytes_max(), &reader);
    if (!text) co_return text.error();
    text_ = *text;
    collected_ = true;
    co_return keep(reader.finish(text_));
}

void exchange::replace_body(std::string text) {
    replaced_ = std::move(text);
    text_ = replaced_;
    collected_ = true;
    json_.reset();
    edits_ = {};
}

void exchange::release_body() {
    json_.reset();
    edits_ = {};
    text_ = {};
    std::string().swap(replaced_);
    outgoing_body.reset();
    body_.release();
}

awaitable<void> exchange::respond(response_head head, std::string_view body) {
    head.body = framing::length;
    head.content_length = body.size();
    co_await reply_->head(head);
    if (!body.empty()) {
        const event whole{event::form::piece, body, body, {}};
        co_await reply_->write(whole);
    }
    co_await reply_->end();
}

awaitable<void> exchange::respond_json(int code, std::string_view body) {
    response_head head;
    head.status = code;
    head.headers.add("Content-Type", "application/json");
    co_await respond(std::move(head), body);
}

void exchange::abort(abort_reason why) {
    if (aborted_ != abort_reason::none) return;
    aborted_ = why;
    host_.cancel(*this);
}

void exchange::host::begin(exchange& x, std::string request_id, std::string_view remote_address,
                           std::string_view route_name, std::chrono::steady_clock::time_point started) {
    x.request_id_ = std::move(request_id);
    x.remote_address_ = remote_address;
    x.route_name_ = route_name;
    x.started_ = started;
}

awaitable<void> exchange::host::flush() {
    co_return;
}

awaitable<result<void>> exchange::host::tunnel(upstream_connection&, response_head&) {
    co_return error{error_kind::not_implemented, "This connection cannot be upgraded."};
}

sink_scope::sink_scope(exchange& x, reply_sink& sink, needs n) : x_(x), outer_(x.reply_), needs_(n) {
    x_.reply_ = &sink;
    if (needs_ == needs::events) ++x_.wants_events_;
}

sink_scope::~sink_scope() {
    x_.reply_ = outer_;
    if (needs_ == needs::events) --x_.wants_events_;
}

observer_scope::observer_scope(exchange& x, observer& o, sink_scope::needs n) : x_(x), needs_(n) {
    x_.observers_.push_back(&o);
    if (needs_ == sink_scope::needs::events) ++x_.wants_events_;
}

observer_scope::~observer_scope() {
    x_.observers_.pop_back();  // scopes nest: the last one in is ours
    if (needs_ == sink_scope::needs::events) --x_.wants_events_;
}

}  // namespace sluice
