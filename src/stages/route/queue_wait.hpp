// A request that waits in a pool's queue, on its worker.
#pragma once

#include "routing/admission/pool_queue.hpp"

#include <sluice/awaitable.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <memory>

namespace sluice::route {

class queue_wait final : public admission::waker {
public:
    explicit queue_wait(const boost::asio::any_io_executor& worker);
    ~queue_wait() = default;

    // Any thread, with the queue locked.
    void wake(admission::waiting& w) noexcept override;

    // The worker. Until it was woken since the last wait, `until`, or the exchange's end. True: woken.
    awaitable<bool> wait(std::chrono::steady_clock::time_point until);

private:
    struct sleeper;
    std::shared_ptr<sleeper> sleeper_;  // wakes on their way to the worker hold it weakly
};

}  // namespace sluice::route
