// Finds the credential in a request's head, and takes every credential out of it.
#pragma once

#include "stages/auth/auth_config.hpp"

#include <sluice/message.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::auth {

struct credential {
    enum class found : std::uint8_t {
        none,
        one,        // the same text may stand in several places
        several,    // places that contradict each other
        malformed,  // a place that holds no credential: an unknown scheme, an empty value
    };
    found what = found::none;
    bool bearer = false;  // from the Bearer form, where a token may stand

    // Of `one`. Valid while this object and the head live unchanged.
    std::string_view text() const { return decoded.empty() ? view : std::string_view{decoded}; }

    std::string_view view;  // into the head
    std::string decoded;    // when it stood percent-encoded in the query
};

// Where to look. Immutable after construction.
class credential_places {
public:
    explicit credential_places(const auth_config& config);

    // The result views `head`.
    credential find(const request_head& head) const;

    // Removes every header that may hold a credential, ours or not, and the configured query parameter: what
    // a client proves itself with must never reach an upstream.
    void strip(request_head& head) const;

private:
    void read(const api_key_config& config);
    bool may_hold_one(std::string_view name) const { return name.size() >= 64 || (sizes_ >> name.size() & 1) != 0; }

    std::vector<std::string> headers_;  // lower case, without authorization
    std::vector<std::string> stripped_;
    std::uint64_t sizes_ = 0;  // bit n: a name of n bytes is among them; most fields of a request end at that
    bool authorization_ = false;
    std::string query_;
};

// Three non-empty base64url parts between dots: worth reading as a token.
bool looks_like_jwt(std::string_view text);

}  // namespace sluice::auth
