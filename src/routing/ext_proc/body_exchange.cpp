#include "routing/ext_proc/body_exchange.hpp"

#include <external_processor.pb.h>

#include <cassert>
#include <utility>

namespace sluice::ext_proc {
namespace {

error wrong(const char* what) {
    return error{error_kind::upstream_protocol, what};
}

}  // namespace

void body_exchange::change_mode(body_mode mode) {
    mode_ = mode;
    if (mode != body_mode::buffered || unsent_.size() < 2) return;
    body_piece whole{{}, unsent_.back().last};
    for (const body_piece& p : unsent_) whole.bytes += p.bytes;
    unsent_.clear();
    unsent_.push_back(std::move(whole));
}

result<void> body_exchange::offer(std::string_view bytes, bool last) {
    assert(!offered_last_);
    offered_last_ = last;
    if (mode_ == body_mode::buffered) {
        if (unsent_bytes_ + bytes.size() > limits_.body_bytes_max) {
            return error{error_kind::payload_too_large, "The body is larger than a processor is given."};
        }
        if (unsent_.empty()) unsent_.emplace_back();
        unsent_.back().bytes.append(bytes);
        unsent_.back().last = last;
    } else {
        if (unsent_bytes_ + held_bytes_ + bytes.size() > limits_.body_bytes_max) {
            return error{error_kind::payload_too_large, "The body is larger than a processor is given."};
        }
        unsent_.push_back({std::string{bytes}, last});
    }
    unsent_bytes_ += bytes.size();
    return {};
}

std::optional<body_piece> body_exchange::to_send() {
    if (unsent_.empty() || (mode_ == body_mode::buffered && !offered_last_)) return std::nullopt;
    body_piece piece = std::move(unsent_.front());
    unsent_.pop_front();
    unsent_bytes_ -= piece.bytes.size();
    sent_last_ = piece.last;
    if (passes()) {
        answered_last_ = piece.last;
        return piece;
    }
    const bool duplex = mode_ == body_mode::full_duplex;
    if (duplex && (keep_ == keep::nothing || replaced_ || forgot_)) return piece;
    if (duplex && held_bytes_ + piece.bytes.size() > limits_.held_bytes_max) {
        held_.clear();
        held_bytes_ = 0;
        forgot_ = true;
        return piece;
    }
    held_bytes_ += piece.bytes.size();
    held_.push_back(piece);
    return piece;
}

std::string body_exchange::take_held() {
    std::string all;
    for (const body_piece& p : held_) all += p.bytes;
    held_.clear();
    held_bytes_ = 0;
    return all;
}

result<body_answer> body_exchange::answered(const wire::CommonResponse& response) {
    if (mode_ == body_mode::full_duplex) return answered_duplex(response);
    if (answered_last_ || held_.empty()) return wrong("The processor answered a body that it was not asked about.");
    const auto& mutation = response.body_mutation();
    if (mutation.has_streamed_response()) return wrong("The processor answered in a mode that was not agreed.");
    body_piece original = std::move(held_.front());
    held_.pop_front();
    held_bytes_ -= original.bytes.size();
    body_answer answer{{}, original.last, !response.has_body_mutation()};
    if (answer.as_it_came || mutation.mutation_case() == wire::BodyMutation::MUTATION_NOT_SET) {
        answer.as_it_came = true;
        answer.bytes = std::move(original.bytes);
    } else if (!mutation.clear_body()) {
        answer.bytes = mutation.body();
    }
    return finish(std::move(answer));
}

result<body_answer> body_exchange::answered_duplex(const wire::CommonResponse& response) {
    const auto& mutation = response.body_mutation();
    if (mutation.has_streamed_response()) {
        const auto& part = mutation.streamed_response();
        // Some processors end a body twice; the second end says nothing.
        if (answered_last_ && part.body().empty()) return body_answer{};
        if (answered_last_ || as_it_came_) return wrong("The processor sent more body behind its end.");
        replaced_ = true;
        take_held();
        return finish({part.body(), part.end_of_stream(), false});
    }
    if (mutation.mutation_case() != wire::BodyMutation::MUTATION_NOT_SET) {
        return wrong("The processor answered in a mode that was not agreed.");
    }
    if (answered_last_) return body_answer{};
    if (replaced_ || forgot_) return wrong("The processor let a body pass that it had begun to replace.");
    as_it_came_ = true;
    return finish({take_held(), sent_last_, true});
}

result<body_answer> body_exchange::finish(body_answer answer) {
    answered_bytes_ += answer.bytes.size();
    // What passes as it came is the sender's to bound, and what streams on is not held by anybody.
    if (!answer.as_it_came && keep_ == keep::nothing && answered_bytes_ > limits_.body_bytes_max) {
        return wrong("The processor made the body larger than allowed.");
    }
    answered_last_ = answer.last;
    return answer;
}

bool body_exchange::awaits_answer() const {
    if (answered_last_ || mode_ == body_mode::none) return false;
    return mode_ == body_mode::full_duplex ? sent_last_ : !held_.empty();
}

std::optional<body_piece> body_exchange::undo() {
    if (answered_last_) return body_piece{{}, true};
    if (replaced_ || forgot_) return std::nullopt;
    body_piece rest{take_held(), offered_last_};
    for (const body_piece& p : unsent_) rest.bytes += p.bytes;
    unsent_.clear();
    unsent_bytes_ = 0;
    return rest;
}

}  // namespace sluice::ext_proc
