// Public keys as OpenSSL's objects, built from the numbers of a JWK.
#pragma once

#include <sluice/result.hpp>

#include <memory>
#include <string_view>

struct evp_pkey_st;

namespace sluice::jose {

using pkey_ptr = std::shared_ptr<evp_pkey_st>;

// All numbers are big-endian. Errors (bad_request) name the JWK member at fault.
result<pkey_ptr> rsa_public_key(std::string_view n, std::string_view e, int bits_min, int bits_max);
// A point that is not on the curve is an error.
result<pkey_ptr> ec_public_key(const char* group, std::string_view x, std::string_view y);
result<pkey_ptr> raw_public_key(const char* type, std::string_view x);  // "ED25519", "ED448"

}  // namespace sluice::jose
