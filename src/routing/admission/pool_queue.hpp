// The queue of one pool, shared by all workers.
//
// One fair_queue behind one mutex. The mutex is touched only where somebody waits: a request that finds idle() true and
// an endpoint with room never sees it, and one whose answer is over reads one atomic. While a pool is saturated each
// request takes the lock three to five times, for about a microsecond each, in a life of seconds. A queue per worker
// would spare that and lose what the queue is for: order among all that wait. Long streams sit unevenly on workers, so
// even shares of the room would leave endpoints idle on one worker's account while another's high class waits.
//
// At most one request tries at a time; when it is dispatched, leaves or finds nothing, the next one may. So a slot that
// becomes free goes to whose turn it is, and those behind do not rush to the same endpoint. Which endpoint it gets is
// decided when it tries, by the picker (late binding).
//
//   if (queue.idle()) { choice = picker.pick(...); if (found) return dispatch(choice); }
//   waiting w(queue, wake);                       // on the coroutine's frame
//   auto e = queue.enqueue(w, item, now, saturation);
//   if (e != waits && e != try_now) return shed;  // full
//   for (;;) {
//       if (e == waits) ... wait for wake, or for the client to go;
//       if (w's state is expired) return shed;
//       choice = picker.pick(...);
//       if (found) { dispatch(choice); queue.dispatched(w, now, saturation); return; }
//       e = queue.put_back(w, now, saturation);   // waits, or try_now when room came meanwhile
//   }
// Whoever gives room, an answer that is over above all, says so by room(); a timer at next_deadline() calls expire().
//
// Nobody is forgotten: who enters tries at once if nobody else does, after it can be seen in size_; who gives room does
// so before reading size_. One of the two sees the other (both have a full fence in between). Room that comes while
// somebody tries begins a new round, in which whoever fails now may try again.
#pragma once

#include "routing/admission/fair_queue.hpp"

#include <atomic>
#include <mutex>

namespace sluice::admission {

class waiting;

// How a waiting request hears that its ticket changed: it may try, or it expired.
class waker {
public:
    // Called on any thread with the queue locked: it may post to the request's worker, and nothing else. At most one
    // call is outstanding per state; a wake that arrives late finds the state as it is then.
    virtual void wake(waiting& w) noexcept = 0;

protected:
    ~waker() = default;
};

class pool_queue;

// A request of one worker in the queue. Never moves; leaves when it dies. Queue and waker outlive it.
class waiting final : public ticket {
public:
    waiting(pool_queue& q, waker& w) : pool_(q), waker_(w) {}
    ~waiting();

private:
    friend class pool_queue;
    using ticket::state;  // to be read under the lock: pool_queue::state
    pool_queue& pool_;
    waker& waker_;
};

// What somebody who would wait ought to know. Estimates.
struct queue_view {
    std::size_t ahead = 0;  // requests of the same class or higher
    double wait_s = 0;      // until they are gone, as fast as it went lately; 0: not known
};

// Thread-safe.
class pool_queue {
public:
    explicit pool_queue(const queue_options& o) : queue_(o) {}

    // Does nobody wait? Then a request may look for an endpoint by itself; else it stands in line.
    bool idle() const { return size_.load(std::memory_order_relaxed) == 0; }
    std::size_t size() const { return size_.load(std::memory_order_relaxed); }
    queue_view view(int priority) const;

    // May wake another than `w`. Of `w` itself the answer tells.
    enqueued enqueue(waiting& w, const queue_item& item, steady_time now, double saturation);
    enqueued put_back(waiting& w, steady_time now, double saturation);
    void dispatched(waiting& w, steady_time now, double saturation);
    ticket_state state(const waiting& w) const;

    // Does anybody wait who ought to be told of room() just given? Saves asking how full the pool is.
    bool awaited() const;
    // An endpoint has got room: an answer is over, a limit went up, an endpoint came or is ready again.
    void room(steady_time now, double saturation);

    // Wakes those who waited too long.
    void expire(steady_time now);
    std::optional<steady_time> next_deadline() const;

private:
    friend class waiting;
    // So many find no endpoint before the others are not asked any more, until there is room again.
    static constexpr int tries_per_round = 16;

    void leave(waiting& w);
    ticket* offer(steady_time now, double saturation);  // whom it offered a try
    void offer_and_wake(steady_time now, double saturation);
    enqueued offer_after(waiting& w, steady_time now, double saturation);
    void publish(int priority);
    void count_dispatch(steady_time now);

    mutable std::mutex mutex_;
    fair_queue queue_;  // guarded by mutex_, as all below up to the atomics
    ticket* trying_ = nullptr;
    std::uint64_t round_ = 1;
    int tries_ = 0;  // that failed in this round
    double last_saturation_ = 0;
    steady_time last_seen_{}, last_dispatch_{};  // the latter: epoch when the queue was empty since
    // Read by anybody.
    std::atomic<std::size_t> size_{0};
    std::array<std::atomic<std::uint32_t>, priorities> sizes_{};
    std::atomic<double> interval_s_{0};  // between two dispatches while others waited; 0: not known
};

}  // namespace sluice::admission
