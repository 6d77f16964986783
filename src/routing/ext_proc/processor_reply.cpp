// The reply's side of the session, and its failures.
#include "routing/ext_proc/processor_session.hpp"
#include "routing/ext_proc/request_messages.hpp"

#include <external_processor.pb.h>

#include <utility>

namespace sluice::ext_proc {
namespace {

constexpr std::size_t details_max = 256;

}  // namespace

void processor_session::on_response(message_head head, bool last, std::string served, time_point now) {
    if (at_ != progress::dispatched) return;
    at_ = progress::responding;
    response_head_ = std::move(head);
    response_last_ = last;
    if (!alone_ && shows_response_head_) {
        response_phase_ = head_phase::sent;
        const message_context context{config_, first_message()};
        actions_.push_back(send_message{response_headers_message(response_head_, last, served, context)});
    } else {
        response_phase_ = head_phase::answered;
        // A body that is judged as a whole may still change the head.
        if (alone_ || last || response_.mode() != body_mode::buffered) pass_head();
    }
    arm(now);
    end_if_done();
}

void processor_session::on_response_body(std::string_view bytes, bool last, time_point now) {
    if (at_ != progress::responding) return;
    if (alone_) return pass_body(std::string{bytes}, last);
    auto taken = response_.offer(bytes, last);
    if (!taken) return response_too_large(taken.error(), bytes, last);
    send_response_body();
    arm(now);
    end_if_done();
}

void processor_session::response_too_large(const error& why, std::string_view bytes, bool last) {
    failed_ = failure::too_large;
    auto rest = config_.on_failure == failure_mode::open ? response_.undo() : std::nullopt;
    leave();
    if (rest) {
        if (!head_passed_) pass_head();
        return pass_body(std::move(rest->bytes.append(bytes)), last);
    }
    at_ = progress::over;
    if (!head_passed_) {
        actions_.push_back(immediate_reply{config_.must_pick ? 502 : 500, {}, {}, why.message});
    } else {
        actions_.push_back(abort_reply{why});
    }
}

void processor_session::send_response_body() {
    const body_mode mode = response_.mode();
    if (response_phase_ != head_phase::answered && mode != body_mode::full_duplex) return;
    while (auto piece = response_.to_send()) {
        if (mode != body_mode::none) {
            const message_context context{config_, first_message()};
            actions_.push_back(send_message{response_body_message(piece->bytes, piece->last, context)});
        }
        if (response_.passes()) pass_body(std::move(piece->bytes), piece->last);
    }
}

void processor_session::answer_response_headers(const wire::HeadersResponse& m, const wire::ProcessingResponse& whole) {
    if (at_ != progress::responding || response_phase_ != head_phase::sent) {
        return fail(failure::protocol, "The processor answered response headers out of order.");
    }
    if (!mutate(m.response(), direction::response, response_head_)) return;
    response_phase_ = head_phase::answered;
    if (m.response().status() == wire::CommonResponse::CONTINUE_AND_REPLACE) return replace_response(m.response());
    if (config_.allow_mode_override && whole.has_mode_override()) override_modes(whole.mode_override());
    if (response_last_ || response_.mode() != body_mode::buffered) pass_head();
    if (!response_last_) send_response_body();
}

// The processor's body in the place of the upstream's, of which no more is needed.
void processor_session::replace_response(const wire::CommonResponse& m) {
    at_ = progress::over;
    head_passed_ = true;
    leave();
    actions_.push_back(respond_headers{response_head_});
    actions_.push_back(respond_body{m.body_mutation().body(), true});
}

void processor_session::answer_response_body(const wire::BodyResponse& m) {
    if (at_ != progress::responding || response_phase_ != head_phase::answered) {
        return fail(failure::protocol, "The processor answered the reply's body before its headers.");
    }
    auto answer = response_.answered(m.response());
    if (!answer) return fail(failure::protocol, answer.error().message);
    if (!head_passed_) {
        if (!mutate(m.response(), direction::response, response_head_)) return;
        pass_head();
    }
    if (answer->bytes.empty() && !answer->last) {
        ++idle_messages_;
        return;
    }
    pass_body(std::move(answer->bytes), answer->last);
}

void processor_session::reply_at_once(const wire::ImmediateResponse& m) {
    if (m.body().size() > config_.limits.reply_bytes_max) {
        return fail(failure::too_large, "The processor's reply is larger than allowed.");
    }
    message_head head;
    auto outcome = apply_mutation(m.headers(), direction::response, config_, head);
    if (!outcome) return fail(failure::too_large, outcome.error().message);
    refused_headers_ += outcome->refused;
    const int code = m.status().code();
    const bool late = head_passed_;
    at_ = progress::over;
    leave();
    if (late) {
        actions_.push_back(abort_reply{error{error_kind::upstream_reset, "The reply was withdrawn by its processor."}});
        return;
    }
    actions_.push_back(immediate_reply{code >= 200 && code <= 599 ? code : 500, std::move(head.headers), m.body(),
                                       m.details().substr(0, details_max)});
}

void processor_session::pass_head() {
    head_passed_ = true;
    actions_.push_back(respond_headers{response_head_, response_last_, response_.mode() == body_mode::none});
}

void processor_session::pass_body(std::string bytes, bool last) {
    if (bytes.empty() && !last) return;
    actions_.push_back(respond_body{std::move(bytes), last});
}

void processor_session::pass_rest_untouched() {
    if (response_last_) {
        leave();
        if (!head_passed_) pass_head();
        return;
    }
    const bool done = response_.complete();
    auto rest = response_.undo();
    leave();
    if (!rest) {
        at_ = progress::over;
        actions_.push_back(abort_reply{error{error_kind::upstream_reset, "The reply's processor left in its middle."}});
        return;
    }
    if (!head_passed_) pass_head();
    if (!done) pass_body(std::move(rest->bytes), rest->last);
}

void processor_session::end_if_done() {
    if (alone_ || at_ != progress::responding || response_phase_ != head_phase::answered) return;
    if (response_last_ || response_.mode() == body_mode::none || response_.complete()) leave();
}

int processor_session::failure_status() const {
    if (config_.must_pick) return 503;
    return failed_ == failure::timeout ? 504 : 500;
}

void processor_session::fail(failure why, std::string text) {
    if (alone_ || at_ == progress::over) return;
    failed_ = why;
    const bool open = config_.on_failure == failure_mode::open;
    if (open && at_ == progress::responding) return pass_rest_untouched();
    leave();
    if (open && at_ == progress::request) return go_native();
    if (open) return;  // dispatched: the reply will pass as it comes
    at_ = progress::over;
    if (head_passed_) {
        actions_.push_back(abort_reply{error{error_kind::upstream_protocol, std::move(text)}});
        return;
    }
    immediate_reply unavailable{failure_status(), {}, {}, std::move(text)};
    if (config_.must_pick) unavailable.headers.set("retry-after", std::to_string(config_.retry_after.count()));
    actions_.push_back(std::move(unavailable));
}

}  // namespace sluice::ext_proc
