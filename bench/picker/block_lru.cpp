#include "picker/block_lru.hpp"

#include <algorithm>

namespace sluice::picker_bench {

block_lru::block_lru(std::size_t capacity) : capacity_(std::max<std::size_t>(capacity, 1)), places_(1024, nobody) {}

void block_lru::use(std::uint64_t name) {
    std::size_t place = find(name);
    if (places_[place] != nobody) {
        const std::uint32_t at = places_[place];
        unlink(at);
        return link_youngest(at);
    }
    if (2 * (size_ + 1) > places_.size()) {
        grow();
        place = find(name);
    }
    std::uint32_t at;
    if (free_.empty()) {
        at = static_cast<std::uint32_t>(entries_.size());
        entries_.push_back({});
    } else {
        at = free_.back();
        free_.pop_back();
    }
    entries_[at].name = name;
    places_[place] = at;
    ++size_;
    link_youngest(at);
}

void block_lru::shrink() {
    while (size_ > capacity_) {
        const std::uint32_t at = oldest_;
        erase_place(find(entries_[at].name));
        unlink(at);
        free_.push_back(at);
        --size_;
    }
}

void block_lru::clear() {
    *this = block_lru(capacity_);
}

std::size_t block_lru::find(std::uint64_t name) const {
    const std::size_t mask = places_.size() - 1;
    std::size_t place = name & mask;
    while (places_[place] != nobody && entries_[places_[place]].name != name) place = (place + 1) & mask;
    return place;
}

// Closes the gap, so that no search ends too early: whoever stands behind it and may stand in it moves up.
void block_lru::erase_place(std::size_t place) {
    const std::size_t mask = places_.size() - 1;
    std::size_t gap = place;
    for (std::size_t next = (gap + 1) & mask; places_[next] != nobody; next = (next + 1) & mask) {
        const std::size_t home = entries_[places_[next]].name & mask;
        if (((next - home) & mask) < ((next - gap) & mask)) continue;
        places_[gap] = places_[next];
        gap = next;
    }
    places_[gap] = nobody;
}

void block_lru::grow() {
    places_.assign(places_.size() * 2, nobody);
    for (std::uint32_t at = oldest_; at != nobody; at = entries_[at].younger) places_[find(entries_[at].name)] = at;
}

void block_lru::link_youngest(std::uint32_t at) {
    entries_[at].older = youngest_;
    entries_[at].younger = nobody;
    (youngest_ == nobody ? oldest_ : entries_[youngest_].younger) = at;
    youngest_ = at;
}

void block_lru::unlink(std::uint32_t at) {
    const entry e = entries_[at];
    (e.older == nobody ? oldest_ : entries_[e.older].younger) = e.younger;
    (e.younger == nobody ? youngest_ : entries_[e.younger].older) = e.older;
}

}  // namespace sluice::picker_bench
