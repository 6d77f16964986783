#include "governance/subject_table.hpp"

#include <algorithm>
#include <bit>

namespace sluice {

subject_table::subject_table(std::size_t subjects)
    : tags_(std::bit_ceil(std::max(window, subjects * 2))), words_(tags_.size()), locks_(64) {}

std::size_t subject_table::find(std::uint64_t subject) const {
    for (std::size_t step = 0; step < window; ++step) {
        const std::size_t at = slot(subject, step);
        const std::uint64_t tag = tags_[at].load(std::memory_order_acquire);
        if (tag == subject) return at;
        // Never used, so nothing lies behind it; unless somebody is just about to use it.
        if (tag == 0 && words_[at].value.load(std::memory_order_acquire) == 0) return absent;
    }
    return absent;
}

}  // namespace sluice
