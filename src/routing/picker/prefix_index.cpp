#include "routing/picker/prefix_index.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <new>

namespace sluice::picker {
namespace {

using word = std::atomic_ref<std::uint64_t>;
using item_ref = std::atomic_ref<std::uint32_t>;
constexpr auto relaxed = std::memory_order_relaxed;

constexpr std::size_t line_words = 8;  // of a cache line
constexpr std::size_t ahead = 8;       // blocks whose buckets are on their way while one is read

// --- a ring's item: (entry + 1) in the lower bits, the size's class above ----------------------------------------
constexpr unsigned entry_bits = 26;
constexpr std::size_t entries_max = (std::size_t{1} << entry_bits) - 2;

// 64 bytes to 3.5 MB in steps of a quarter of an octave: at most 9 % off.
std::uint32_t size_class(std::uint32_t bytes) {
    if (bytes <= 64) return 0;
    return std::min<std::uint32_t>(63, static_cast<std::uint32_t>(std::lround(4 * std::log2(bytes / 64.0))));
}

const std::array<std::int64_t, 64> class_bytes = [] {
    std::array<std::int64_t, 64> t{};
    for (std::size_t i = 0; i < t.size(); ++i) t[i] = std::lround(64 * std::exp2(static_cast<double>(i) / 4));
    return t;
}();

std::size_t entry_of(std::uint32_t item) {
    return (item & ((1u << entry_bits) - 1)) - 1;
}

std::int64_t bytes_of(std::uint32_t item) {
    return class_bytes[item >> entry_bits];
}

std::size_t scaled(std::uint64_t hash, std::size_t n) {
    __extension__ using wide = unsigned __int128;
    return static_cast<std::size_t>((static_cast<wide>(hash) * n) >> 64);
}

template <class T>
T* zeroed_memory(std::size_t n) {
    void* p = std::calloc(n, sizeof(T));
    if (p == nullptr) throw std::bad_alloc();
    return static_cast<T*>(p);
}

// Look-ups read from all over the table, whose small pages would not fit the processor's cache of them.
void use_huge_pages(void* p, std::size_t bytes) {
    constexpr std::uintptr_t page = 2 << 20;
    const auto begin = (reinterpret_cast<std::uintptr_t>(p) + page - 1) / page * page;
    const auto end = (reinterpret_cast<std::uintptr_t>(p) + bytes) / page * page;
    if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);  // as good as the system can
}

struct layout {
    std::size_t buckets, used_bits, bytes;
};

layout layout_of(std::size_t slots, std::size_t blocks, std::size_t words) {
    layout l;
    // Two choices among buckets of 8 begin to overflow near nine tenths; two thirds leave room for chance.
    l.buckets = std::max<std::size_t>(4, slots * blocks * 3 / 2 / 8 + 1);
    l.used_bits = std::bit_ceil(8 * blocks);
    l.bytes = l.buckets * (8 + 8 * words) * 8 + slots * (blocks * 4 + l.used_bits / 8);
    return l;
}

}  // namespace

prefix_index::prefix_index(const prefix_index_options& o)
    : words_((std::clamp<std::size_t>(o.endpoints, 1, endpoints_max) + 63) / 64) {
    const std::size_t slots = std::clamp<std::size_t>(o.endpoints, 1, endpoints_max);
    ring_blocks_ = std::clamp<std::size_t>(o.blocks_per_endpoint, 16, entries_max / 2 / slots);
    layout l = layout_of(slots, ring_blocks_, words_);
    while (l.bytes > o.memory_max && ring_blocks_ > 16) {
        ring_blocks_ = std::max<std::size_t>(16, ring_blocks_ - ring_blocks_ / 16 - 1);
        l = layout_of(slots, ring_blocks_, words_);
    }
    buckets_ = l.buckets;
    used_bits_ = l.used_bits;
    memory_ = l.bytes;
    bucket_words_ = bucket_entries * (1 + words_);
    table_memory_.reset(zeroed_memory<std::uint64_t>(buckets_ * bucket_words_ + line_words));
    use_huge_pages(table_memory_.get(), (buckets_ * bucket_words_ + line_words) * sizeof(std::uint64_t));
    const auto address = reinterpret_cast<std::uintptr_t>(table_memory_.get());
    table_ = table_memory_.get() + (64 - address % 64) % 64 / 8;
    const std::size_t per_ring = ring_blocks_ + used_bits_ / 32;
    ring_memory_.reset(zeroed_memory<std::uint32_t>(slots * per_ring));
    rings_ = std::vector<ring>(slots);
    for (std::size_t i = 0; i < slots; ++i) {
        rings_[i].items = ring_memory_.get() + i * per_ring;
        rings_[i].used = rings_[i].items + ring_blocks_;
        rings_[i].capacity = static_cast<std::int64_t>(ring_blocks_ * 256);
    }
}

