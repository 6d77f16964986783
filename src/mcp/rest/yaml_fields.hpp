// Fields of a YAML mapping that came from elsewhere: wrong types are problems, unknown keys are warnings.
#pragma once

#include "config/node.hpp"
#include "config/problem.hpp"
#include "mcp/rest/value.hpp"

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace sluice::mcp::rest {

struct complaints {
    config::problem_list problems;
    config::problem_list warnings;
};

// What a node says, as JSON. Unquoted true, false, null and JSON's numbers are those, all else is text.
value to_value(const config::node& n);

class fields {
public:
    // `map` may be null or no mapping: then there are no fields, and the latter is a problem. All outlive this object.
    fields(const config::node* map, std::string path, complaints& told);

    const config::node* find(std::string_view key) const;  // null for `key:` without a value
    bool has(std::string_view key) const { return find(key) != nullptr; }
    // Empty, or `otherwise`, when the key is not there or its type is wrong.
    std::string text(std::string_view key) const;
    std::string required_text(std::string_view key) const;
    bool flag(std::string_view key) const;
    // The items of a list, none when it is not there.
    const std::vector<config::node_ptr>& list(std::string_view key) const;
    fields section(std::string_view key) const;
    // The node as a mapping of JSON values; missing when it is not there.
    value object(std::string_view key) const;
    // One of the names, else a problem and the first.
    template <class E>
    E one_of(std::string_view key, E otherwise, std::initializer_list<std::pair<std::string_view, E>> names) const {
        const std::string said = text(key);
        if (said.empty()) return otherwise;
        std::string known;
        for (const auto& [name, meant] : names) {
            if (said == name) return meant;
            known += (known.empty() ? "" : ", ") + std::string{name};
        }
        problem(key, "expected one of " + known + ", got " + config::excerpt(said));
        return otherwise;
    }

    void problem(std::string_view key, std::string message, std::string hint = {}) const;
    void warning(std::string_view key, std::string message, std::string hint = {}) const;
    // Warns of every key that is not among these.
    void only(std::initializer_list<std::string_view> known) const;
    std::string path(std::string_view key) const;
    complaints& told() const { return told_; }

private:
    config::place at(std::string_view key) const;

    const config::node* map_;
    std::string path_;
    complaints& told_;
};

}  // namespace sluice::mcp::rest
