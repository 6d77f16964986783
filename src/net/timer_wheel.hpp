// Coarse deadlines for many connections: one clock tick for a whole worker instead of a timer each.
//
// A deadline that moves later, as it does with every byte, only changes a number; the wheel notices
// when the old slot comes up. Resolution: one tick. One per worker; not thread-safe. No I/O: the
// owner calls advance().
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace sluice::net {

class timer_wheel;

// Derive from it to get a deadline. Must not move while armed.
class timer_node {
public:
    timer_node() = default;
    timer_node(const timer_node&) = delete;
    timer_node& operator=(const timer_node&) = delete;

protected:
    ~timer_node();
    // The deadline has passed; the node is not armed any more.
    virtual void expired() = 0;

private:
    friend class timer_wheel;
    timer_wheel* wheel_ = nullptr;  // set while linked
    timer_node *prev_ = nullptr, *next_ = nullptr;
    std::uint64_t deadline_ = 0;   // in ticks; 0: none
    std::uint64_t slot_tick_ = 0;  // when the wheel looks at it next
};

class timer_wheel {
public:
    using time_point = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::milliseconds tick{10};

    explicit timer_wheel(time_point now) : start_(now) {}
    ~timer_wheel();
    timer_wheel(const timer_wheel&) = delete;
    timer_wheel& operator=(const timer_wheel&) = delete;

    // expired() is called once `deadline` has passed, at most two ticks late.
    void arm(timer_node& node, time_point deadline);
    void disarm(timer_node& node) { node.deadline_ = 0; }  // unlinked when its slot comes up
    bool empty() const { return linked_ == 0; }

    // Runs what is due.
    void advance(time_point now);

private:
    friend class timer_node;
    static constexpr std::size_t slots = 512;  // 5 s; what is later goes round again
    std::uint64_t to_tick(time_point t) const;
    void link(timer_node& node, std::uint64_t at);
    void unlink(timer_node& node);

    time_point start_;
    std::uint64_t now_ = 0;
    std::size_t linked_ = 0;
    std::array<timer_node*, slots> slot_{};
};

}  // namespace sluice::net
