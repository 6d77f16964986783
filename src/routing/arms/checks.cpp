#include "routing/arms/checks.hpp"

#include "base/nearest.hpp"

#include <algorithm>
#include <set>

namespace sluice::routing {
namespace {

bool plain_name(std::string_view name) {
    return name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                      c == '_' || c == '.';
           });
}

const model_config* find(const std::vector<model_config>& models, std::string_view name) {
    const auto found =
        std::find_if(models.begin(), models.end(), [&](const model_config& m) { return m.name == name; });
    return found == models.end() ? nullptr : &*found;
}

// Exactly one step: a successor that leads on would let a name's meaning depend on another's end.
void check_successor(config_reader& r, const std::string& at, const model_config& m, const routing_config& c) {
    const std::string& name = m.life.successor;
    if (name.empty()) return;
    const model_config* const next = find(c.models, name);
    if (next == nullptr) {
        std::vector<std::string> names;
        for (const model_config& other : c.models) names.push_back(other.name);
        r.problem(at + ".successor", "there is no model \"" + name + "\"" + did_you_mean(name, names));
    } else if (next == &m) {
        r.problem(at + ".successor", "a model cannot succeed itself");
    } else if (name.find('*') != std::string::npos) {
        r.problem(at + ".successor", "must be one model, not a pattern");
    } else if (next->life.state != model_state::active) {
        r.problem(at + ".successor", "\"" + name + "\" is " + std::string(name_of(next->life.state)) + " itself",
                  "name a model that is active");
    }
}

// A fallback is reached without its name being asked for: nothing would ask who may see it.
void check_fallbacks(config_reader& r, const std::string& at, const model_config& m, const routing_config& c) {
    for (std::size_t f = 0; f < m.fallback.size(); ++f) {
        const model_config* const to = find(c.models, m.fallback[f]);
        if (to == nullptr) continue;  // reported already
        if (to->life.state != model_state::draft && to->life.state != model_state::retired) continue;
        r.problem(at + ".fallback[" + std::to_string(f) + "]",
                  "\"" + to->name + "\" is " + std::string(name_of(to->life.state)), "fall back to an active model");
    }
}

void check_shadow(config_reader& r, const std::string& at, const model_config& m, const routing_config& c) {
    if (!m.shadow) return;
    const shadow_target_config& to = m.shadow->target;
    std::vector<std::string> names;
    for (const provider_config& p : c.providers) names.push_back(p.name);
    if (!to.provider.empty() && std::find(names.begin(), names.end(), to.provider) == names.end()) {
        r.problem(at + ".shadow.target.provider",
                  "there is no provider \"" + to.provider + "\"" + did_you_mean(to.provider, names));
    }
    const std::ptrdiff_t stars_max = m.name.find('*') == std::string::npos ? 0 : 1;
    if (std::count(to.model.begin(), to.model.end(), '*') > stars_max)
        r.problem(at + ".shadow.target.model",
                  stars_max == 0 ? "holds a *, but the model's name does not" : "may hold one *");
}

}  // namespace

void check_arms(config_reader& r, const model_config& c) {
    std::set<std::string> seen;
    for (std::size_t t = 0; t < c.targets.size(); ++t) {
        const std::string& arm = c.targets[t].arm;
        if (arm.empty()) continue;
        const std::string at = "targets[" + std::to_string(t) + "].arm";
        if (!plain_name(arm)) r.problem(at, "may hold letters, digits, - _ and ., 64 at most");
        if (arm == unnamed_arm) r.problem(at, "stands for targets without an arm", "take another name");
        if (!seen.insert(arm).second) r.problem(at, "the model has another arm \"" + arm + "\" already");
    }
    if (c.expose_arm && seen.empty()) {
        r.problem("expose_arm", "no target of the model has an arm", "write arm: and a name at each target");
    }
    const bool named = c.stay == sticky::header || c.stay == sticky::body;
    if (named && c.sticky_by.empty()) {
        r.problem("sticky", c.stay == sticky::header ? "the header is missing" : "the field is missing",
                  c.stay == sticky::header ? "write sticky_by: x-user-id" : "write sticky_by: user");
    }
    if (!named && !c.sticky_by.empty()) r.problem("sticky_by", "is for sticky: header or sticky: body");
    if (c.stay == sticky::header && !c.sticky_by.empty() && !valid_header_name(c.sticky_by))
        r.problem("sticky_by", "is no name of a header");
    if (c.life.state == model_state::draining && c.stay == sticky::none)
        r.problem("state", "nobody stays with a model that is not sticky",
                  "write sticky: key, or state: retired to send everybody to the successor");
}

void check_lives(config_reader& r, const routing_config& c) {
    for (std::size_t m = 0; m < c.models.size(); ++m) {
        const std::string at = "models[" + std::to_string(m) + "]";
        check_successor(r, at, c.models[m], c);
        check_fallbacks(r, at, c.models[m], c);
        check_shadow(r, at, c.models[m], c);
    }
}

}  // namespace sluice::routing
