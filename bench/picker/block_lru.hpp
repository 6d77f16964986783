// Names of blocks in order of use, the oldest forgotten first: what a gateway believes one endpoint to keep.
#pragma once

#include <cstdint>
#include <vector>

namespace sluice::picker_bench {

// An open-addressing table into a list within one array: a match looks up some 200 names per endpoint, and a run makes
// some ten thousand matches. Names are well mixed already.
class block_lru {
public:
    explicit block_lru(std::size_t capacity);

    bool contains(std::uint64_t name) const { return places_[find(name)] != nobody; }
    // Adds it, or makes it the youngest. Grows past the capacity until shrink() is called.
    void use(std::uint64_t name);
    // Forgets the oldest until there are no more than the capacity.
    void shrink();
    void clear();
    std::size_t size() const { return size_; }

private:
    static constexpr std::uint32_t nobody = UINT32_MAX;
    struct entry {
        std::uint64_t name;
        std::uint32_t older, younger;
    };
    std::size_t find(std::uint64_t name) const;  // its place, or the free one where it belongs
    void erase_place(std::size_t place);
    void grow();
    void link_youngest(std::uint32_t at);
    void unlink(std::uint32_t at);

    std::size_t capacity_;
    std::vector<std::uint32_t> places_;  // a power of two, at most half full
    std::vector<entry> entries_;
    std::vector<std::uint32_t> free_;
    std::uint32_t oldest_ = nobody, youngest_ = nobody;
    std::size_t size_ = 0;
};

}  // namespace sluice::picker_bench
