// API keys as they are kept: never themselves, only a digest.
//
// Keys are 256 random bits, so a plain hash cannot be searched and needs no stretching. A pepper (a secret of the
// deployment) makes a stolen list of digests useless even for keys that people chose themselves.
#pragma once

#include <sluice/result.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

using key_digest = std::array<std::uint8_t, 32>;

enum class digest_form : std::uint8_t {
    sha256,       // SHA-256 of the key
    hmac_sha256,  // HMAC-SHA-256 of the key, keyed with the pepper
};

struct hashed_key {
    digest_form form = digest_form::sha256;
    key_digest digest{};
};

// "sha256:<64 hex digits>" or "hmac-sha256:<64 hex digits>".
std::optional<hashed_key> parse_key_hash(std::string_view text);
std::string to_string(const hashed_key& hash);

// Digests keys without allocating or looking algorithms up per call. Not thread-safe: one per worker.
// Throws std::runtime_error when OpenSSL lacks the algorithms.
class key_hasher {
public:
    explicit key_hasher(std::string_view pepper);
    ~key_hasher();
    key_hasher(key_hasher&&) noexcept;
    key_hasher& operator=(key_hasher&&) noexcept;

    key_digest digest(digest_form form, std::string_view key);

private:
    struct contexts;
    std::unique_ptr<contexts> contexts_;
};

// The line for `hash:` in the configuration: HMAC when there is a pepper.
std::string hash_key(std::string_view key, std::string_view pepper = {});

// A new key: "sk-sluice-", 43 base62 digits (256 random bits) and 6 more that check them, so that a
// secret scanner can tell a real key from a look-alike without asking anybody. Throws std::runtime_error when
// the system has no randomness.
std::string generate_key();
bool is_generated_key(std::string_view text);  // prefix, length and check digits are right

}  // namespace sluice