std::array<std::size_t, 2> prefix_index::buckets_of(std::uint64_t hash) const {
    const std::size_t first = scaled(hash, buckets_);
    const std::size_t second = scaled(hash * 0x9e3779b97f4a7c15ULL, buckets_);
    return {first, second != first ? second : (first + 1) % buckets_};
}

void prefix_index::prefetch(std::uint64_t hash) const {
    for (const std::size_t b : buckets_of(hash)) {
        __builtin_prefetch(keys(b));
        __builtin_prefetch(keys(b) + line_words);
    }
}

template <class F>
void prefix_index::for_each_entry(std::uint64_t hash, F&& f) const {
    for (const std::size_t b : buckets_of(hash)) {
        std::uint64_t* k = keys(b);
        unsigned hits = 0;
        for (unsigned i = 0; i < bucket_entries; ++i) hits |= unsigned{word(k[i]).load(relaxed) == hash} << i;
        for (; hits != 0; hits &= hits - 1) f(b * bucket_entries + static_cast<std::size_t>(std::countr_zero(hits)));
    }
}

void prefix_index::match(std::span<const prefix_block> chain, prefix_match& out) const {
    const std::size_t n = std::min<std::size_t>(chain.size(), 0xffff);
    std::array<std::uint64_t, endpoints_max / 64> alive{};
    for (std::size_t s = 0; s < slots(); ++s) alive[s / 64] |= std::uint64_t{1} << s % 64;
    for (std::size_t i = 0; i < std::min(n, ahead); ++i) prefetch(chain[i].hash);
    std::size_t i = 0;
    for (std::uint64_t any = 1; i < n && any != 0; ++i) {
        if (i + ahead < n) prefetch(chain[i + ahead].hash);
        std::array<std::uint64_t, endpoints_max / 64> has{};
        for_each_entry(chain[i].hash, [&](std::size_t entry) {
            for (std::size_t w = 0; w < words_; ++w) has[w] |= word(bits(entry)[w]).load(relaxed);
        });
        any = 0;
        for (std::size_t w = 0; w < words_; ++w) {
            for (std::uint64_t gone = alive[w] & ~has[w]; gone != 0; gone &= gone - 1)
                out.blocks[w * 64 + static_cast<std::size_t>(std::countr_zero(gone))] = static_cast<std::uint16_t>(i);
            alive[w] &= has[w];
            any |= alive[w];
        }
        if (any == 0) break;
    }
    out.most = static_cast<std::uint16_t>(i);
    for (std::size_t w = 0; w < words_; ++w)
        for (std::uint64_t left = alive[w]; left != 0; left &= left - 1)
            out.blocks[w * 64 + static_cast<std::size_t>(std::countr_zero(left))] = static_cast<std::uint16_t>(n);
}

void prefix_index::insert(std::size_t slot, std::span<const prefix_block> chain) {
    for (std::size_t i = chain.size(); i-- > 0;) {
        if (i >= ahead) prefetch(chain[i - ahead].hash);
        insert_block(slot, chain[i].hash, chain[i].end - (i > 0 ? chain[i - 1].end : 0));
    }
}

void prefix_index::insert_block(std::size_t slot, std::uint64_t hash, std::uint32_t size) {
    const std::uint64_t bit = std::uint64_t{1} << slot % 64;
    // More than once only when the entry was given back between finding it and setting the bit.
    for (int tries = 0; tries < 4; ++tries) {
        const std::size_t entry = find_or_claim(hash);
        if (entry == nowhere) break;
        if ((word(bits(entry)[slot / 64]).fetch_or(bit) & bit) != 0) {
            item_ref used(*used_word(rings_[slot], entry));
            if ((used.load(relaxed) & used_mask(entry)) == 0) used.fetch_or(used_mask(entry), relaxed);
            return;
        }
        // Whoever sets a bit puts its item into the ring, whatever becomes of the entry: so no bit outlives its round.
        push(slot, static_cast<std::uint32_t>(entry + 1) | size_class(size) << entry_bits);
        if (word(*key(entry)).load() == hash) return;
    }
    dropped_.fetch_add(1, relaxed);
}

std::size_t prefix_index::find_or_claim(std::uint64_t hash) {
    const auto pair = buckets_of(hash);
    for (int tries = 0; tries < 8; ++tries) {
        std::array<unsigned, 2> taken{};
        std::array<std::size_t, 2> hole{nowhere, nowhere};
        for (std::size_t p = 0; p < 2; ++p) {
            for (std::size_t i = bucket_entries; i-- > 0;) {
                const std::uint64_t k = word(keys(pair[p])[i]).load(relaxed);
                if (k == hash) return pair[p] * bucket_entries + i;
                if (k == 0) hole[p] = pair[p] * bucket_entries + i;
                taken[p] += k != 0;
            }
        }
        const std::size_t entry = hole[taken[1] < taken[0] ? 1 : 0];
        if (entry == nowhere) return nowhere;  // the emptier one is full, so both are
        std::uint64_t expected = 0;
        if (word(*key(entry)).compare_exchange_strong(expected, hash) || expected == hash) return entry;
    }
    return nowhere;
}

