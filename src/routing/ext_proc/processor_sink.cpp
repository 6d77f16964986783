// The reply's way through a processor.
#include "routing/ext_proc/processor_client.hpp"

#include <utility>

namespace sluice::ext_proc {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view ping_comment = ": ping\n\n";

// Nothing stands behind such a head.
bool has_no_body(const response_head& h) {
    return h.body == framing::none || (h.body == framing::length && h.content_length == 0);
}

}  // namespace

awaitable<void> send_reply(reply_sink& to, const immediate_reply& reply, std::string_view method) {
    response_head own;
    own.status = reply.status;
    own.headers = reply.headers;
    const bool bare = method == "HEAD" || reply.status == 204 || reply.status == 304;
    own.body = bare ? framing::none : framing::length;
    own.content_length = bare ? 0 : reply.body.size();
    co_await to.head(own);
    if (own.content_length > 0) {
        const event whole{event::form::piece, reply.body, reply.body, {}};
        co_await to.write(whole);
    }
    co_await to.end();
}

processor_sink::processor_sink(processor_client& client, exchange& x, reply_sink& next, std::string served, denial how,
                               memory_hold* held)
    : client_(client), x_(x), next_(next), served_(std::move(served)), how_(how), held_(held) {}

awaitable<void> processor_sink::head(response_head& h) {
    if (std::exchange(begun_, true)) {
        co_return x_.fail(error{error_kind::internal, "The reply broke off when its processor had begun to see it."});
    }
    head_ = h;
    streams_ = h.has_content_type("text/event-stream");
    message_head seen;
    seen.status = h.status;
    seen.headers = h.headers;
    processor_session& session = client_.session();
    session.on_response(std::move(seen), has_no_body(h), served_, std::chrono::steady_clock::now());
    // A body that is judged as a whole comes meanwhile, unless the processor may still say that it is not.
    const bool at_once = session.response_mode() != body_mode::buffered || client_.config().allow_mode_override;
    while (!head_passed_ && !over()) {
        const bool waits =
            at_once && (session.awaits_response_head() || session.response_mode() != body_mode::buffered);
        auto a = co_await client_.next(waits ? deadline_patience : milliseconds(0));
        if (!a) break;
        co_await handle(*a);
    }
    // Replaced at its head: what follows of the upstream's is of no use.
    while (!client_.follows_reply() && !over()) {
        auto a = co_await client_.next(milliseconds(0));
        if (!a) break;
        co_await handle(*a);
    }
    if (over_ && !has_no_body(h)) co_await cut_short();
}

awaitable<void> processor_sink::handle(session_action& a) {
    if (auto* const h = std::get_if<respond_headers>(&a)) {
        head_passed_ = true;
        head_.status = h->head.status;
        head_.headers = std::move(h->head.headers);
        // Its length is no longer the upstream's. Where there can be none (HEAD, 204), there is none.
        if (!h->same_body && !h->last && head_.body != framing::none) head_.body = framing::chunked;
        co_await next_.head(head_);
        over_ = over_ || h->last;
    } else if (auto* const body = std::get_if<respond_body>(&a)) {
        if (!body->bytes.empty() && head_.body != framing::none) co_await pass(body->bytes);
        over_ = over_ || body->last;
    } else if (const auto* const reply = std::get_if<immediate_reply>(&a)) {
        denied_ = true;
        co_await deny(*reply);
    } else if (const auto* const broken = std::get_if<abort_reply>(&a)) {
        failed_ = true;
        x_.fail(how_ == denial::fail ? broken->why : error{error_kind::internal, broken->why.message});
    }
}

awaitable<void> processor_sink::deny(const immediate_reply& reply) {
    if (how_ == denial::fail) {
        fail_with(x_, reply);
        co_return;
    }
    failed_ = client_.session().failed() != failure::none;
    if (!failed_) {
        co_await send_reply(next_, reply, x_.request().method);
        answered_ = true;
    }
    x_.fail(error{error_kind::internal, reply.details});
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
    processor_session& session = client_.session();
    session.on_response_body(e.raw, false, std::chrono::steady_clock::now());
    if (held_ != nullptr && !held_->reach(session.held_response_bytes())) {
        co_return x_.fail(error{error_kind::overloaded, "The gateway is out of buffers."});
    }
    bool answered = false;
    while (!over()) {
        const bool full = !session.wants_response_body();
        const auto patience = full ? deadline_patience : streams_ && !answered ? answer_patience : milliseconds(0);
        auto a = co_await client_.next(patience);
        if (!a) break;
        answered = true;
        co_await handle(*a);
    }
    if (over_) co_await cut_short();
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
    co_await finish();
}

awaitable<void> processor_sink::finish() {
    if (streams_ && x_.wants_events() && !events_.rest().empty()) {
        const event rest{event::form::piece, events_.rest(), events_.rest(), {}};
        co_await next_.write(rest);
    }
    co_await next_.end();
}

// The processor ended the body before the upstream did, which need not go on.
awaitable<void> processor_sink::cut_short() {
    if (how_ == denial::fail || x_.failure()) co_return;
    co_await finish();
    answered_ = true;
    x_.fail(error{error_kind::internal, "The reply was replaced by its processor."});
}

}  // namespace sluice::ext_proc
