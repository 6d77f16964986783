#include "governance/jose/claims.hpp"

#include <algorithm>

namespace sluice::jose {
namespace {

enum class audience_match { yes, no, malformed };

audience_match match_audience(const json_value& aud, const std::vector<std::string>& wanted) {
    const auto listed = [&](const json_value& v) {
        const auto name = v.string();
        return name && std::find(wanted.begin(), wanted.end(), *name) != wanted.end();
    };
    if (aud.type == json_type::string) return listed(aud) ? audience_match::yes : audience_match::no;
    if (aud.type != json_type::array) return audience_match::malformed;
    const auto names = json_elements(aud);
    return std::any_of(names.begin(), names.end(), listed) ? audience_match::yes : audience_match::no;
}

verdict check_times(const json_object& claims, const claim_rules& rules, double now) {
    const auto leeway = static_cast<double>(rules.leeway.count());
    if (const auto exp = claims.find("exp")) {
        const auto at = exp->number();
        if (!at) return verdict::malformed;
        if (now >= *at + leeway) return verdict::expired;
    } else if (rules.expiry_required) {
        return verdict::missing_claim;
    }
    for (const auto* name : {"nbf", "iat"}) {
        const auto claim = claims.find(name);
        if (!claim) continue;
        const auto at = claim->number();
        if (!at) return verdict::malformed;
        if (now < *at - leeway) return verdict::not_yet_valid;
    }
    return verdict::good;
}

}  // namespace

verdict check_claims(const json_object& claims, const claim_rules& rules, std::chrono::system_clock::time_point now) {
    const auto issuer = claims.find("iss");
    if (!issuer) return verdict::missing_claim;
    if (issuer->string() != rules.issuer) return verdict::wrong_issuer;
    if (!rules.audiences.empty()) {
        const auto aud = claims.find("aud");
        if (!aud) return verdict::missing_claim;
        const audience_match match = match_audience(*aud, rules.audiences);
        if (match == audience_match::malformed) return verdict::malformed;
        if (match == audience_match::no) return verdict::wrong_audience;
    }
    return check_times(claims, rules, std::chrono::duration<double>(now.time_since_epoch()).count());
}

}  // namespace sluice::jose
