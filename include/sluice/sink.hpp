// Where a reply goes, and who may watch it pass.
#pragma once

#include <sluice/awaitable.hpp>
#include <sluice/event.hpp>
#include <sluice/message.hpp>

namespace sluice {

// The next hop of a reply: towards the client. Every call resumes once the next hop has taken the data:
// that is the back-pressure. Calls come in the order head, write..., end. After an abort none comes.
class reply_sink {
public:
    virtual awaitable<void> head(response_head& h) = 0;  // once, first; may be changed on its way
    virtual awaitable<void> write(const event& e) = 0;
    virtual awaitable<void> end() = 0;  // once, last; not called when the reply broke off

protected:
    ~reply_sink() = default;  // lives on a stage's frame, never deleted through here
};

// Passes everything on as it is: override what shall change. None of it is a coroutine, so that it costs no frame.
class forwarding_sink : public reply_sink {
public:
    explicit forwarding_sink(reply_sink& to) : to_(to) {}
    awaitable<void> head(response_head& h) override { return to_.head(h); }
    awaitable<void> write(const event& e) override { return to_.write(e); }
    awaitable<void> end() override { return to_.end(); }

protected:
    ~forwarding_sink() = default;
    reply_sink& to_;
};

// Sees a reply pass and changes nothing. Called by the relay before the client's write; must not block,
// must not throw, must not keep views.
class observer {
public:
    virtual void see_head(const response_head&) {}
    virtual void see(const event& e) = 0;

protected:
    ~observer() = default;
};

}  // namespace sluice