bool prefix_index::unused(std::size_t entry) const {
    for (std::size_t w = 0; w < words_; ++w)
        if (word(bits(entry)[w]).load() != 0) return false;
    return true;
}

// The last bit to go gives the entry back. The order matters: the name is taken away, then the bits are read once
// more; insert_block sets its bit, then reads the name once more. One of the two sees the other (hence the default,
// sequentially consistent order).
void prefix_index::clear_bit(std::size_t entry, std::size_t slot) {
    const std::uint64_t bit = std::uint64_t{1} << slot % 64;
    if ((word(bits(entry)[slot / 64]).fetch_and(~bit) & bit) == 0 || !unused(entry)) return;
    word name(*key(entry));
    std::uint64_t hash = name.load();
    if (hash == 0 || hash == freeing || !name.compare_exchange_strong(hash, freeing)) return;
    name.store(unused(entry) ? 0 : hash);
}

void prefix_index::truncate(std::size_t slot, std::span<const prefix_block> chain, std::size_t first) {
    for (std::size_t i = first; i < chain.size(); ++i)
        for_each_entry(chain[i].hash, [&](std::size_t entry) { clear_bit(entry, slot); });
}

void prefix_index::wipe(std::size_t slot) {
    ring& r = rings_[slot];
    const std::uint64_t end = r.tail.load(relaxed);
    while (r.head.load(relaxed) < end && advance(slot, false)) {
    }
    for (std::size_t i = 0; i < used_bits_ / 32; ++i) item_ref(r.used[i]).store(0, relaxed);
}

// --- rings -------------------------------------------------------------------------------------------------------

void prefix_index::push(std::size_t slot, std::uint32_t item) {
    constexpr int rounds_spared = 1'024;  // then the oldest goes, used or not: nobody searches for ever
    ring& r = rings_[slot];
    r.bytes.fetch_add(bytes_of(item), relaxed);
    for (int i = 0; r.bytes.load(relaxed) > r.capacity.load(relaxed) ||
                    r.tail.load(relaxed) - r.head.load(relaxed) >= ring_blocks_;
         ++i)
        if (!advance(slot, i < rounds_spared)) break;
    put(slot, item);
}

void prefix_index::put(std::size_t slot, std::uint32_t item) {
    ring& r = rings_[slot];
    const std::uint64_t at = r.tail.fetch_add(1, relaxed);
    // Something lies there only when the hand passed before its owner had put it down.
    if (const auto old = item_ref(r.items[at % ring_blocks_]).exchange(item, relaxed); old != 0) forget(slot, old);
}

bool prefix_index::advance(std::size_t slot, bool spare) {
    ring& r = rings_[slot];
    std::uint64_t at = r.head.load(relaxed);
    do {
        if (at >= r.tail.load(relaxed)) return false;
    } while (!r.head.compare_exchange_weak(at, at + 1, relaxed));
    const std::uint32_t item = item_ref(r.items[at % ring_blocks_]).exchange(0, relaxed);
    if (item == 0) return true;
    const std::uint32_t mask = used_mask(entry_of(item));
    if (spare && (item_ref(*used_word(r, entry_of(item))).fetch_and(~mask, relaxed) & mask) != 0)
        put(slot, item);
    else
        forget(slot, item);
    return true;
}

void prefix_index::forget(std::size_t slot, std::uint32_t item) {
    rings_[slot].bytes.fetch_sub(bytes_of(item), relaxed);
    clear_bit(entry_of(item), slot);
}

// The bits "used" are found by a hash and not kept beside the entries, which would cost a third more memory. Eight
// of them per block: one in eight unused blocks at most shares its bit with a used one and stays for another round.
std::uint32_t* prefix_index::used_word(const ring& r, std::size_t entry) const {
    return r.used + (stir(entry) & (used_bits_ - 1)) / 32;
}

std::uint32_t prefix_index::used_mask(std::size_t entry) const {
    return 1u << (stir(entry) & (used_bits_ - 1)) % 32;
}

void prefix_index::set_capacity(std::size_t slot, std::uint64_t bytes) {
    rings_[slot].capacity.store(static_cast<std::int64_t>(std::min<std::uint64_t>(bytes, 1ULL << 62)), relaxed);
}

double prefix_index::fill(std::size_t slot) const {
    const ring& r = rings_[slot];
    const auto capacity = static_cast<double>(r.capacity.load(relaxed));
    if (capacity <= 0) return 1;
    return std::clamp(static_cast<double>(r.bytes.load(relaxed)) / capacity, 0.0, 1.0);
}

std::size_t prefix_index::entries() const {
    std::size_t n = 0;
    for (std::size_t b = 0; b < buckets_; ++b)
        for (std::size_t i = 0; i < bucket_entries; ++i) n += word(keys(b)[i]).load(relaxed) > freeing;
    return n;
}

}  // namespace sluice::picker
