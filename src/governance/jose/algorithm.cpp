#include "governance/jose/algorithm.hpp"

#include <iterator>

namespace sluice::jose {
namespace {

// In the order of the enumeration.
constexpr algorithm_traits table[] = {
    {"HS256", family::hmac, "SHA256", 32},      {"HS384", family::hmac, "SHA384", 48},
    {"HS512", family::hmac, "SHA512", 64},      {"RS256", family::rsa_pkcs1, "SHA256", 32},
    {"RS384", family::rsa_pkcs1, "SHA384", 48}, {"RS512", family::rsa_pkcs1, "SHA512", 64},
    {"PS256", family::rsa_pss, "SHA256", 32},   {"PS384", family::rsa_pss, "SHA384", 48},
    {"PS512", family::rsa_pss, "SHA512", 64},   {"ES256", family::ecdsa, "SHA256", 32},
    {"ES384", family::ecdsa, "SHA384", 48},     {"ES512", family::ecdsa, "SHA512", 64},
    {"ES256K", family::ecdsa, "SHA256", 32},    {"EdDSA", family::eddsa, nullptr, 0},
};
static_assert(std::size(table) == static_cast<std::size_t>(algorithm::eddsa) + 1);

}  // namespace

const algorithm_traits& traits(algorithm a) {
    return table[static_cast<std::size_t>(a)];
}

std::optional<algorithm> algorithm_named(std::string_view name) {
    for (std::size_t i = 0; i < std::size(table); ++i) {
        if (table[i].name == name) return static_cast<algorithm>(i);
    }
    return std::nullopt;
}

}  // namespace sluice::jose
