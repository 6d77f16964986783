// One body on its way through a processor: what is sent, what comes back, and what can still be undone.
#pragma once

#include "routing/ext_proc/session_config.hpp"

#include <sluice/result.hpp>

#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::ext_proc {

namespace wire {
class CommonResponse;
}

struct body_piece {
    std::string bytes;
    bool last = false;
};

// The bytes that are now the body's. `as_it_came`: the processor lets the body pass, from its beginning.
struct body_answer {
    std::string bytes;
    bool last = false;
    bool as_it_came = false;
};

class body_exchange {
public:
    enum class keep : std::uint8_t { originals, nothing };

    // `k`: whether originals are kept until they were answered. Of a request the caller has them anyway.
    body_exchange(body_mode mode, const session_limits& limits, keep k) : mode_(mode), limits_(limits), keep_(k) {}
    // Before anything was sent: mode_override.
    void change_mode(body_mode mode);
    body_mode mode() const { return mode_; }

    // The next piece of the original. Error: payload_too_large, over the limit of what may be held.
    result<void> offer(std::string_view bytes, bool last);
    // What to send now, in order; empty: nothing more at present.
    std::optional<body_piece> to_send();
    // An answer to a body message. Error: upstream_protocol for one that nothing asked for, that is of another
    // mode, that comes behind the end or that makes the body too large.
    result<body_answer> answered(const wire::CommonResponse& response);

    bool offered_all() const { return offered_last_; }
    bool complete() const { return answered_last_; }
    // What is sent from now on is part of the result at once: its sender passes it on.
    bool passes() const { return as_it_came_ || mode_ == body_mode::none; }
    // Does something that was sent wait for an answer? Of full duplex bodies: the end was sent.
    bool awaits_answer() const;
    // Bytes that were offered and not answered, as far as they are kept; those that wait to be sent, too.
    std::size_t held_bytes() const { return held_bytes_ + unsent_bytes_; }
    // Takes what was offered and not answered, so that the body goes on without the processor: nothing when that
    // would lose or repeat bytes.
    std::optional<body_piece> undo();

private:
    result<body_answer> answered_duplex(const wire::CommonResponse& response);
    result<body_answer> finish(body_answer answer);
    std::string take_held();

    body_mode mode_;
    const session_limits& limits_;  // of the session's configuration
    const keep keep_;
    std::deque<body_piece> unsent_;
    std::deque<body_piece> held_;  // sent, not answered
    std::size_t held_bytes_ = 0, unsent_bytes_ = 0, answered_bytes_ = 0;
    bool offered_last_ = false, sent_last_ = false, answered_last_ = false;
    bool replaced_ = false;    // full duplex: bytes of the processor's were used
    bool as_it_came_ = false;  // full duplex: the processor lets the body pass
    bool forgot_ = false;      // originals were dropped since they were too many
};

}  // namespace sluice::ext_proc
