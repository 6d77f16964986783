#include "mcp/builtin/json_template.hpp"

#include <sluice/json.hpp>

namespace sluice::mcp {

using rest::value;

result<json_template> json_template::compile(std::string_view json) {
    auto parsed = value::parse(json);
    if (!parsed) return parsed.error();
    json_template out;
    if (auto taken = out.take(*parsed); !taken) return taken.error();
    return out;
}

result<void> json_template::take(const value& v) {
    if (v.is(value::kind::array)) {
        std::string before = "[";
        for (const value& item : v.items()) {
            add(before);
            if (auto taken = take(item); !taken) return taken;
            before = ",";
        }
        add(v.items().empty() ? "[]" : "]");
        return {};
    }
    if (v.is(value::kind::object)) {
        std::string before = "{";
        for (const auto& [name, item] : v.fields()) {
            add(before + to_json_string(name) + ":");
            if (auto taken = take(item); !taken) return taken;
            before = ",";
        }
        add(v.fields().empty() ? "{}" : "}");
        return {};
    }
    if (!v.is(value::kind::string) || v.text_view().find("{{") == std::string_view::npos) {
        add(v.json(rest::template_bytes_max));
        return {};
    }
    auto text = rest::text_template::compile(v.text_view());
    if (!text) return text.error();
    add("");
    parts_.back().text = std::move(*text);
    return {};
}

result<std::string> json_template::fill(const value& data, const rest::template_context& context) const {
    std::string out;
    for (const part& p : parts_) {
        out += p.literal;
        if (p.text.empty()) continue;
        auto text = p.text.execute(data, context, rest::placing::text);
        if (!text) return text.error();
        append_json_string(out, *text);
        if (out.size() > context.limits.output_bytes_max)
            return error{error_kind::payload_too_large, "The result is too large."};
    }
    return out;
}

}  // namespace sluice::mcp
