#include "stages/rewrite/governed_fields.hpp"

#include "http/fold_case.hpp"

namespace sluice::rewrite {

governed_fields::governed_fields(const rewrite_config& config) {
    const auto govern = [&](const std::string& name) {
        std::string folded;
        http::fold_case(name, folded);
        by_folded_.try_emplace(std::move(folded), name);
    };
    for (const std::string& name : config.body.remove) govern(name);
    for (const auto& [name, raw] : config.body.defaults) govern(name);
    for (const auto& [name, raw] : config.body.set) govern(name);
    for (const auto& [name, bounds] : config.body.clamp) govern(name);
    if (!config.messages.prepend.empty() || !config.messages.append.empty()) govern("messages");
    for (const prompt_template_config& t : config.templates) {
        for (const auto& [name, raw] : t.body) govern(name);
    }
}

result<void> governed_fields::check(const json_object& body) const {
    std::string folded;
    for (const json_member& m : body.members()) {
        if (m.key_escaped) {
            return error{error_kind::bad_request, "Field names must be written without escapes.", std::string(m.key)};
        }
        http::fold_case(m.key, folded);
        const auto found = by_folded_.find(folded);
        if (found == by_folded_.end() || found->second == m.key) continue;
        return error{error_kind::bad_request, "`" + found->second + "` must be written in these letters.",
                     std::string(m.key)};
    }
    return {};
}

}  // namespace sluice::rewrite
