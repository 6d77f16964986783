#include "governance/jose/jwk.hpp"

#include "base/base64.hpp"
#include "governance/jose/openssl_keys.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace sluice::jose {
namespace {

error bad(std::string message, std::string param = {}) {
    return error{error_kind::bad_request, std::move(message), std::move(param)};
}

std::optional<std::string> text_of(const json_object& o, std::string_view name) {
    const auto value = o.find(name);
    return value ? value->string() : std::nullopt;
}

result<std::string> bytes_of(const json_object& o, std::string_view name) {
    const auto text = text_of(o, name);
    if (!text) return bad("missing or not a string", std::string(name));
    auto bytes = base64url_decode(*text);
    if (!bytes || bytes->empty()) return bad("not base64url, or empty", std::string(name));
    return std::move(*bytes);
}

// A key without `use` and `key_ops` may do what its type can do.
bool may_verify(const json_object& jwk) {
    if (const auto use = jwk.find("use"); use && use->string() != "sig") return false;
    const auto operations = jwk.find("key_ops");
    if (!operations) return true;
    if (operations->type != json_type::array) return false;
    const auto listed = json_elements(*operations);
    return std::any_of(listed.begin(), listed.end(), [](const json_value& v) { return v.string() == "verify"; });
}

struct curve_traits {
    std::string_view name;  // as `crv` spells it
    curve id;
    key_type type;
    const char* openssl_name;
    std::size_t coordinate_bytes;
};
constexpr std::array curves = {
    curve_traits{"P-256", curve::p256, key_type::ec, "P-256", 32},
    curve_traits{"P-384", curve::p384, key_type::ec, "P-384", 48},
    curve_traits{"P-521", curve::p521, key_type::ec, "P-521", 66},
    curve_traits{"secp256k1", curve::secp256k1, key_type::ec, "secp256k1", 32},
    curve_traits{"Ed25519", curve::ed25519, key_type::okp, "ED25519", 32},
    curve_traits{"Ed448", curve::ed448, key_type::okp, "ED448", 57},
};

const curve_traits* curve_of(const json_object& jwk, key_type type) {
    const auto name = text_of(jwk, "crv");
    const auto at = std::find_if(curves.begin(), curves.end(),
                                 [&](const curve_traits& c) { return name == c.name && c.type == type; });
    return at == curves.end() ? nullptr : &*at;
}

result<void> read_rsa(const json_object& jwk, const jwk_limits& limits, verification_key& key) {
    auto n = bytes_of(jwk, "n");
    if (!n) return n.error();
    auto e = bytes_of(jwk, "e");
    if (!e) return e.error();
    auto pkey = rsa_public_key(*n, *e, limits.rsa_bits_min, limits.rsa_bits_max);
    if (!pkey) return pkey.error();
    key.pkey = std::move(*pkey);
    return {};
}

result<void> read_curve_key(const json_object& jwk, verification_key& key) {
    const curve_traits* c = curve_of(jwk, key.type);
    if (c == nullptr) return bad("a curve we do not verify", "crv");
    key.curve = c->id;
    auto x = bytes_of(jwk, "x");
    if (!x) return x.error();
    std::string y;
    if (key.type == key_type::ec) {
        auto read = bytes_of(jwk, "y");
        if (!read) return read.error();
        y = std::move(*read);
        if (y.size() != c->coordinate_bytes) return bad("a coordinate of the wrong length", "y");
    }
    if (x->size() != c->coordinate_bytes) return bad("a coordinate of the wrong length", "x");
    auto pkey = key.type == key_type::ec ? ec_public_key(c->openssl_name, *x, y) : raw_public_key(c->openssl_name, *x);
    if (!pkey) return pkey.error();
    key.pkey = std::move(*pkey);
    return {};
}

result<void> read_octets(const json_object& jwk, verification_key& key) {
    constexpr std::size_t shortest = 32;  // no HMAC of ours has a shorter hash
    auto k = bytes_of(jwk, "k");
    if (!k) return k.error();
    if (k->size() < shortest) return bad("a shared secret shorter than 32 bytes", "k");
    key.octets = secret(std::move(*k));
    return {};
}

result<key_type> type_of(const json_object& jwk) {
    const auto kty = text_of(jwk, "kty");
    if (kty == "oct") return key_type::oct;
    if (kty == "RSA") return key_type::rsa;
    if (kty == "EC") return key_type::ec;
    if (kty == "OKP") return key_type::okp;
    return bad("a key type we do not verify", "kty");
}

curve curve_for(algorithm a) {
    switch (a) {
        case algorithm::es256:
            return curve::p256;
        case algorithm::es384:
            return curve::p384;
        case algorithm::es512:
            return curve::p521;
        case algorithm::es256k:
            return curve::secp256k1;
        default:
            return curve::none;
    }
}

}  // namespace

