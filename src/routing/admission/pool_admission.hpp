// Admission to one pool: its queue, and how many requests each of its endpoints should have.
//
// Shared by all workers through their endpoint_pool. Where the settings change a new one takes its place; requests that
// wait in the old one finish there.
#pragma once

#include "routing/admission/admission_config.hpp"
#include "routing/admission/pool_queue.hpp"

#include <cstdint>
#include <deque>

namespace sluice::admission {

class pool_admission {
public:
    // `slots` is how many the pool's picker has.
    pool_admission(const queue_config& q, const capacity_config& c, std::size_t slots);

    // Was it made from these?
    bool made_from(const queue_config& q, const capacity_config& c, std::size_t slots) const;

    pool_queue queue;

    // Requests that an endpoint may have under way. Thread-safe.
    std::int64_t limit(std::uint32_t slot) const;
    learned_capacity& capacity(std::uint32_t slot) { return capacities_[slot]; }

private:
    const queue_options queue_options_;
    const capacity_config capacity_;
    std::deque<learned_capacity> capacities_;  // by slot; they never move
};

}  // namespace sluice::admission
