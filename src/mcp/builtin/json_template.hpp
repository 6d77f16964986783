// A JSON value whose strings are templates (rest/template.hpp): compiled once, filled often.
#pragma once

#include "mcp/rest/template.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sluice::mcp {

class json_template {
public:
    // Error: bad_request with the place in the template that cannot be compiled.
    static result<json_template> compile(std::string_view json);
    // What a template makes is always the text of one JSON string, whatever it inserts.
    result<std::string> fill(const rest::value& data, const rest::template_context& context) const;

private:
    struct part {
        std::string literal;       // JSON as it stands
        rest::text_template text;  // behind it: a string of its own; empty: none
    };
    void add(const std::string& literal) {
        if (parts_.empty() || !parts_.back().text.empty()) parts_.emplace_back();
        parts_.back().literal += literal;
    }
    result<void> take(const rest::value& v);
    std::vector<part> parts_;
};

}  // namespace sluice::mcp
