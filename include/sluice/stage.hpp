// A stage: one step in the life of a request.
#pragma once

#include <sluice/awaitable.hpp>

#include <memory>
#include <span>
#include <string_view>

namespace sluice {

class exchange;
class stage;

// The stages after this one. Calling it again repeats the attempt; legal until x.committed().
class next_stage {
public:
    explicit next_stage(std::span<const std::unique_ptr<stage>> rest) : rest_(rest) {}
    awaitable<void> operator()(exchange& x) const;

private:
    std::span<const std::unique_ptr<stage>> rest_;
};

// One instance per worker thread, shared by that worker's exchanges: members need no lock, but change
// under you whenever you await.
class stage {
public:
    virtual ~stage() = default;
    virtual std::string_view name() const = 0;

    // Before next(x): the request. After it: the finished reply, or x.failure(). To see the reply
    // pass, put a sink_scope or an observer_scope around next(x). To answer, call x.respond() or
    // x.fail() and skip next(x). `x` outlives the call. Leaving by exception means aborted:
    // destructors undo.
    virtual awaitable<void> serve(exchange& x, next_stage next) = 0;
};

}  // namespace sluice
