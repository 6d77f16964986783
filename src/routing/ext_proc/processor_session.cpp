#include "routing/ext_proc/processor_session.hpp"

#include "routing/ext_proc/endpoint_list.hpp"
#include "routing/ext_proc/picker_headers.hpp"
#include "routing/ext_proc/request_messages.hpp"

#include <external_processor.pb.h>

#include <utility>

namespace sluice::ext_proc {

std::string_view name_of(failure f) {
    switch (f) {
        case failure::none:
            return "none";
        case failure::timeout:
            return "timeout";
        case failure::grpc_status:
            return "grpc_status";
        case failure::protocol:
            return "protocol";
        case failure::too_large:
            return "too_large";
        case failure::no_endpoint:
            return "no_endpoint";
        case failure::unknown_endpoint:
            return "unknown_endpoint";
    }
    return "none";
}

processor_session::processor_session(const session_config& config, endpoint_check known)
    : config_(config),
      known_(std::move(known)),
      shows_response_head_(config.response_headers),
      request_(config.request_body, config.limits, body_exchange::keep::nothing),
      response_(config.response_body, config.limits, body_exchange::keep::originals) {}

std::optional<session_action> processor_session::next() {
    if (actions_.empty()) return std::nullopt;
    session_action first = std::move(actions_.front());
    actions_.pop_front();
    return first;
}

// --- the request -------------------------------------------------------------------------------------------

void processor_session::on_request(message_head head, bool last, std::vector<std::string> subset, time_point now) {
    original_head_ = head;
    request_head_ = std::move(head);
    subset_ = std::move(subset);
    request_has_body_ = !last;
    if (config_.request_headers) {
        request_phase_ = head_phase::sent;
        actions_.push_back(
            send_message{request_headers_message(request_head_, last, {config_, first_message(), subset_})});
    } else {
        request_phase_ = head_phase::answered;
        if (!request_has_body_ || request_.mode() == body_mode::none) dispatch_request();
    }
    arm(now);
}

void processor_session::on_request_body(std::string_view bytes, bool last, time_point now) {
    const bool asks = at_ == progress::request || request_.mode() == body_mode::full_duplex;
    if (alone_ || !asks || at_ == progress::over || request_.offered_all()) return;
    // Without a body mode yet (the processor may still override it) nothing is kept: there is no need for it.
    if (request_.mode() == body_mode::none && !config_.allow_mode_override) return;
    auto taken = request_.offer(bytes, last);
    if (!taken) return refuse_body();
    send_request_body();
    arm(now);
}

// The client's body is larger than processors are given: that is no failure of theirs.
void processor_session::refuse_body() {
    leave();
    if (config_.on_failure == failure_mode::open) return go_native();
    at_ = progress::over;
    actions_.push_back(immediate_reply{413, {}, {}, "The request is larger than its processor is given."});
}

void processor_session::send_request_body() {
    if (request_.mode() == body_mode::none) return;
    if (request_phase_ != head_phase::answered && request_.mode() != body_mode::full_duplex) return;
    while (auto piece = request_.to_send()) {
        const message_context context{config_, first_message(), subset_};
        actions_.push_back(send_message{request_body_message(piece->bytes, piece->last, context)});
    }
}

void processor_session::answer_request_headers(const wire::HeadersResponse& m, const wire::ProcessingResponse& whole) {
    if (at_ != progress::request || request_phase_ != head_phase::sent) {
        return fail(failure::protocol, "The processor answered request headers out of order.");
    }
    if (!mutate(m.response(), direction::request, request_head_)) return;
    request_phase_ = head_phase::answered;
    if (config_.allow_mode_override && whole.has_mode_override()) override_modes(whole.mode_override());
    if (m.response().status() == wire::CommonResponse::CONTINUE_AND_REPLACE) {
        if (m.response().body_mutation().body().size() > config_.limits.body_bytes_max) {
            return fail(failure::too_large, "The processor made the body larger than allowed.");
        }
        new_body_ = m.response().body_mutation().body();
        body_replaced_ = true;
        return dispatch_request();
    }
    if (!request_has_body_ || request_.mode() == body_mode::none) return dispatch_request();
    send_request_body();
}

void processor_session::override_modes(const wire::ProcessingMode& mode) {
    const auto chosen = [](wire::BodySendMode m) {
        switch (m) {
            case wire::BODY_STREAMED:
                return body_mode::streamed;
            case wire::BODY_BUFFERED:
                return body_mode::buffered;
            default:
                return body_mode::none;
        }
    };
    // Full duplex is agreed in the first message or not at all.
    const auto fixed = [](wire::BodySendMode m) { return m > wire::BODY_BUFFERED; };
    if (fixed(mode.request_body_mode()) || fixed(mode.response_body_mode())) return;
    if (at_ == progress::request && request_.mode() != body_mode::full_duplex) {
        request_.change_mode(chosen(mode.request_body_mode()));
    }
    if (response_.mode() == body_mode::full_duplex) return;
    response_.change_mode(chosen(mode.response_body_mode()));
    shows_response_head_ = mode.response_header_mode() != wire::ProcessingMode::HEADER_SKIP;
}

void processor_session::answer_request_body(const wire::BodyResponse& m) {
    const auto& streamed = m.response().body_mutation().streamed_response();
    if (at_ != progress::request) {
        if (streamed.body().empty() && m.response().body_mutation().body().empty()) {
            ++idle_messages_;
            return;
        }
        return fail(failure::protocol, "The processor sent a request body behind its end.");
    }
    if (request_phase_ != head_phase::answered) {
        return fail(failure::protocol, "The processor answered the body before the headers.");
    }
    auto answer = request_.answered(m.response());
    if (!answer) return fail(failure::protocol, answer.error().message);
    if (!mutate(m.response(), direction::request, request_head_)) return;
    const bool duplex = request_.mode() == body_mode::full_duplex;
    if (duplex && answer->as_it_came) return dispatch_request();
    if (answer->bytes.empty() && !answer->last) ++idle_messages_;
    new_body_ += answer->bytes;
    body_replaced_ = body_replaced_ || !answer->as_it_came;
    if (answer->last) dispatch_request();
}

bool processor_session::mutate(const wire::CommonResponse& m, direction way, message_head& head) {
    if (!m.has_header_mutation()) return true;
    auto outcome = apply_mutation(m.header_mutation(), way, config_, head);
    if (!outcome) {
        fail(failure::too_large, outcome.error().message);
        return false;
    }
    refused_headers_ += outcome->refused;
    if (outcome->destination) picked_by_header_ = std::move(outcome->destination);
    return true;
}

bool processor_session::take_pick(const wire::Struct& metadata) {
    if (config_.destinations == destination_mode::ignored) return true;
    const auto lb = metadata.fields().find(std::string{lb_namespace});
    if (lb == metadata.fields().end() || !lb->second.has_struct_value()) return true;
    const auto& fields = lb->second.struct_value().fields();
    const auto pick = fields.find(std::string{destination_name});
    if (pick == fields.end()) return true;
    if (pick->second.kind_case() != wire::Value::kStringValue) {
        fail(failure::protocol, "The processor's pick is no text.");
        return false;
    }
    picked_by_metadata_ = pick->second.string_value();
    return true;
}

bool processor_session::choose_endpoints() {
    if (config_.destinations == destination_mode::ignored) return true;
    if (!picked_by_metadata_ && !picked_by_header_) {
        if (config_.must_pick) fail(failure::no_endpoint, "The processor picked no endpoint.");
        return !config_.must_pick;
    }
    const std::size_t most = config_.limits.endpoints_max;
    auto picked = parse_endpoint_list(picked_by_metadata_ ? *picked_by_metadata_ : *picked_by_header_, most);
    if (picked && picked_by_metadata_ && picked_by_header_) {
        const auto other = parse_endpoint_list(*picked_by_header_, most);
        if (!other || *other != *picked) picked = error{error_kind::upstream_protocol, "The processor's picks differ."};
    }
    if (!picked) {
        fail(failure::protocol, picked.error().message);
        return false;
    }
    endpoints_ = std::move(*picked);
    if (config_.destinations == destination_mode::validated) {
        unknown_endpoints_ += std::erase_if(endpoints_, [&](const std::string& e) { return !known_(e); });
    }
    if (endpoints_.empty()) fail(failure::unknown_endpoint, "The processor picked no endpoint of the pool.");
    return !endpoints_.empty();
}

void processor_session::dispatch_request() {
    if (!choose_endpoints()) return;
    at_ = progress::dispatched;
    dispatch go{false, endpoints_, std::move(request_head_), std::nullopt};
    if (body_replaced_) go.body = std::move(new_body_);
    actions_.push_back(std::move(go));
    if (!shows_response_head_ && response_.mode() == body_mode::none) leave();
}

void processor_session::go_native() {
    at_ = progress::dispatched;
    actions_.push_back(dispatch{true, {}, std::move(original_head_), std::nullopt});
}

// --- the processor -----------------------------------------------------------------------------------------

void processor_session::on_message(std::string_view bytes, time_point now) {
    if (alone_ || at_ == progress::over) return;
    if (bytes.size() > config_.limits.message_bytes_max) {
        return fail(failure::too_large, "The processor's message is larger than allowed.");
    }
    wire::ProcessingResponse m;
    if (!m.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
        return fail(failure::protocol, "The processor's message cannot be read.");
    }
    const std::size_t idle_before = idle_messages_;
    read_message(m, now);
    if (alone_) return;
    if (idle_messages_ > config_.limits.idle_messages_max) {
        return fail(failure::protocol, "The processor sends messages that say nothing.");
    }
    // Only progress earns more time.
    if (idle_messages_ == idle_before) deadline_.reset();
    arm(now);
    end_if_done();
}

void processor_session::read_message(const wire::ProcessingResponse& m, time_point now) {
    if (at_ == progress::request && m.has_dynamic_metadata() && !take_pick(m.dynamic_metadata())) return;
    switch (m.response_case()) {
        case wire::ProcessingResponse::kRequestHeaders:
            return answer_request_headers(m.request_headers(), m);
        case wire::ProcessingResponse::kRequestBody:
            return answer_request_body(m.request_body());
        case wire::ProcessingResponse::kResponseHeaders:
            return answer_response_headers(m.response_headers(), m);
        case wire::ProcessingResponse::kResponseBody:
            return answer_response_body(m.response_body());
        case wire::ProcessingResponse::kImmediateResponse:
            return reply_at_once(m.immediate_response());
        case wire::ProcessingResponse::RESPONSE_NOT_SET:
            ++idle_messages_;
            return extend_deadline(m, now);
        default:
            return fail(failure::protocol, "The processor answered something that it was not asked.");
    }
}

void processor_session::extend_deadline(const wire::ProcessingResponse& m, time_point now) {
    if (!m.has_override_message_timeout() || !deadline_ || extended_) return;
    const auto& asked = m.override_message_timeout();
    const auto most = config_.message_timeout_max;
    // Seconds are compared first: what does not fit must not overflow.
    if (asked.seconds() < 0 || asked.seconds() > most.count() / 1000) return;
    const std::chrono::milliseconds span{asked.seconds() * 1000 + asked.nanos() / 1'000'000};
    if (span.count() < 1 || span > most) return;
    deadline_ = now + span;
    extended_ = true;
}

void processor_session::on_closed(int grpc_status, time_point now) {
    if (alone_ || at_ == progress::over) return;
    if (grpc_status != 0) return fail(failure::grpc_status, "The processor failed.");
    ended_ = true;  // by the processor
    deadline_.reset();
    if (at_ == progress::request) {
        if (body_replaced_) return fail(failure::protocol, "The processor left in the middle of a body.");
        if (!picked_by_header_ && !picked_by_metadata_ && config_.must_pick) {
            leave();
            return go_native();
        }
        dispatch_request();
    }
    if (alone_) return;  // failed
    if (at_ == progress::responding) return pass_rest_untouched();
    leave();
    arm(now);
}

void processor_session::on_deadline(time_point now) {
    if (deadline_ && now >= *deadline_) fail(failure::timeout, "The processor did not answer in time.");
}

bool processor_session::owes_answer() const {
    if (alone_) return false;
    if (at_ == progress::request) {
        const bool duplex = request_has_body_ && request_.mode() == body_mode::full_duplex;
        if (request_phase_ == head_phase::sent && !duplex) return true;
        return request_.awaits_answer();
    }
    if (at_ == progress::responding) return response_phase_ == head_phase::sent || response_.awaits_answer();
    return false;
}

void processor_session::arm(time_point now) {
    if (!owes_answer()) {
        deadline_.reset();
    } else if (!deadline_) {
        const bool first =
            at_ == progress::request && request_phase_ == head_phase::sent && request_.mode() == body_mode::full_duplex;
        deadline_ = now + (first ? config_.first_response : config_.message_timeout);
        extended_ = false;
    }
}

void processor_session::leave() {
    alone_ = true;
    deadline_.reset();
    if (!std::exchange(ended_, true)) actions_.push_back(end_stream{});
}

}  // namespace sluice::ext_proc
