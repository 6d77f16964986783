#include "governance/key_hash.hpp"

#include "base/ascii.hpp"
#include "base/ids.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <span>
#include <stdexcept>

namespace sluice {
namespace {

constexpr std::string_view sha256_prefix = "sha256:";
constexpr std::string_view hmac_prefix = "hmac-sha256:";
constexpr std::string_view key_prefix = "sk-sluice-";
constexpr std::string_view base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::size_t key_digits = 43;   // 62^43 > 2^256
constexpr std::size_t check_digits = 6;  // 62^6 > 2^32
constexpr std::size_t hex_digits = 2 * sizeof(key_digest);

void demand(bool done, const char* what) {
    if (!done) throw std::runtime_error(std::string("OpenSSL: ") + what);
}

const unsigned char* octets(std::string_view s) {
    return reinterpret_cast<const unsigned char*>(s.data());
}

std::optional<key_digest> read_hex(std::string_view text) {
    if (text.size() != hex_digits) return std::nullopt;
    key_digest out{};
    for (std::size_t i = 0; i < out.size(); ++i) {
        const int high = ascii::hex_value(text[2 * i]), low = ascii::hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        out[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    return out;
}

// `number` is big-endian and is used up: long division by 62, lowest digit first.
std::string to_base62(std::span<std::uint8_t> number, std::size_t digits) {
    std::string out(digits, '0');
    for (std::size_t at = digits; at-- > 0;) {
        unsigned rest = 0;
        for (std::uint8_t& byte : number) {
            const unsigned value = rest * 256 + byte;
            byte = static_cast<std::uint8_t>(value / 62);
            rest = value % 62;
        }
        out[at] = base62[rest];
    }
    return out;
}

std::string check_of(std::string_view digits) {
    key_digest sum = key_hasher({}).digest(digest_form::sha256, digits);
    return to_base62(std::span(sum).first(4), check_digits);
}

}  // namespace

struct key_hasher::contexts {
    EVP_MD* sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    EVP_MD_CTX* plain = EVP_MD_CTX_new();
    EVP_MAC* hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    EVP_MAC_CTX* keyed = hmac != nullptr ? EVP_MAC_CTX_new(hmac) : nullptr;

    contexts() = default;
    contexts(const contexts&) = delete;
    contexts& operator=(const contexts&) = delete;
    ~contexts() {
        EVP_MAC_CTX_free(keyed);
        EVP_MAC_free(hmac);
        EVP_MD_CTX_free(plain);
        EVP_MD_free(sha256);
    }
};

key_hasher::key_hasher(std::string_view pepper) : contexts_(std::make_unique<contexts>()) {
    demand(contexts_->sha256 != nullptr && contexts_->plain != nullptr, "SHA-256 is missing");
    demand(contexts_->keyed != nullptr, "HMAC is missing");
    char name[] = "SHA256";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                                 OSSL_PARAM_construct_end()};
    // A null key would mean "keep the last one", so an empty pepper still needs an address.
    const unsigned char* key = pepper.empty() ? octets("") : octets(pepper);
    demand(EVP_MAC_init(contexts_->keyed, key, pepper.size(), params) == 1, "HMAC key");
}

key_hasher::~key_hasher() = default;
key_hasher::key_hasher(key_hasher&&) noexcept = default;
key_hasher& key_hasher::operator=(key_hasher&&) noexcept = default;

key_digest key_hasher::digest(digest_form form, std::string_view key) {
    key_digest out{};
    if (form == digest_form::sha256) {
        unsigned size = 0;
        demand(EVP_DigestInit_ex2(contexts_->plain, contexts_->sha256, nullptr) == 1, "SHA-256");
        demand(EVP_DigestUpdate(contexts_->plain, key.data(), key.size()) == 1, "SHA-256");
        demand(EVP_DigestFinal_ex(contexts_->plain, out.data(), &size) == 1 && size == out.size(), "SHA-256");
    } else {
        std::size_t size = 0;
        demand(EVP_MAC_init(contexts_->keyed, nullptr, 0, nullptr) == 1, "HMAC");  // again, with the same key
        demand(EVP_MAC_update(contexts_->keyed, octets(key), key.size()) == 1, "HMAC");
        demand(EVP_MAC_final(contexts_->keyed, out.data(), &size, out.size()) == 1 && size == out.size(), "HMAC");
    }
    return out;
}

std::optional<hashed_key> parse_key_hash(std::string_view text) {
    hashed_key out;
    if (text.starts_with(hmac_prefix)) {
        out.form = digest_form::hmac_sha256;
        text.remove_prefix(hmac_prefix.size());
    } else if (text.starts_with(sha256_prefix)) {
        text.remove_prefix(sha256_prefix.size());
    } else {
        return std::nullopt;
    }
    const auto digest = read_hex(text);
    if (!digest) return std::nullopt;
    out.digest = *digest;
    return out;
}

std::string to_string(const hashed_key& hash) {
    const std::string_view bytes(reinterpret_cast<const char*>(hash.digest.data()), hash.digest.size());
    return std::string{hash.form == digest_form::hmac_sha256 ? hmac_prefix : sha256_prefix} + to_hex(bytes);
}

std::string hash_key(std::string_view key, std::string_view pepper) {
    const digest_form form = pepper.empty() ? digest_form::sha256 : digest_form::hmac_sha256;
    return to_string({form, key_hasher(pepper).digest(form, key)});
}

std::string generate_key() {
    key_digest random{};
    demand(RAND_priv_bytes(random.data(), static_cast<int>(random.size())) == 1, "no randomness");
    const std::string digits = to_base62(random, key_digits);
    OPENSSL_cleanse(random.data(), random.size());
    return std::string(key_prefix) + digits + check_of(digits);
}

bool is_generated_key(std::string_view text) {
    if (!text.starts_with(key_prefix)) return false;
    text.remove_prefix(key_prefix.size());
    if (text.size() != key_digits + check_digits) return false;
    if (text.find_first_not_of(base62) != std::string_view::npos) return false;
    return check_of(text.substr(0, key_digits)) == text.substr(key_digits);
}

}  // namespace sluice
