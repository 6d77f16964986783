#include "routing/ext_proc/processor_client.hpp"

#include <algorithm>

namespace sluice::ext_proc {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t body_piece_bytes = 60'000;  // as Envoy and the reference picker cut bodies

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
                                                           std::vector<std::string> subset, unseen_body more) {
    call_ = channel_.call(process_method, {});
    const bool last = body.empty() && more == unseen_body::no;
    session_.on_request(std::move(head), last, std::move(subset), now());
    while (!body.empty()) {
        const std::size_t n = std::min(body.size(), body_piece_bytes);
        session_.on_request_body(body.substr(0, n), n == body.size(), now());
        body.remove_prefix(n);
    }
    for (;;) {
        // The deadlines are the session's; this one is for a processor that owes nothing and says nothing.
        const auto longest = std::max({config_.first_response, config_.message_timeout, config_.message_timeout_max});
        auto a = co_await next(longest + milliseconds(1000));
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

}  // namespace sluice::ext_proc