bool verification_key::fits(algorithm a) const {
    if (alg && *alg != a) return false;
    switch (traits(a).kind) {
        case family::hmac:
            return type == key_type::oct && octets.reveal().size() >= traits(a).hash_bytes;
        case family::rsa_pkcs1:
        case family::rsa_pss:
            return type == key_type::rsa;
        case family::ecdsa:
            return type == key_type::ec && curve == curve_for(a);
        case family::eddsa:
            return type == key_type::okp;
    }
    return false;
}

result<verification_key> parse_jwk(const json_object& jwk, const jwk_limits& limits) {
    verification_key key;
    key.kid = text_of(jwk, "kid").value_or("");
    auto type = type_of(jwk);
    if (!type) return type.error();
    key.type = *type;
    if (!may_verify(jwk)) return bad("not a key for verifying signatures", "use");
    if (const auto alg = jwk.find("alg")) {
        auto name = alg->string().value_or("");
        // P-521 tempts people to write ES521; the curve leaves no doubt what is meant.
        if (name == "ES521") name = "ES512";
        key.alg = algorithm_named(name);
        if (!key.alg) return bad("an algorithm we do not verify", "alg");
    }
    auto read = key.type == key_type::oct   ? read_octets(jwk, key)
                : key.type == key_type::rsa ? read_rsa(jwk, limits, key)
                                            : read_curve_key(jwk, key);
    if (!read) return read.error();
    if (key.alg && !key.fits(*key.alg)) return bad("the algorithm does not fit the key", "alg");
    return key;
}

const verification_key* key_set::find(std::string_view kid) const {
    const auto at = std::find_if(keys.begin(), keys.end(), [&](const verification_key& k) { return k.kid == kid; });
    return at == keys.end() ? nullptr : &*at;
}

result<key_set> parse_jwks(std::string_view text, const jwk_limits& limits) {
    if (text.size() > jwks_bytes_max) return bad("a key set over 256 KiB");
    auto root = json_object::parse(text);
    if (!root) return root.error();
    const auto listed = root->find("keys");
    if (!listed || listed->type != json_type::array) return bad("not a key set", "/keys");
    const auto members = json_elements(*listed);
    if (members.size() > jwks_keys_max) return bad("a key set of more than 64 keys", "/keys");

    key_set set;
    std::set<std::string> kids;
    for (std::size_t i = 0; i < members.size(); ++i) {
        auto jwk = json_object::inside(members[i]);
        if (!jwk) return jwk.error();
        // A broken key counts too: its kid is taken, even if nobody can use it.
        if (const auto kid = text_of(*jwk, "kid"); kid && may_verify(*jwk) && !kids.insert(*kid).second) {
            return bad("two keys of one kid", "/keys");
        }
        auto key = parse_jwk(*jwk, limits);
        if (key) {
            set.keys.push_back(std::move(*key));
        } else {
            set.skipped.push_back("/keys/" + std::to_string(i) + "/" + key.error().param + ": " + key.error().message);
        }
    }
    bool shared = false, open = false;
    for (const verification_key& key : set.keys) {
        (key.type == key_type::oct ? shared : open) = true;
    }
    if (shared && open) return bad("shared secrets beside public keys", "/keys");
    return set;
}

}  // namespace sluice::jose
