#include "routing/ext_proc/processor_client.hpp"

#include <algorithm>

namespace sluice::ext_proc {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view method = "/envoy.service.ext_proc.v3.ExternalProcessor/Process";
constexpr std::size_t body_piece_bytes = 60'000;  // as Envoy and the reference picker cut bodies
constexpr std::string_view ping_comment = ": ping\n\n";

}  // namespace

processor_client::processor_client(const session_config& config, processor_session::endpoint_check known,
                                   net::grpc_channel& channel, const clock& time)
    : config_(config), session_(config, std::move(known)), channel_(channel), time_(time) {}

bool processor_client::perform(session_action& a) {
    if (auto* const m = std::get_if<send_message>(&a)) {
        if (call_) call_->send(m->bytes, false);
        return true;
    }
    if (std::holds_alternative<end_stream>(a)) {
        if (call_) call_->finish();
        call_.reset();
        return true;
    }
    return false;
}

awaitable<std::optional<session_action>> processor_client::next(milliseconds patience) {
    const auto until = now() + patience;
    for (;;) {
        while (auto a = session_.next()) {
            if (!perform(*a)) co_return std::move(a);
        }
        const auto at = now();
        if (call_ == nullptr) co_return std::nullopt;
        const auto due = session_.deadline();
        const auto wait = std::chrono::ceil<milliseconds>((due ? std::min(*due, until) : until) - at);
        net::grpc_event e = co_await call_->next(std::max(wait, milliseconds(0)));
        switch (e.what) {
            case net::grpc_event::kind::message:
                session_.on_message(e.message, now());
                break;
            case net::grpc_event::kind::ended:
                call_.reset();
                session_.on_closed(e.status.code, now());
                break;
            case net::grpc_event::kind::timeout:
                session_.on_deadline(now());
                if (now() < until) break;
                while (auto a = session_.next()) {
                    if (!perform(*a)) co_return std::move(a);
                }
                co_return std::nullopt;
            case net::grpc_event::kind::writable:
                break;
        }
    }
}

awaitable<processor_client::verdict> processor_client::ask(message_head head, std::string_view body,
                                                           std::vector<std::string> subset) {
    call_ = channel_.call(method, {});
    session_.on_request(std::move(head), body.empty(), std::move(subset), now());
    while (!body.empty()) {
        const std::size_t n = std::min(body.size(), body_piece_bytes);
        session_.on_request_body(body.substr(0, n), n == body.size(), now());
        body.remove_prefix(n);
    }
    for (;;) {
        // The deadlines are the session's; this one is for a processor that owes nothing and says nothing.
        auto a = co_await next(std::max(config_.first_response, config_.message_timeout) + milliseconds(1000));
        if (!a) {
            session_.on_closed(net::grpc_deadline, now());
            a = co_await next(milliseconds(0));
        }
        if (!a) co_return verdict(immediate_reply{503, {}, {}, "The processor said nothing."});
        if (auto* const go = std::get_if<dispatch>(&*a)) co_return verdict(std::move(*go));
        if (auto* const reply = std::get_if<immediate_reply>(&*a)) co_return verdict(std::move(*reply));
    }
}

void fail_with(exchange& x, const immediate_reply& reply) {
    auto told = std::make_shared<upstream_failure>();
    told->status = reply.status;
    told->body = reply.body;
    told->content_type = reply.headers.find("content-type").value_or(reply.body.empty() ? "" : "text/plain");
    error e{error_kind::upstream_status,
            reply.details.empty() ? "The request was refused by its processor." : reply.details};
    e.upstream = std::move(told);
    for (const auto f : reply.headers) {
        if (!iequals(f.name, "content-type")) x.failure_headers.set(f.name, f.value);
    }
    x.fail(std::move(e));
}

// --- the reply ----------------------------------------------------------------------------------------------

processor_sink::processor_sink(processor_client& client, exchange& x, reply_sink& next, std::string served)
    : client_(client), x_(x), next_(next), served_(std::move(served)) {}

awaitable<void> processor_sink::head(response_head& h) {
    head_ = h;
    streams_ = h.has_content_type("text/event-stream");
    message_head seen;
    seen.status = h.status;
    seen.headers = h.headers;
    client_.session().on_response(std::move(seen), false, served_, std::chrono::steady_clock::now());
    const bool at_once = client_.config().response_body != body_mode::buffered;
    while (!head_passed_ && !over()) {
        auto a = co_await client_.next(at_once ? deadline_patience : milliseconds(0));
        if (!a) break;
        co_await handle(*a);
    }
}

awaitable<void> processor_sink::handle(session_action& a) {
    if (auto* const h = std::get_if<respond_headers>(&a)) {
        head_passed_ = true;
        head_.headers = std::move(h->head.headers);
        // Its length is no longer the upstream's.
        if (client_.config().response_body != body_mode::none && head_.body != framing::none)
            head_.body = framing::chunked;
        co_await next_.head(head_);
        over_ = over_ || h->last;
    } else if (auto* const body = std::get_if<respond_body>(&a)) {
        if (!body->bytes.empty()) co_await pass(body->bytes);
        over_ = over_ || body->last;
    } else if (const auto* const reply = std::get_if<immediate_reply>(&a)) {
        denied_ = true;
        fail_with(x_, *reply);
    } else if (const auto* const broken = std::get_if<abort_reply>(&a)) {
        x_.fail(broken->why);
    }
}

// Those who asked for whole events get them.
awaitable<void> processor_sink::pass(std::string_view bytes) {
    if (!streams_ || !x_.wants_events()) {
        const event piece{event::form::piece, bytes, bytes, {}};
        co_await next_.write(piece);
        co_return;
    }
    events_.feed(bytes);
    http::sse_event found;
    while (events_.next(found)) {
        const event e{event::form::sse, found.raw, found.data, found.name};
        co_await next_.write(e);
    }
    if (events_.too_large()) x_.fail(error{error_kind::upstream_event_too_large, "An event is too large."});
}

awaitable<void> processor_sink::write(const event& e) {
    if (over()) co_return;
    if (e.raw == ping_comment) {
        if (head_passed_) co_await next_.write(e);
        co_return;
    }
    client_.session().on_response_body(e.raw, false, std::chrono::steady_clock::now());
    bool answered = false;
    while (!over()) {
        const bool full = !client_.session().wants_response_body();
        const auto patience = full ? deadline_patience : streams_ && !answered ? answer_patience : milliseconds(0);
        auto a = co_await client_.next(patience);
        if (!a) break;
        answered = true;
        co_await handle(*a);
    }
}

awaitable<void> processor_sink::end() {
    if (!over()) client_.session().on_response_body({}, true, std::chrono::steady_clock::now());
    while (!over()) {
        auto a = co_await client_.next(deadline_patience);
        if (!a) break;
        co_await handle(*a);
    }
    if (x_.failure()) co_return;
    if (!over_) {
        x_.fail(error{error_kind::upstream_reset, "The reply's processor did not end it."});
        co_return;
    }
    if (streams_ && x_.wants_events() && !events_.rest().empty()) {
        const event rest{event::form::piece, events_.rest(), events_.rest(), {}};
        co_await next_.write(rest);
    }
    co_await next_.end();
}

}  // namespace sluice::ext_proc
