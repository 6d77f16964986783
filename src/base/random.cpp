#include "base/random.hpp"

#include <sys/random.h>

#include <bit>
#include <cerrno>
#include <system_error>

namespace sluice {
namespace {

std::uint64_t splitmix64(std::uint64_t& x) {
    x += 0x9e3779b97f4a7c15;
    std::uint64_t z = x;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

}  // namespace

random_source::random_source(std::uint64_t seed) {
    for (std::uint64_t& word : state_) word = splitmix64(seed);
}

random_source random_source::from_system() {
    std::array<std::uint64_t, 4> state{};
    // All zero is the one state that the generator never leaves.
    while (state == std::array<std::uint64_t, 4>{}) fill_secure(std::as_writable_bytes(std::span{state}));
    return random_source{state};
}

std::uint64_t random_source::next() {
    auto& s = state_;
    const std::uint64_t out = std::rotl(s[0] + s[3], 23) + s[0];
    const std::uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = std::rotl(s[3], 45);
    return out;
}

std::uint64_t random_source::below(std::uint64_t bound) {
    // Numbers under 2^64 mod bound would make the small results likelier: draw again.
    const std::uint64_t uneven = (0 - bound) % bound;
    std::uint64_t drawn = next();
    while (drawn < uneven) drawn = next();
    return drawn % bound;
}

random_source& thread_random() {
    thread_local random_source source = random_source::from_system();
    return source;
}

void fill_secure(std::span<std::byte> out) {
    while (!out.empty()) {
        const ssize_t n = ::getrandom(out.data(), out.size(), 0);
        if (n < 0) {
            if (errno == EINTR) continue;
            throw std::system_error(errno, std::system_category(), "getrandom");
        }
        out = out.subspan(static_cast<std::size_t>(n));
    }
}

}  // namespace sluice
