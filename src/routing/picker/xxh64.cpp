#include "routing/picker/xxh64.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace sluice::picker {
namespace {

static_assert(std::endian::native == std::endian::little, "reads below take the bytes as they stand");

constexpr std::uint64_t prime1 = 0x9e3779b185ebca87ULL;
constexpr std::uint64_t prime2 = 0xc2b2ae3d27d4eb4fULL;
constexpr std::uint64_t prime3 = 0x165667b19e3779f9ULL;
constexpr std::uint64_t prime4 = 0x85ebca77c2b2ae63ULL;
constexpr std::uint64_t prime5 = 0x27d4eb2f165667c5ULL;

template <class T>
std::uint64_t load(const char* p) {
    T value;
    std::memcpy(&value, p, sizeof value);
    return value;
}

std::uint64_t round(std::uint64_t lane, std::uint64_t input) {
    return std::rotl(lane + input * prime2, 31) * prime1;
}

void consume(std::array<std::uint64_t, 4>& lanes, const char* p) {
    for (std::size_t i = 0; i < 4; ++i) lanes[i] = round(lanes[i], load<std::uint64_t>(p + 8 * i));
}

std::uint64_t merged(const std::array<std::uint64_t, 4>& v) {
    std::uint64_t h = std::rotl(v[0], 1) + std::rotl(v[1], 7) + std::rotl(v[2], 12) + std::rotl(v[3], 18);
    for (const std::uint64_t lane : v) h = (h ^ round(0, lane)) * prime1 + prime4;
    return h;
}

// The last 0 to 31 bytes.
std::uint64_t finish(std::uint64_t h, const char* p, std::size_t left) {
    for (; left >= 8; p += 8, left -= 8) h = std::rotl(h ^ round(0, load<std::uint64_t>(p)), 27) * prime1 + prime4;
    if (left >= 4) {
        h = std::rotl(h ^ (load<std::uint32_t>(p) * prime1), 23) * prime2 + prime3;
        p += 4;
        left -= 4;
    }
    for (; left > 0; ++p, --left) h = std::rotl(h ^ (load<std::uint8_t>(p) * prime5), 11) * prime1;
    return stir(h);
}

}  // namespace

std::uint64_t xxh64(std::string_view text, std::uint64_t seed) {
    xxh64_stream s(seed);
    s.add(text);
    return s.digest();
}

void xxh64_stream::restart() {
    lanes_ = {seed_ + prime1 + prime2, seed_ + prime2, seed_, seed_ - prime1};
    length_ = 0;
}

void xxh64_stream::add(std::string_view piece) {
    const std::size_t waiting = length_ % stripe;
    length_ += piece.size();
    if (waiting > 0) {
        const std::size_t n = std::min(stripe - waiting, piece.size());
        std::memcpy(rest_.data() + waiting, piece.data(), n);
        piece.remove_prefix(n);
        if (waiting + n < stripe) return;
        consume(lanes_, rest_.data());
    }
    std::array<std::uint64_t, 4> lanes = lanes_;  // in registers
    const char* p = piece.data();
    const char* const end = p + piece.size() / stripe * stripe;
    for (; p != end; p += stripe) consume(lanes, p);
    lanes_ = lanes;
    if (const std::size_t left = piece.size() % stripe; left > 0) std::memcpy(rest_.data(), p, left);
}

std::uint64_t xxh64_stream::digest() {
    const std::uint64_t h = (length_ >= stripe ? merged(lanes_) : seed_ + prime5) + length_;
    const std::uint64_t all = finish(h, rest_.data(), length_ % stripe);
    restart();
    return all;
}

}  // namespace sluice::picker
