#include "mcp/protocol/mirrored_arguments.hpp"

#include <sluice/message.hpp>

#include <algorithm>
#include <array>

namespace sluice::mcp {
namespace {

constexpr std::string_view keyword = "x-mcp-header";
constexpr std::size_t depth_max = 64, mirrored_max = 100;

// Keywords whose values are data, not schemas: what stands there annotates nothing.
bool is_data(std::string_view key) {
    constexpr std::array<std::string_view, 5> names{"const", "enum", "default", "examples", "example"};
    return std::find(names.begin(), names.end(), key) != names.end();
}

// Keywords whose members are schemas by names of their own.
bool names_schemas(std::string_view key) {
    constexpr std::array<std::string_view, 5> names{"properties", "patternProperties", "$defs", "definitions",
                                                    "dependentSchemas"};
    return std::find(names.begin(), names.end(), key) != names.end();
}

std::size_t count_annotations(const json_value& v, bool named, std::size_t depth) {
    std::size_t n = 0;
    if (depth > depth_max) return n;
    if (v.type == json_type::array)
        for (const json_value& item : json_elements(v)) n += count_annotations(item, false, depth + 1);
    if (v.type != json_type::object) return n;
    const auto fields = json_object::inside(v);
    if (!fields) return n;
    for (const json_member& m : fields->members()) {
        if (!named && m.key == keyword) ++n;
        if (named || !is_data(m.key)) n += count_annotations(m.value, !named && names_schemas(m.key), depth + 1);
    }
    return n;
}

error bad(std::string_view header, std::string_view what) {
    return error{error_kind::bad_request, std::string("x-mcp-header \"").append(header).append("\" ").append(what)};
}

class collector {
public:
    result<void> properties_of(const json_object& schema, std::size_t depth) {
        const auto properties = schema.find("properties");
        if (!properties || properties->type != json_type::object || depth > depth_max) return {};
        const auto named = json_object::inside(*properties);
        if (!named) return {};
        for (const json_member& m : named->members()) {
            if (m.value.type != json_type::object) continue;
            const auto inner = json_object::inside(m.value);
            if (!inner) continue;
            path_.push_back(json_value{json_type::string, "\"" + std::string(m.key) + "\""}.string().value_or(""));
            if (auto taken = take(*inner); !taken) return taken;
            if (auto below = properties_of(*inner, depth + 1); !below) return below;
            path_.pop_back();
        }
        return {};
    }
    std::vector<mirrored_argument> found;

private:
    result<void> take(const json_object& property) {
        const auto annotation = property.find(keyword);
        if (!annotation) return {};
        const auto header = annotation->string();
        if (!header || !valid_header_name(*header))
            return bad(annotation->raw.substr(0, 64), "is no name of a header.");
        const auto type = property.find("type");
        const std::string_view t = type ? type->raw : std::string_view{};
        if (t != R"("string")" && t != R"("integer")" && t != R"("boolean")")
            return bad(*header, "is of an argument that is no string, integer or boolean.");
        for (const mirrored_argument& other : found)
            if (iequals(other.header, *header)) return bad(*header, "stands there twice.");
        if (found.size() >= mirrored_max) return bad(*header, "is one too many.");
        found.push_back({*header, path_});
        return {};
    }
    std::vector<std::string> path_;
};

}  // namespace

result<std::vector<mirrored_argument>> mirrored_arguments(std::string_view input_schema) {
    const json_value root{json_type::object, input_schema};
    const std::size_t annotations = count_annotations(root, false, 0);
    if (annotations == 0) return std::vector<mirrored_argument>{};
    const auto schema = json_object::inside(root);
    if (!schema) return schema.error();
    collector c;
    if (auto taken = c.properties_of(*schema, 0); !taken) return taken.error();
    if (c.found.size() != annotations) return bad("", "stands where it is not reached by properties alone.");
    return std::move(c.found);
}

}  // namespace sluice::mcp
