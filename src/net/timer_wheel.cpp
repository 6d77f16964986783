#include "net/timer_wheel.hpp"

#include <algorithm>

namespace sluice::net {

timer_node::~timer_node() {
    if (wheel_ != nullptr) wheel_->unlink(*this);
}

timer_wheel::~timer_wheel() {
    for (timer_node* head : slot_) {
        for (timer_node* n = head; n != nullptr; n = n->next_) n->wheel_ = nullptr;
    }
}

std::uint64_t timer_wheel::to_tick(time_point t) const {
    if (t <= start_) return 1;
    return static_cast<std::uint64_t>((t - start_) / tick) + 1;  // rounded up: never early
}

void timer_wheel::arm(timer_node& node, time_point deadline) {
    node.deadline_ = std::max(to_tick(deadline), now_ + 1);
    if (node.wheel_ != nullptr) {
        if (node.slot_tick_ <= node.deadline_) return;  // seen in time: leave it where it is
        unlink(node);
    }
    link(node, node.deadline_);
}

void timer_wheel::link(timer_node& node, std::uint64_t at) {
    node.slot_tick_ = std::min(at, now_ + slots - 1);
    timer_node*& head = slot_[node.slot_tick_ % slots];
    node.prev_ = nullptr;
    node.next_ = head;
    if (head != nullptr) head->prev_ = &node;
    head = &node;
    node.wheel_ = this;
    ++linked_;
}

void timer_wheel::unlink(timer_node& node) {
    if (node.prev_ != nullptr) {
        node.prev_->next_ = node.next_;
    } else {
        slot_[node.slot_tick_ % slots] = node.next_;
    }
    if (node.next_ != nullptr) node.next_->prev_ = node.prev_;
    node.prev_ = node.next_ = nullptr;
    node.wheel_ = nullptr;
    --linked_;
}

void timer_wheel::advance(time_point now) {
    const std::uint64_t target = now <= start_ ? 0 : static_cast<std::uint64_t>((now - start_) / tick);
    while (now_ < target) {
        ++now_;
        // expired() may unlink or arm any node, so take one from the head at a time. New ones never
        // land in the slot being emptied: arm() puts them at least one tick ahead.
        while (timer_node* node = slot_[now_ % slots]) {
            unlink(*node);
            if (node->deadline_ == 0) continue;
            if (node->deadline_ > now_) {
                link(*node, node->deadline_);
            } else {
                node->deadline_ = 0;
                node->expired();
            }
        }
    }
}

}  // namespace sluice::net
