#include "routing/admission/pool_queue.hpp"

#include <cassert>

namespace sluice::admission {
namespace {

constexpr double newest_share = 0.1;  // of the mean time between dispatches

}  // namespace

waiting::~waiting() {
    pool_.leave(*this);
}

queue_view pool_queue::view(int priority) const {
    queue_view v;
    for (int p = std::max(priority, 0); p < priorities; ++p)
        v.ahead += sizes_[static_cast<std::size_t>(p)].load(std::memory_order_relaxed);
    v.wait_s = static_cast<double>(v.ahead) * interval_s_.load(std::memory_order_relaxed);
    return v;
}

enqueued pool_queue::enqueue(waiting& w, const queue_item& item, steady_time now, double saturation) {
    const std::lock_guard lock(mutex_);
    const enqueued e = queue_.try_enqueue(w, item, now);
    if (e != enqueued::waits) return e;
    publish(item.priority);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    return offer_after(w, now, saturation);
}

enqueued pool_queue::put_back(waiting& w, steady_time now, double saturation) {
    const std::lock_guard lock(mutex_);
    assert(trying_ == &w);
    trying_ = nullptr;
    ++tries_;
    queue_.put_back(w, now);
    return offer_after(w, now, saturation);
}

void pool_queue::dispatched(waiting& w, steady_time now, double saturation) {
    const std::lock_guard lock(mutex_);
    assert(trying_ == &w);
    trying_ = nullptr;
    queue_.dispatched(w, now);
    publish(w.priority());
    count_dispatch(now);
    offer_and_wake(now, saturation);
}

ticket_state pool_queue::state(const waiting& w) const {
    const std::lock_guard lock(mutex_);
    return w.state();
}

bool pool_queue::awaited() const {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    return !idle();
}

void pool_queue::room(steady_time now, double saturation) {
    if (!awaited()) return;
    const std::lock_guard lock(mutex_);
    ++round_;
    tries_ = 0;
    offer_and_wake(now, saturation);
}

void pool_queue::expire(steady_time now) {
    if (idle()) return;
    const std::lock_guard lock(mutex_);
    while (ticket* t = queue_.expire(now)) {
        publish(t->priority());
        auto& w = static_cast<waiting&>(*t);
        w.waker_.wake(w);
    }
}

std::optional<steady_time> pool_queue::next_deadline() const {
    if (idle()) return std::nullopt;
    const std::lock_guard lock(mutex_);
    return queue_.next_deadline();
}

// Where the one that tried hangs up, the next one tries in its place, by the clock of the last call: who dies has none.
void pool_queue::leave(waiting& w) {
    const std::lock_guard lock(mutex_);
    const bool tried = trying_ == &w;
    if (tried) trying_ = nullptr;
    queue_.leave(w);
    publish(w.priority());
    if (tried) offer_and_wake(last_seen_, last_saturation_);
}

ticket* pool_queue::offer(steady_time now, double saturation) {
    last_seen_ = std::max(last_seen_, now);
    last_saturation_ = saturation;
    if (trying_ != nullptr || tries_ >= tries_per_round) return nullptr;
    return trying_ = queue_.next(now, saturation, round_);
}

void pool_queue::offer_and_wake(steady_time now, double saturation) {
    if (ticket* t = offer(now, saturation)) {
        auto& w = static_cast<waiting&>(*t);
        w.waker_.wake(w);
    }
}

enqueued pool_queue::offer_after(waiting& w, steady_time now, double saturation) {
    ticket* const t = offer(now, saturation);
    if (t == &w) return enqueued::try_now;
    if (t != nullptr) {
        auto& other = static_cast<waiting&>(*t);
        other.waker_.wake(other);
    }
    return enqueued::waits;
}

void pool_queue::publish(int priority) {
    sizes_[static_cast<std::size_t>(priority)].store(static_cast<std::uint32_t>(queue_.size(priority)),
                                                     std::memory_order_relaxed);
    size_.store(queue_.size(), std::memory_order_relaxed);
    if (queue_.size() == 0) last_dispatch_ = {};
}

void pool_queue::count_dispatch(steady_time now) {
    if (last_dispatch_ != steady_time{}) {
        const double s = std::max(0.0, std::chrono::duration<double>(now - last_dispatch_).count());
        const double mean = interval_s_.load(std::memory_order_relaxed);
        interval_s_.store(mean == 0 ? s : mean + newest_share * (s - mean), std::memory_order_relaxed);
    }
    if (queue_.size() > 0) last_dispatch_ = now;
}

}  // namespace sluice::admission
