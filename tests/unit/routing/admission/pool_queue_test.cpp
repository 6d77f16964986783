#include "routing/admission/pool_queue.hpp"

#include <catch2/catch.hpp>

#include <condition_variable>
#include <memory>
#include <thread>
#include <vector>

using namespace sluice::admission;
using namespace std::chrono_literals;

namespace {

constexpr steady_time start{1000h};

struct recorded_wakes final : waker {
    void wake(waiting& w) noexcept override { woken.push_back(&w); }
    std::vector<const waiting*> woken;
};

const queue_item one{.priority = 4, .tenant = "a", .tokens = 100, .bytes = 10};

}  // namespace

TEST_CASE("who comes first tries at once, who comes later waits until that one is through") {
    pool_queue queue({});
    recorded_wakes wakes;
    CHECK(queue.idle());
    waiting first(queue, wakes), second(queue, wakes);
    CHECK(queue.enqueue(first, one, start, 1) == enqueued::try_now);
    CHECK_FALSE(queue.idle());
    CHECK(queue.enqueue(second, one, start, 1) == enqueued::waits);
    CHECK(wakes.woken.empty());
    queue.dispatched(first, start, 1);
    CHECK(wakes.woken == std::vector<const waiting*>{&second});
    CHECK(queue.state(second) == ticket_state::trying);
    queue.dispatched(second, start, 1);
    CHECK(queue.idle());
}

TEST_CASE("who found no endpoint tries again when there is room, and not before") {
    pool_queue queue({});
    recorded_wakes wakes;
    waiting w(queue, wakes);
    REQUIRE(queue.enqueue(w, one, start, 1) == enqueued::try_now);
    CHECK(queue.put_back(w, start, 1) == enqueued::waits);
    CHECK(wakes.woken.empty());
    queue.room(start, 1);
    CHECK(wakes.woken.size() == 1);
    CHECK(queue.state(w) == ticket_state::trying);
}

TEST_CASE("room that comes while somebody tries is not forgotten") {
    pool_queue queue({});
    recorded_wakes wakes;
    waiting w(queue, wakes);
    REQUIRE(queue.enqueue(w, one, start, 1) == enqueued::try_now);
    queue.room(start, 1);
    CHECK(wakes.woken.empty());  // it tries already
    CHECK(queue.put_back(w, start, 1) == enqueued::try_now);
}

TEST_CASE("one that finds nothing does not keep the others from trying") {
    pool_queue queue({});
    recorded_wakes wakes;
    waiting picky(queue, wakes), other(queue, wakes);
    REQUIRE(queue.enqueue(picky, {.priority = 7, .tenant = "picky"}, start, 1) == enqueued::try_now);
    REQUIRE(queue.enqueue(other, {.priority = 1, .tenant = "other"}, start, 1) == enqueued::waits);
    CHECK(queue.put_back(picky, start, 1) == enqueued::waits);
    CHECK(wakes.woken == std::vector<const waiting*>{&other});
}

TEST_CASE("where the one that tries hangs up, the next one tries") {
    pool_queue queue({});
    recorded_wakes wakes;
    auto first = std::make_unique<waiting>(queue, wakes);
    waiting second(queue, wakes);
    REQUIRE(queue.enqueue(*first, one, start, 1) == enqueued::try_now);
    REQUIRE(queue.enqueue(second, one, start, 1) == enqueued::waits);
    first.reset();
    CHECK(wakes.woken == std::vector<const waiting*>{&second});
}

TEST_CASE("those who waited too long are woken and find themselves expired") {
    pool_queue queue({.ttl = 10s});
    recorded_wakes wakes;
    waiting trying(queue, wakes), w(queue, wakes);
    REQUIRE(queue.enqueue(trying, one, start, 1) == enqueued::try_now);
    REQUIRE(queue.enqueue(w, one, start, 1) == enqueued::waits);
    queue.expire(start + 9s);
    CHECK(wakes.woken.empty());
    queue.expire(start + 10s + 20ms);
    CHECK(wakes.woken == std::vector<const waiting*>{&w});
    CHECK(queue.state(w) == ticket_state::expired);
    CHECK(queue.state(trying) == ticket_state::trying);
}

TEST_CASE("a view tells how many of the same class or higher wait, and how long that will take") {
    pool_queue queue({});
    recorded_wakes wakes;
    std::vector<std::unique_ptr<waiting>> all;
    for (int i = 0; i < 40; ++i) {
        all.push_back(std::make_unique<waiting>(queue, wakes));
        queue.enqueue(*all.back(), {.priority = i < 30 ? 5 : 2, .tenant = "a"}, start, 1);
    }
    CHECK(queue.view(7).ahead == 0);
    CHECK(queue.view(5).ahead == 30);
    CHECK(queue.view(0).ahead == 40);
    CHECK(queue.view(5).wait_s == 0);
    for (std::size_t i = 0; i < 20; ++i) queue.dispatched(*all[i], start + 100ms * i, 1);
    CHECK(queue.view(5).ahead == 10);
    CHECK(queue.view(5).wait_s == Approx(1.0));
}

namespace {

// A worker as far as the queue sees it: wakes are posted, and taken by the worker's own thread.
class worker_inbox final : public waker {
public:
    void wake(waiting&) noexcept override {
        const std::lock_guard lock(mutex_);
        ++wakes_;
        some_.notify_one();
    }
    void wait() {
        std::unique_lock lock(mutex_);
        some_.wait(lock, [&] { return wakes_ > 0; });
        --wakes_;
    }

private:
    std::mutex mutex_;
    std::condition_variable some_;
    int wakes_ = 0;
};

// An endpoint with a few slots, as the picker counts them.
struct slots {
    std::atomic<int> used{0};
    const int most;
    bool take() {
        int n = used.load(std::memory_order_relaxed);
        while (n < most)
            if (used.compare_exchange_weak(n, n + 1, std::memory_order_relaxed)) return true;
        return false;
    }
    void give() { used.fetch_sub(1, std::memory_order_relaxed); }
};

// Serves `count` requests, one after the other.
void serve(pool_queue& queue, slots& endpoint, int count, int priority, std::atomic<int>& served) {
    worker_inbox inbox;
    const std::string tenant = "tenant " + std::to_string(priority);
    for (int i = 0; i < count; ++i) {
        if (!queue.idle() || !endpoint.take()) {
            waiting w(queue, inbox);
            auto e = queue.enqueue(w, {.priority = priority, .tenant = tenant}, start, 1);
            for (;;) {
                if (e == enqueued::waits) inbox.wait();
                if (endpoint.take()) break;
                e = queue.put_back(w, start, 1);
            }
            queue.dispatched(w, start, 1);
        }
        served.fetch_add(1);
        std::this_thread::yield();
        endpoint.give();
        queue.room(start, 1);
    }
}

}  // namespace

TEST_CASE("workers share a queue, and nobody waits for ever") {
    pool_queue queue({});
    slots endpoint{.used = 0, .most = 2};
    std::atomic<int> served{0};
    std::vector<std::thread> workers;
    for (int i = 0; i < 6; ++i) workers.emplace_back([&, i] { serve(queue, endpoint, 500, i % priorities, served); });
    for (std::thread& t : workers) t.join();
    CHECK(served == 3'000);
    CHECK(queue.idle());
    CHECK(endpoint.used == 0);
}
