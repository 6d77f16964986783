// What a stage may ask of the worker it runs on.
#pragma once

#include <sluice/fetch.hpp>
#include <sluice/metrics.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <typeinfo>

namespace sluice {
namespace net {
class dialer;  // src/net/upstream_pool.hpp
}

// Time from outside, so that tests can turn it. Monotonic time for everything that measures.
class clock {
public:
    using time_point = std::chrono::steady_clock::time_point;
    virtual time_point now() const = 0;
    // The time at which this turn of the worker's loop began: costs nothing. For limits and deadlines, which need no
    // more; what lies between two of them was spent waiting.
    virtual time_point recent() const { return now(); }
    virtual std::chrono::system_clock::time_point wall() const = 0;

protected:
    ~clock() = default;
};

class services {
public:
    virtual boost::asio::any_io_executor executor() = 0;  // the worker's
    virtual const clock& time() const = 0;
    virtual sluice::metrics& metrics() = 0;
    virtual sluice::fetcher& fetcher() = 0;

    // New connections, for protocols of their own; null where none can be made. Opaque to stages.
    virtual net::dialer* dialer() { return nullptr; }

    // Counts bytes that a stage holds of an exchange against the budget of the process; see memory_hold. False: it is
    // used up, and nothing was counted.
    virtual bool take_memory(std::int64_t) { return true; }
    virtual void give_memory(std::int64_t) {}

    // An object shared by all workers that survives a reload: a table of counters, a key set. Built
    // by the first who asks for its key; must be thread-safe. Call it in a constructor, never per request.
    template <class T, class Make>
    std::shared_ptr<T> shared(std::string_view key, Make make) {
        return std::static_pointer_cast<T>(
            shared_object(key, typeid(T), [&]() -> std::shared_ptr<void> { return make(); }));
    }

protected:
    ~services() = default;
    virtual std::shared_ptr<void> shared_object(std::string_view key, const std::type_info& type,
                                                const std::function<std::shared_ptr<void>()>& make) = 0;
};

// Bytes that a stage holds for as long as it holds them: on its frame, beside what it counts.
class memory_hold {
public:
    explicit memory_hold(services& s) : services_(s) {}
    ~memory_hold() { services_.give_memory(held_); }
    memory_hold(const memory_hold&) = delete;
    memory_hold& operator=(const memory_hold&) = delete;

    // Counts in steps, so that growing by a little is no work. False: fail with error_kind::overloaded.
    bool reach(std::size_t bytes) {
        constexpr std::int64_t step = 64 << 10;
        const auto wanted = static_cast<std::int64_t>(bytes);
        if (wanted <= held_) return true;
        const std::int64_t more = (wanted - held_ + step - 1) / step * step;
        if (!services_.take_memory(more)) return false;
        held_ += more;
        return true;
    }

private:
    services& services_;
    std::int64_t held_ = 0;
};

}  // namespace sluice
