// Texts that clients keep for us and must be able neither to read nor to change: session ids, the state of a request
// that waits for an answer. AES-256-GCM (NIST SP 800-38D) with a random nonce, as base64url; bound to a purpose, so
// that one kind cannot be passed off as another.
#pragma once

#include <sluice/secret.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::mcp {

// Immutable; safe to share between threads.
class sealer {
public:
    // The key is derived from the secret; replicas that share it open each other's texts. An empty one: a new random
    // key.
    explicit sealer(const secret& shared);

    // `about` must be the same when it is opened: who the text was made for, which request it belongs to.
    std::string seal(std::string_view purpose, std::string_view about, std::string_view text,
                     std::chrono::system_clock::time_point expires) const;
    // Nothing when it was changed, made for something else, or has expired.
    std::optional<std::string> open(std::string_view purpose, std::string_view about, std::string_view sealed,
                                    std::chrono::system_clock::time_point now) const;

private:
    std::array<unsigned char, 32> key_;
};

}  // namespace sluice::mcp
