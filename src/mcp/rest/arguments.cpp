// The first half of request.hpp: what a model sent, as what the tool declares.
#include "mcp/rest/request.hpp"

#include <sluice/json.hpp>

#include "base/nearest.hpp"

#include <algorithm>

namespace sluice::mcp::rest {

namespace {

using kind = value::kind;
constexpr std::size_t text_max = 1024 * 1024;

error wrong(const argument& a, std::string_view message) {
    return error{error_kind::bad_request, "argument \"" + a.name + "\": " + std::string{message}, a.name};
}

result<value> parsed_as(const argument& a, const value& v, kind wanted) {
    if (v.is(wanted)) return v;
    if (v.is(kind::string)) {
        if (auto parsed = value::parse(v.text_view()); parsed && parsed->is(wanted)) return parsed;
    }
    return wrong(a, wanted == kind::array ? "expected an array" : "expected an object");
}

result<value> as_number(const argument& a, const value& v) {
    if (v.is(kind::number) || v.is(kind::string)) {
        const auto whole = v.to_integer();
        if (whole && v.is(kind::string)) return value::integer(*whole);
        if (whole || (a.type == arg_type::number && v.is(kind::number))) return v;
        if (const auto n = v.to_number(); n && a.type == arg_type::number) return value::number(*n);
    }
    return wrong(a, a.type == arg_type::integer ? "expected a whole number" : "expected a number");
}

result<value> as_declared(const argument& a, const value& v) {
    switch (a.type) {
        case arg_type::string:
            if (v.is(kind::string)) return v;
            if (v.is(kind::number) || v.is(kind::boolean)) return value::string(v.text(text_max));
            return wrong(a, "expected a string");
        case arg_type::number:
        case arg_type::integer:
            return as_number(a, v);
        case arg_type::boolean:
            if (v.is(kind::boolean)) return v;
            if (v.text_view() == "true" || v.text_view() == "false") return value::boolean(v.text_view() == "true");
            return wrong(a, "expected true or false");
        case arg_type::array:
            return parsed_as(a, v, kind::array);
        case arg_type::object:
            break;
    }
    return parsed_as(a, v, kind::object);
}

result<void> check_choice(const argument& a, const value& v) {
    if (a.choices.is(kind::missing)) return {};
    const std::string said = v.text(text_max);
    for (const value& choice : a.choices.items()) {
        if (choice.text(text_max) == said) return {};
    }
    return wrong(a, "expected one of " + a.choices.json(1024));
}

result<void> check_names(const tool& t, const value& given) {
    for (const auto& [name, v] : given.fields()) {
        std::vector<std::string_view> known;
        for (const argument& a : t.args) known.push_back(a.name);
        if (std::find(known.begin(), known.end(), std::string_view{name}) != known.end()) continue;
        return error{error_kind::bad_request, "there is no argument of that name" + did_you_mean(name, known),
                     name.substr(0, 128)};
    }
    return {};
}

}  // namespace

result<value> read_arguments(const tool& t, std::string_view json) {
    auto given = json.empty() ? value::object({}) : value::parse(json);
    if (!given) return given;
    if (!given->is(kind::object)) return error{error_kind::bad_request, "arguments must be an object"};
    if (auto known = check_names(t, *given); !known) return known.error();
    value::members out;
    for (const argument& a : t.args) {
        const value v = given->get(a.name);
        if (v.is(kind::missing) || v.is(kind::null)) {
            if (!a.otherwise.is(kind::missing)) {
                out.emplace_back(a.name, a.otherwise);
            } else if (a.required || a.where == position::path) {
                return wrong(a, "is required");
            }
            continue;
        }
        auto made = as_declared(a, v);
        if (!made) return made;
        if (auto allowed = check_choice(a, *made); !allowed) return allowed.error();
        out.emplace_back(a.name, std::move(*made));
    }
    return value::object(std::move(out));
}

}  // namespace sluice::mcp::rest
