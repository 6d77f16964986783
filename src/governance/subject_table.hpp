// A fixed amount of memory that holds one 64-bit state per subject, for more subjects than fit at once.
//
// Thread-safe and shared by all workers. A subject is a keyed hash of whatever is limited (see siphash.hpp),
// so that clients cannot aim at each other's slots. Open addressing within a short window; a slot whose state is
// idle (forgetting it changes nothing) may be taken over by another subject, so nothing is ever swept.
//
// Who is present is changed by compare-and-swap alone. Only the entry of a subject that is not
// present takes a spin lock, one of many, for the few instructions that keep it from being entered twice.
//
// Invariants:
//  1. The tag of a slot changes only while its word is `busy`, and a word becomes `busy` only from an idle state.
//  2. No policy ever writes a word back that its slot held before a takeover. So who reads a word, then the tag,
//     and then swaps that word for another knows that the tag was still right.
//  3. A subject is entered at the first idle slot of its window, and a slot that was never used is idle: behind
//     one there is nothing to find.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace sluice {

class subject_table {
public:
    using word = std::uint64_t;
    static constexpr word busy = ~word{0};  // no policy may use it as a state
    static constexpr std::size_t window = 64;

    // Room for about that many subjects at a time; 64 bytes and a tag for each, twice over.
    explicit subject_table(std::size_t subjects);

    enum class outcome : std::uint8_t {
        changed,
        declined,  // the policy wanted no change
        full,      // every slot of the window is in use by others
    };
    struct update_result {
        outcome what;
        std::atomic<word>* state;  // of the subject, when changed
    };

    // Applies `policy` to the state of `subject`, entering it when it is absent:
    //   bool idle(word)                  may this state be forgotten?
    //   word fresh(word)                 the state of a new subject in a slot whose idle state was this
    //   std::optional<word> change(word) the next state; nothing: leave it. May be called several times.
    // A table never holds the state 0 after a change (0 means: never used).
    template <class Policy>
    update_result update(std::uint64_t subject, Policy& policy);

    std::size_t slots() const { return tags_.size(); }

private:
    struct alignas(64) padded_word {
        std::atomic<word> value{0};
    };
    struct alignas(64) padded_lock {
        std::atomic<bool> held{false};
    };
    class scoped_lock;
    static constexpr std::size_t absent = ~std::size_t{0};

    std::size_t slot(std::uint64_t subject, std::size_t step) const { return (subject + step) & (tags_.size() - 1); }
    std::size_t find(std::uint64_t subject) const;
    template <class Policy>
    std::optional<update_result> change_present(std::size_t at, std::uint64_t subject, Policy& policy);
    template <class Policy>
    std::optional<update_result> enter(std::uint64_t subject, Policy& policy);
    std::atomic<bool>& lock_of(std::uint64_t subject) {
        // Subjects of one home must meet at one lock; other homes may share it.
        return locks_[slot(subject, 0) % locks_.size()].held;
    }

    std::vector<std::atomic<std::uint64_t>> tags_;  // packed: a lookup usually reads one cache line
    std::vector<padded_word> words_;                // apart: hot subjects do not share a line
    std::vector<padded_lock> locks_;
};

class subject_table::scoped_lock {
public:
    explicit scoped_lock(std::atomic<bool>& held) : held_(held) {
        while (held_.exchange(true, std::memory_order_acquire)) {
            while (held_.load(std::memory_order_relaxed)) {
            }
        }
    }
    ~scoped_lock() { held_.store(false, std::memory_order_release); }
    scoped_lock(const scoped_lock&) = delete;
    scoped_lock& operator=(const scoped_lock&) = delete;

private:
    std::atomic<bool>& held_;
};

template <class Policy>
subject_table::update_result subject_table::update(std::uint64_t subject, Policy& policy) {
    if (subject == 0) subject = 1;  // the tag of a slot that was never used
    while (true) {
        const std::size_t at = find(subject);
        // Nothing comes back when the table changed underneath: look again.
        const auto done = at != absent ? change_present(at, subject, policy) : enter(subject, policy);
        if (done) return *done;
    }
}

template <class Policy>
std::optional<subject_table::update_result> subject_table::change_present(std::size_t at, std::uint64_t subject,
                                                                          Policy& policy) {
    std::atomic<word>& state = words_[at].value;
    word current = state.load(std::memory_order_acquire);
    while (true) {
        if (current == busy || tags_[at].load(std::memory_order_acquire) != subject) return std::nullopt;
        const std::optional<word> next = policy.change(current);
        if (!next) return update_result{outcome::declined, nullptr};
        if (state.compare_exchange_weak(current, *next, std::memory_order_acq_rel, std::memory_order_acquire)) {
            return update_result{outcome::changed, &state};
        }
    }
}

template <class Policy>
std::optional<subject_table::update_result> subject_table::enter(std::uint64_t subject, Policy& policy) {
    const scoped_lock only_one(lock_of(subject));
    if (find(subject) != absent) return std::nullopt;
    for (std::size_t step = 0; step < window; ++step) {
        const std::size_t at = slot(subject, step);
        std::atomic<word>& state = words_[at].value;
        word current = state.load(std::memory_order_acquire);
        if (current == busy || !policy.idle(current)) continue;
        const std::optional<word> next = policy.change(policy.fresh(current));
        if (!next) return update_result{outcome::declined, nullptr};
        if (!state.compare_exchange_strong(current, busy, std::memory_order_acq_rel)) continue;
        tags_[at].store(subject, std::memory_order_release);
        state.store(*next, std::memory_order_release);
        return update_result{outcome::changed, &state};
    }
    return update_result{outcome::full, nullptr};
}

}  // namespace sluice
