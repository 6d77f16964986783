#include "routing/admission/pool_admission.hpp"

namespace sluice::admission {

pool_admission::pool_admission(const queue_config& q, const capacity_config& c, std::size_t slots)
    : queue(q.values), queue_options_(q.values), capacity_(c) {
    for (std::size_t i = 0; i < slots; ++i) capacities_.emplace_back(c.values);
}

bool pool_admission::made_from(const queue_config& q, const capacity_config& c, std::size_t slots) const {
    return q.values == queue_options_ && c == capacity_ && slots == capacities_.size();
}

std::int64_t pool_admission::limit(std::uint32_t slot) const {
    return capacity_.learn ? capacities_[slot].limit() : capacity_.values.max;
}

}  // namespace sluice::admission
