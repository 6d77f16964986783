#include "routing/attempt_plan.hpp"

#include "base/glob.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sluice::routing {
namespace {

// FNV-1a, then a finaliser: spreads names that differ in one letter over all 64 bits. Not for hostile keys: whoever
// chooses the subject can choose an arm, which is what staying means.
std::uint64_t hash_of(std::string_view subject, const target_config& arm) {
    std::uint64_t h = 0xcbf29ce484222325;
    for (const std::string_view text : {subject, std::string_view(arm.provider), std::string_view(arm.model)}) {
        for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3;
        h = (h ^ 0xff) * 0x100000001b3;  // ends a part: no byte of UTF-8 is 0xff
    }
    h ^= h >> 33;
    h *= 0xff51afd7ed558ccd;
    h ^= h >> 33;
    h *= 0xc4ceb9fe1a85ec53;
    return h ^ (h >> 33);
}

// In (0, 1].
double unit_of(std::uint64_t h) {
    return (static_cast<double>(h >> 11) + 1) * 0x1.0p-53;
}

bool any_matches(const std::vector<std::string>& globs, std::string_view text) {
    return globs.empty() ||
           std::any_of(globs.begin(), globs.end(), [&](const std::string& g) { return glob_match(g, text); });
}

}  // namespace

attempt_plan::attempt_plan(const model& asked, const exchange& x, runtimes& providers, random_source& random,
                           std::string_view subject, const target_filter& filter)
    : asked_(asked), x_(x), providers_(providers), random_(random), subject_(subject), filter_(filter) {}

std::optional<candidate> attempt_plan::next(steady_time now) {
    // First without broken addresses, over all models; then rather a broken one than none.
    for (const bool strict : {true, false}) {
        if (auto c = next_of(asked_, now, strict)) return c;
        for (const model* m : asked_.fallback) {
            if (!x_.caller.may_use(m->config.name)) continue;
            if (auto c = next_of(*m, now, strict)) return c;
        }
    }
    return std::nullopt;
}

std::optional<candidate> attempt_plan::next_of(const model& m, steady_time now, bool strict) {
    if (m.targets.size() == 1)
        return eligible(m, m.targets.front()) ? try_target(m, m.targets.front(), now, strict) : std::nullopt;
    int done = -1;  // priorities up to here have been looked at
    for (;;) {
        int lowest = std::numeric_limits<int>::max();
        for (const target& t : m.targets) {
            if (t.config.priority > done) lowest = std::min(lowest, t.config.priority);
        }
        if (lowest == std::numeric_limits<int>::max()) return std::nullopt;
        std::vector<const target*> tier;
        for (const target& t : m.targets) {
            if (t.config.priority == lowest && eligible(m, t)) tier.push_back(&t);
        }
        order(tier);
        for (const target* t : tier) {
            if (auto c = try_target(m, *t, now, strict)) return c;
        }
        done = lowest;
    }
}

void attempt_plan::order(std::vector<const target*>& tier) {
    if (tier.size() < 2) return;
    // The smallest -ln(u)/weight wins with probability weight/sum (Efraimidis and Spirakis); with u from a hash of
    // the subject it is weighted rendezvous hashing, and a target that leaves moves only its own callers.
    std::vector<std::pair<double, const target*>> scored;
    for (const target* t : tier) {
        const double u = subject_.empty() ? 1.0 - random_.unit() : unit_of(hash_of(subject_, t->config));
        scored.emplace_back(-std::log(u) / t->config.weight, t);
    }
    std::sort(scored.begin(), scored.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::transform(scored.begin(), scored.end(), tier.begin(), [](const auto& s) { return s.second; });
}

std::optional<candidate> attempt_plan::try_target(const model& m, const target& t, steady_time now, bool strict) {
    provider_runtime& at = *providers_[t.provider_index];
    const auto usable_credential = [&](std::size_t i) {
        return std::none_of(tried_.begin(), tried_.end(), [&](const attempt& a) {
            return a.what.at == &at && a.whose == fault::credential && a.what.credential == i;
        });
    };
    const auto usable_endpoint = [&](std::size_t i) {
        return std::none_of(tried_.begin(), tried_.end(), [&](const attempt& a) {
            if (a.what.at != &at || a.what.endpoint != i) return false;
            return a.whose == fault::address || (a.whose == fault::target && a.what.to == &t);
        });
    };
    const auto credential = at.pick_credential(now, usable_credential);
    if (!credential) return std::nullopt;
    const auto endpoint = at.pick_endpoint(now, strict, usable_endpoint);
    if (!endpoint) return std::nullopt;
    return candidate{&t, &m, &at, *endpoint, *credential};
}

bool attempt_plan::tried(const provider_runtime& at) const {
    return std::any_of(tried_.begin(), tried_.end(), [&](const attempt& a) { return a.what.at == &at; });
}

bool attempt_plan::eligible(const model& m, const target& t) const {
    if (t.config.weight <= 0 || !filter_.allows(m, t)) return false;
    if (!t.config.when) return true;
    const condition_config& when = *t.config.when;
    if (!any_matches(when.keys, x_.caller.key_id) || !any_matches(when.tenants, x_.caller.tenant)) return false;
    for (const auto& [name, glob] : when.headers) {
        const auto value = x_.request().headers.find(name);
        if (!value || !glob_match(glob, *value)) return false;
    }
    const json_object* body = x_.parsed_json();
    for (const auto& [name, glob] : when.body) {
        const auto value = body != nullptr ? body->find(name) : std::nullopt;
        if (!value) return false;
        const auto text = value->string();
        if (!glob_match(glob, text ? std::string_view(*text) : value->raw)) return false;
    }
    return true;
}

std::chrono::milliseconds attempt_plan::limited_for(steady_time now) const {
    std::chrono::milliseconds longest{0};
    const auto look = [&](const model& m) {
        for (const target& t : m.targets) {
            if (eligible(m, t)) longest = std::max(longest, providers_[t.provider_index]->limited_for(now));
        }
    };
    look(asked_);
    for (const model* m : asked_.fallback) {
        if (x_.caller.may_use(m->config.name)) look(*m);
    }
    return longest;
}

}  // namespace sluice::routing
