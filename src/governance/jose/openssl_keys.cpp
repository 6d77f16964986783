#include "governance/jose/openssl_keys.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <string>

namespace sluice::jose {
namespace {

template <auto Free>
struct freed_by {
    template <class T>
    void operator()(T* p) const {
        Free(p);
    }
};
using bignum = std::unique_ptr<BIGNUM, freed_by<BN_free>>;
using param_builder = std::unique_ptr<OSSL_PARAM_BLD, freed_by<OSSL_PARAM_BLD_free>>;
using param_list = std::unique_ptr<OSSL_PARAM, freed_by<OSSL_PARAM_free>>;
using pkey_context = std::unique_ptr<EVP_PKEY_CTX, freed_by<EVP_PKEY_CTX_free>>;

error bad(const char* message, const char* param) {
    ERR_clear_error();  // a queue left behind would be read as the failure of a later call
    return error{error_kind::bad_request, message, param};
}

bignum number(std::string_view bytes) {
    return bignum{
        BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()), nullptr)};
}

// The fingerprint of CVE-2017-15361: the primes of the faulty generator are powers of 65537 modulo every
// small prime, and so is their product. An honest modulus passes all 38 by a chance below 2^-60.
bool made_by_faulty_generator(const BIGNUM* n) {
    static constexpr BN_ULONG primes[] = {3,   5,   7,   11,  13,  17,  19,  23,  29,  31,  37,  41,  43,
                                          47,  53,  59,  61,  67,  71,  73,  79,  83,  89,  97,  101, 103,
                                          107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};
    for (const BN_ULONG p : primes) {
        const BN_ULONG rest = BN_mod_word(n, p);
        BN_ULONG power = 1;
        bool found = false;
        do {
            found = found || power == rest;
            power = power * 65537 % p;
        } while (power != 1);
        if (!found) return false;
    }
    return true;
}

result<pkey_ptr> from_params(const char* type, OSSL_PARAM* params, const char* param) {
    const pkey_context context{EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr)};
    EVP_PKEY* made = nullptr;
    if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        return bad("not a valid public key", param);
    }
    pkey_ptr key{made, EVP_PKEY_free};
    const pkey_context check{EVP_PKEY_CTX_new_from_pkey(nullptr, made, nullptr)};
    if (!check || EVP_PKEY_public_check_quick(check.get()) != 1) return bad("not a valid public key", param);
    return key;
}

}  // namespace

result<pkey_ptr> rsa_public_key(std::string_view n, std::string_view e, int bits_min, int bits_max) {
    if (n.size() > static_cast<std::size_t>(bits_max) / 8 + 1) return bad("a modulus that is too large", "n");
    if (e.size() > 8) return bad("an exponent above 64 bits", "e");
    const bignum modulus = number(n), exponent = number(e);
    if (!modulus || !exponent) throw std::bad_alloc{};
    if (BN_num_bits(modulus.get()) < bits_min) return bad("a modulus that is too small", "n");
    if (BN_num_bits(modulus.get()) > bits_max) return bad("a modulus that is too large", "n");
    if (!BN_is_odd(exponent.get()) || BN_is_one(exponent.get())) return bad("an exponent that is even or 1", "e");
    if (made_by_faulty_generator(modulus.get())) return bad("a modulus of a faulty generator (ROCA)", "n");

    const param_builder builder{OSSL_PARAM_BLD_new()};
    if (!builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1) {
        throw std::bad_alloc{};
    }
    const param_list params{OSSL_PARAM_BLD_to_param(builder.get())};
    return from_params("RSA", params.get(), "n");
}

result<pkey_ptr> ec_public_key(const char* group, std::string_view x, std::string_view y) {
    std::string point{'\x04'};  // uncompressed
    point.append(x).append(y);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(group), 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
        OSSL_PARAM_construct_end(),
    };
    return from_params("EC", params, "x");
}

result<pkey_ptr> raw_public_key(const char* type, std::string_view x) {
    EVP_PKEY* made = EVP_PKEY_new_raw_public_key_ex(nullptr, type, nullptr,
                                                    reinterpret_cast<const unsigned char*>(x.data()), x.size());
    if (made == nullptr) return bad("not a valid public key", "x");
    return pkey_ptr{made, EVP_PKEY_free};
}

}  // namespace sluice::jose
