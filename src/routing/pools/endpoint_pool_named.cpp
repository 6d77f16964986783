// Endpoints that only an outside picker knows.
#include "routing/pools/endpoint_pool.hpp"

#include <algorithm>
#include <limits>

namespace sluice::routing {
namespace {

using namespace std::chrono_literals;

constexpr auto forgotten_after = 60s;  // since it was last named

}  // namespace

bool endpoint_pool::is_endpoint(const pool_member& m) const {
    return std::any_of(entries_.begin(), entries_.end(), [&](const auto& e) {
        return e->member->address.host == m.address.host && e->member->address.port == m.address.port;
    });
}

std::shared_ptr<const pool_member> endpoint_pool::admit(const std::string& authority, time_point now) {
    const std::lock_guard lock(mutex_);
    for (const auto& m : named_) {
        if (m->id == authority) return m;  // another worker was first
    }
    endpoint_config e;
    e.url = "http://" + authority;
    const auto probe = make_member(e, 0, nullptr);
    // One that a source named is used when it is ready, and not behind the operator's back.
    if (!probe || is_endpoint(**probe)) return nullptr;
    const auto slot = make_room();
    if (!slot) return nullptr;
    auto made = make_member(e, *slot, std::make_shared<member_state>());
    if (!made) return nullptr;
    (*made)->state->named_at.store(ticks(now), std::memory_order_relaxed);
    prepare_slot(*slot);
    picker_.set_kv_capacity(*slot, config_.picking.kv_tokens, 0);
    named_.push_back(*made);
    publish(now);
    return named_.back();
}

// A free slot, if need be that of the named endpoint that has been idle the longest.
std::optional<std::uint32_t> endpoint_pool::make_room() {
    if (const auto slot = free_slot()) return slot;
    const auto idle_since = [&](const auto& m) {
        const bool busy = picker_.load(m->slot).inflight > 0;
        return busy ? std::numeric_limits<std::int64_t>::max() : m->state->named_at.load(std::memory_order_relaxed);
    };
    const auto oldest = std::min_element(named_.begin(), named_.end(),
                                         [&](const auto& a, const auto& b) { return idle_since(a) < idle_since(b); });
    if (oldest == named_.end() || picker_.load((*oldest)->slot).inflight > 0) return std::nullopt;
    const std::uint32_t slot = (*oldest)->slot;
    named_.erase(oldest);
    return slot;
}

bool endpoint_pool::forget_named(time_point now) {
    return std::erase_if(named_, [&](const auto& m) {
               const auto since = m->state->named_at.load(std::memory_order_relaxed);
               return picker_.load(m->slot).inflight == 0 && since < ticks(now - forgotten_after);
           }) > 0;
}

}  // namespace sluice::routing
