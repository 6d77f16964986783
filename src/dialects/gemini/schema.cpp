#include "dialects/gemini/gemini.hpp"
#include "dialects/values.hpp"

#include <algorithm>
#include <array>

namespace sluice::chat::gemini {
namespace {

struct type_name {
    std::string_view theirs, plain;
};
constexpr type_name types[] = {{"STRING", "string"},   {"NUMBER", "number"}, {"INTEGER", "integer"},
                               {"BOOLEAN", "boolean"}, {"ARRAY", "array"},   {"OBJECT", "object"},
                               {"NULL", "null"}};

json plain_type(json type) {
    static constexpr std::string_view quoted[] = {R"("string")", R"("number")", R"("integer")", R"("boolean")",
                                                  R"("array")",  R"("object")", R"("null")"};
    for (std::size_t i = 0; i < std::size(types); ++i) {
        if (says(type, types[i].theirs)) return quoted[i];
    }
    return type;
}

// Values of these are data, not schemas.
bool is_data(std::string_view key) {
    return key == "enum" || key == "default" || key == "example" || key == "examples" || key == "const" ||
           key == "required";
}

// A string that holds what JSON would take for a number that is not negative.
bool is_integer_text(json value) {
    const std::string_view digits = chars_of(value);
    return !digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos &&
           (digits.size() == 1 || digits.front() != '0');
}

// proto JSON writes 64-bit integers as strings.
bool is_count(std::string_view key) {
    constexpr std::array counts{"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"};
    return std::any_of(counts.begin(), counts.end(), [&](const char* c) { return is_field(key, c); });
}

void append(std::string& out, json value);

void append_object(std::string& out, json value, bool of_schemas) {
    bool nullable = false;
    if (!of_schemas) {
        each_member(value, [&](std::string_view key, const json_value& v) {
            if (key == "nullable") nullable = v.boolean().value_or(false);
        });
    }
    out += '{';
    bool first = true;
    each_member(value, [&](std::string_view key, const json_value& v) {
        if (!of_schemas && (key == "nullable" || is_field(key, "propertyOrdering"))) return;
        if (!first) out += ',';
        first = false;
        const bool any_of = !of_schemas && is_field(key, "anyOf");
        out.append(1, '"').append(any_of ? std::string_view{"anyOf"} : key).append("\":");
        if (of_schemas) {
            append(out, v.raw);
        } else if (key == "type" && nullable && is_string(v.raw)) {
            out.append("[").append(plain_type(v.raw)).append(",\"null\"]");
        } else if (key == "type") {
            out += plain_type(v.raw);
        } else if (is_count(key) && is_integer_text(v.raw)) {
            out += chars_of(v.raw);
        } else if (key == "properties" || key == "$defs" || key == "defs") {
            append_object(out, v.raw, true);
        } else if (is_data(key)) {
            out += v.raw;
        } else {
            append(out, v.raw);
        }
    });
    out += '}';
}

// A schema, or a list of schemas; anything else as it is. Nesting is bounded by the validator.
void append(std::string& out, json value) {
    if (type_of(value) == json_type::object) return append_object(out, value, false);
    if (type_of(value) != json_type::array) {
        out += value;
        return;
    }
    out += '[';
    bool first = true;
    each_element(value, [&](const json_value& v) {
        if (!first) out += ',';
        first = false;
        append(out, v.raw);
    });
    out += ']';
}

}  // namespace

json plain_schema(json schema, text_arena& arena) {
    if (type_of(schema) != json_type::object) return schema;
    std::string out;
    append(out, schema);
    return arena.keep(std::move(out));
}

}  // namespace sluice::chat::gemini
