// Random numbers: a fast generator for identifiers, and the kernel's for secrets.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace sluice {

// xoshiro256++ of Blackman and Vigna (prng.di.unimi.it): 2^256 - 1 numbers, about a nanosecond each. Good
// for request ids, trace ids, sampling and jitter; who has seen some outputs can compute the next ones, so never for
// anything that must not be guessed. Not thread-safe: one object per thread.
class random_source {
public:
    // Expands the seed with splitmix64: the same seed gives the same numbers, for tests.
    explicit random_source(std::uint64_t seed);
    // Seeded with 256 bits from the kernel. Throws std::system_error when there are none.
    static random_source from_system();

    std::uint64_t next();
    // A number in [0, bound) without bias towards any; bound > 0.
    std::uint64_t below(std::uint64_t bound);
    // A number in [0, 1).
    double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

    // As a standard UniformRandomBitGenerator, for std::shuffle and the like.
    using result_type = std::uint64_t;
    static constexpr result_type min() { return 0; }
    static constexpr result_type max() { return ~std::uint64_t{0}; }
    result_type operator()() { return next(); }

private:
    explicit random_source(const std::array<std::uint64_t, 4>& state) : state_(state) {}
    std::array<std::uint64_t, 4> state_;
};

// The calling thread's own generator, seeded from the system at its first use.
random_source& thread_random();

// Fills `out` with bytes nobody can guess (getrandom(2)): session ids, tokens. A system call; thread-safe.
// Throws std::system_error when the kernel gives none.
void fill_secure(std::span<std::byte> out);

}  // namespace sluice
