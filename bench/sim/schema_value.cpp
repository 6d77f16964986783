#include "sim/schema_value.hpp"

#include <simdjson.h>

#include <algorithm>

#include "sim/json_out.hpp"
#include "sim/text.hpp"

namespace sluice::sim {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

// Recursive schemas end here: deeper objects and lists stay empty.
constexpr int depth_max = 8;

class builder {
public:
    builder(const element& root, std::uint64_t seed, std::string& out) : root_(root), seed_(seed), out_(out) {}

    void write(const element& schema, int depth) {
        if (element fixed; schema["const"].get(fixed) == simdjson::SUCCESS) {
            out_ += simdjson::minify(fixed);
            return;
        }
        if (array choices; schema["enum"].get(choices) == simdjson::SUCCESS && choices.size() > 0) {
            out_ += simdjson::minify(choices.at(next() % choices.size()).value());
            return;
        }
        if (element other; alternative(schema, other) && depth < 2 * depth_max) {
            write(other, depth + 1);
            return;
        }
        write_type(schema, type_of(schema), depth);
    }

private:
    std::uint64_t next() { return mix(seed_++); }

    bool alternative(const element& schema, element& out) const {
        if (std::string_view ref; schema["$ref"].get(ref) == simdjson::SUCCESS && ref.starts_with('#')) {
            return root_.at_pointer(ref.substr(1)).get(out) == simdjson::SUCCESS;
        }
        for (const std::string_view key : {"anyOf", "oneOf", "allOf"}) {
            array options;
            if (schema[key].get(options) == simdjson::SUCCESS && options.at(0).get(out) == simdjson::SUCCESS) {
                return true;
            }
        }
        return false;
    }

    static std::string_view type_of(const element& schema) {
        std::string_view type;
        if (schema["type"].get(type) == simdjson::SUCCESS) return type;
        array types;
        if (schema["type"].get(types) == simdjson::SUCCESS && types.at(0).get(type) == simdjson::SUCCESS) return type;
        if (schema["properties"].error() == simdjson::SUCCESS) return "object";
        return schema["items"].error() == simdjson::SUCCESS ? "array" : "string";
    }

    void write_type(const element& schema, std::string_view type, int depth) {
        if (type == "object") return write_object(schema, depth);
        if (type == "array") return write_array(schema, depth);
        if (type == "integer") return put(out_, static_cast<std::int64_t>(number(schema)));
        if (type == "number") return put(out_, number(schema) + (bounded(schema) ? 0.0 : 0.5));
        if (type == "boolean") return put(out_, next() % 2 == 0);
        if (type == "null") return put(out_, "null");
        write_string(schema);
    }

    void write_object(const element& schema, int depth) {
        out_ += '{';
        object properties;
        if (depth < depth_max && schema["properties"].get(properties) == simdjson::SUCCESS) {
            bool first = true;
            for (const auto [key, value] : properties) {
                put(out_, first ? "" : ",", quoted{key}, ":");
                write(value, depth + 1);
                first = false;
            }
        }
        out_ += '}';
    }

    void write_array(const element& schema, int depth) {
        std::uint64_t count = 1;
        (void)schema["minItems"].get(count);
        out_ += '[';
        element items;
        if (depth < depth_max && schema["items"].get(items) == simdjson::SUCCESS) {
            for (std::uint64_t i = 0; i < std::clamp<std::uint64_t>(count, 1, 16); ++i) {
                if (i > 0) out_ += ',';
                write(items, depth + 1);
            }
        }
        out_ += ']';
    }

    static bool bounded(const element& schema) {
        return schema["minimum"].error() == simdjson::SUCCESS || schema["maximum"].error() == simdjson::SUCCESS;
    }

    double number(const element& schema) {
        double low = 0, high = 0;
        const bool has_low = schema["minimum"].get(low) == simdjson::SUCCESS;
        const bool has_high = schema["maximum"].get(high) == simdjson::SUCCESS;
        if (!has_low) low = has_high ? high - 100 : 0;
        if (!has_high) high = low + 100;
        const double span = std::max(0.0, high - low);
        return low + static_cast<double>(next() % (static_cast<std::uint64_t>(std::min(span, 1e9)) + 1));
    }

    void write_string(const element& schema) {
        std::string_view format;
        (void)schema["format"].get(format);
        if (format == "date") return put(out_, R"("2025-01-31")");
        if (format == "date-time") return put(out_, R"("2025-01-31T12:00:00Z")");
        if (format == "email") return put(out_, R"("someone@example.com")");
        if (format == "uuid") return put(out_, R"("0f1e2d3c-4b5a-4678-9abc-def012345678")");
        if (format == "uri") return put(out_, R"("https://example.com/a")");
        std::uint64_t shortest = 0, longest = 1U << 16;
        (void)schema["minLength"].get(shortest);
        (void)schema["maxLength"].get(longest);
        std::string text = "value-" + std::to_string(next() % 1000);
        text.resize(std::clamp<std::size_t>(text.size(), std::min<std::uint64_t>(shortest, 1U << 16),
                                            std::max(longest, shortest)),
                    'x');
        put(out_, quoted{text});
    }

    element root_;
    std::uint64_t seed_;
    std::string& out_;
};

}  // namespace

std::string value_for_schema(std::string_view schema, std::uint64_t seed) {
    simdjson::dom::parser parser;
    element root;
    if (parser.parse(simdjson::padded_string(schema)).get(root) != simdjson::SUCCESS || !root.is_object()) return "{}";
    std::string out;
    builder(root, seed, out).write(root, 0);
    return out;
}

}  // namespace sluice::sim
