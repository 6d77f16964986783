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

void header_rules::apply(const exchange& x, header_list& headers) const {
    // Values may come from the very headers that change.
    std::vector<std::string> values;
    values.reserve(set_.size() + add_.size());
    for (const auto* list : {&set_, &add_}) {
        for (const auto& [name, text] : *list) values.push_back(text.render(x));
    }
    for (const std::string& name : remove_) headers.remove(name);
    auto value = values.begin();
    for (const auto& [name, text] : set_) headers.set(name, *value++);
    for (const auto& [name, text] : add_) headers.add(name, *value++);
}

}  // namespace sluice::rewrite
