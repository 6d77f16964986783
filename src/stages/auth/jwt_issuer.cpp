#include "stages/auth/jwt_issuer.hpp"

#include <algorithm>
#include <utility>

namespace sluice::auth {
namespace {

constexpr std::size_t claim_bytes_max = 256;  // of a text claim that is kept
constexpr std::size_t claims_max = 64;        // that are kept

jose::claim_rules rules_of(const jwt_config& c) {
    return {c.issuer, c.any_audience ? std::vector<std::string>{} : c.audiences,
            std::chrono::duration_cast<std::chrono::seconds>(c.leeway), true};
}

// Workers that read the same place share one source, and so does the next configuration.
std::shared_ptr<jwks_source> source_of(const jwt_config& c, services& s) {
    jwks_config source;
    source.url = c.jwks_url;
    source.file = c.jwks_file;
    source.text = c.jwks;
    source.refresh = c.refresh;
    source.stale_grace = c.stale_grace;
    const std::string key = "jwks/" + c.jwks_url + "|" + c.jwks_file + "|" + c.jwks + "|" +
                            std::to_string(c.refresh.count()) + "|" + std::to_string(c.stale_grace.count());
    return s.shared<jwks_source>(key, [&] { return std::make_shared<jwks_source>(std::move(source)); });
}

// Control characters would reach logs and headers.
bool printable(std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](char c) {
        const auto u = static_cast<unsigned char>(c);
        return u < 0x20 || u == 0x7f;
    });
}

std::optional<std::string> scalar_text(const json_value& v) {
    std::optional<std::string> text;
    if (v.type == json_type::string) {
        text = v.string();
    } else if (v.type == json_type::number || v.type == json_type::boolean) {
        text = std::string(v.raw);
    }
    if (text && (text->size() > claim_bytes_max || !printable(*text))) text.reset();
    return text;
}

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> out;
    while (!text.empty()) {
        const auto end = text.find(' ');
        if (end != 0) out.emplace_back(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return out;
}

std::vector<std::string> globs_of(const json_value& v) {
    if (const auto text = v.string()) return words_of(*text);
    std::vector<std::string> out;
    if (v.type != json_type::array) return out;
    for (const json_value& element : json_elements(v)) {
        if (auto text = element.string()) out.push_back(std::move(*text));
    }
    return out;
}

}  // namespace

jwt_issuer::jwt_issuer(const jwt_config& config, services& s)
    : services_(s),
      rules_(rules_of(config)),
      algorithms_(algorithms_of(config)),
      claims_(config.claims),
      keys_(source_of(config, s)) {
    keys_.source().refresh_if_aged(s);
}

awaitable<jwt_issuer::answer> jwt_issuer::verify(const jose::compact_jws& token, const json_object& claims,
                                                 identity& who, jose::verdict& reason) {
    jwks_source& source = keys_.source();
    source.refresh_if_aged(services_);
    const jose::key_set* set = keys();
    if (set == nullptr) {
        co_await source.wait(services_);
        set = keys();
    }
    if (set == nullptr) co_return answer::no_keys;

    reason = jose::verify_signature(token, *set, algorithms_);
    if (reason == jose::verdict::unknown_key) {
        const std::uint64_t tried = source.version();
        source.refresh_for_unknown_kid(services_);  // may be done at once
        co_await source.wait(services_);
        set = keys();
        if (set == nullptr) co_return answer::no_keys;
        if (source.version() != tried) reason = jose::verify_signature(token, *set, algorithms_);
    }
    if (reason != jose::verdict::good) co_return answer::refused;
    reason = jose::check_claims(claims, rules_, services_.time().wall());
    if (reason != jose::verdict::good) co_return answer::refused;
    if (!fill(claims, who)) {
        reason = jose::verdict::missing_claim;
        co_return answer::refused;
    }
    co_return answer::accepted;
}

// False when a claim that the configuration relies on is missing: a token without its tenant or its models must
// not count as one that may do anything.
bool jwt_issuer::fill(const json_object& claims, identity& who) const {
    identity found;
    found.anonymous = false;
    for (const json_member& m : claims.members()) {
        if (m.key_escaped || found.claims.size() == claims_max) continue;
        if (auto text = scalar_text(m.value)) found.claims.emplace(std::string(m.key), std::move(*text));
    }
    const auto named = [&](const std::string& claim, std::string& out) {
        const auto value = claims.find(claim);
        auto text = value ? scalar_text(*value) : std::nullopt;
        if (!text || text->empty()) return false;
        out = std::move(*text);
        return true;
    };
    if (!named(claims_.key, found.key_id)) return false;
    if (!claims_.tenant.empty() && !named(claims_.tenant, found.tenant)) return false;
    if (!claims_.models.empty()) {
        const auto value = claims.find(claims_.models);
        if (value) found.models = globs_of(*value);
        if (found.models.empty()) return false;  // an empty list would mean every model
    }
    who = std::move(found);
    return true;
}

}  // namespace sluice::auth
