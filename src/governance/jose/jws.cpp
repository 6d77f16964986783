#include "governance/jose/jws.hpp"

#include "base/base64.hpp"
#include "governance/jose/signature.hpp"

#include <algorithm>
#include <iterator>

namespace sluice::jose {
namespace {

bool read_header(std::string_view text, compact_jws& out) {
    auto header = json_object::parse(text);
    if (!header) return false;
    const auto alg = header->find("alg");
    if (!alg) return false;
    const auto name = alg->string();
    if (!name) return false;
    out.alg = algorithm_named(*name);
    if (const auto kid = header->find("kid")) {
        auto value = kid->string();
        if (!value) return false;
        out.kid = std::move(*value);
        out.has_kid = true;
    }
    out.critical = header->find("crit").has_value() || header->find("b64").has_value();
    return true;
}

}  // namespace

std::string_view to_string(verdict v) {
    static constexpr std::string_view names[] = {"good",          "malformed",     "not_allowed",  "unknown_key",
                                                 "bad_signature", "missing_claim", "wrong_issuer", "wrong_audience",
                                                 "expired",       "not_yet_valid"};
    static_assert(std::size(names) == static_cast<std::size_t>(verdict::not_yet_valid) + 1);
    return names[static_cast<std::size_t>(v)];
}

std::optional<compact_jws> read_compact(std::string_view token) {
    if (token.size() > token_bytes_max) return std::nullopt;
    const auto first = token.find('.');
    if (first == std::string_view::npos) return std::nullopt;
    const auto second = token.find('.', first + 1);
    if (second == std::string_view::npos) return std::nullopt;

    // A third dot ends up in the signature, where it is no base64url.
    auto header = base64url_decode(token.substr(0, first));
    auto payload = base64url_decode(token.substr(first + 1, second - first - 1));
    auto signature = base64url_decode(token.substr(second + 1));
    if (!header || !payload || !signature) return std::nullopt;

    compact_jws out;
    if (!read_header(*header, out)) return std::nullopt;
    out.payload = std::move(*payload);
    out.signature = std::move(*signature);
    out.signing_input = token.substr(0, second);
    return out;
}

verdict verify_signature(const compact_jws& token, const key_set& keys, std::span<const algorithm> allowed) {
    if (!token.alg || token.critical) return verdict::not_allowed;
    const algorithm alg = *token.alg;
    if (std::find(allowed.begin(), allowed.end(), alg) == allowed.end()) return verdict::not_allowed;

    if (token.has_kid) {
        const verification_key* key = keys.find(token.kid);
        if (key == nullptr || !key->fits(alg)) return verdict::unknown_key;
        return signature_matches(*key, alg, token.signing_input, token.signature) ? verdict::good
                                                                                  : verdict::bad_signature;
    }
    std::size_t tried = 0;
    for (const verification_key& key : keys.keys) {
        if (!key.fits(alg) || tried == keys_tried_max) continue;
        ++tried;
        if (signature_matches(key, alg, token.signing_input, token.signature)) return verdict::good;
    }
    return tried == 0 ? verdict::unknown_key : verdict::bad_signature;
}

}  // namespace sluice::jose
