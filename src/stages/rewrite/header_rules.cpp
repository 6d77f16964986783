#include "stages/rewrite/header_rules.hpp"

namespace sluice::rewrite {

header_rules::header_rules(const header_rules_config& config) : remove_(config.remove) {
    const auto compile = [](const std::map<std::string, std::string>& from, std::vector<field>& to) {
        for (const auto& [name, value] : from) {
            auto text = text_template::parse(value);
            if (text) to.emplace_back(name, std::move(*text));
        }
    };
    compile(config.set, set_);
    compile(config.add, add_);
}

void header_rules::apply(const exchange& x, const header_list& request, header_list& headers) const {
    for (const std::string& name : remove_) headers.remove(name);
    for (const auto& [name, text] : set_) headers.set(name, text.render(x, request));
    for (const auto& [name, text] : add_) headers.add(name, text.render(x, request));
}

}  // namespace sluice::rewrite
