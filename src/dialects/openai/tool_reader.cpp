#include "dialects/openai/message_reader.hpp"
#include "dialects/openai/openai.hpp"
#include "dialects/values.hpp"

namespace sluice::chat::openai {
namespace {

result<void> take_member(const json_member& m, const std::string& at, tool& out) {
    struct known {
        std::string_view key;
        json_type type;
        std::string_view wanted;
        json tool::* field;
    };
    using enum json_type;
    static constexpr known fields[] = {
        {"name", string, "a string", &tool::name},
        {"description", string, "a string", &tool::description},
        {"parameters", object, "an object", &tool::parameters},
        {"format", object, "an object", &tool::parameters},
        {"strict", boolean, "a boolean", &tool::strict},
        {"cache_control", object, "an object", &tool::cache_control},
    };
    for (const known& f : fields) {
        if (m.key != f.key) continue;
        if (m.value.type != f.type) return wrong_type(at + "." + std::string(m.key), f.wanted);
        out.*f.field = m.value.raw;
        return {};
    }
    out.extras.push_back({m.key, m.value.raw});
    return {};
}

// `function` or `custom` of a tool.
result<void> read_described(const json_value& v, const std::string& at, tool& out) {
    const auto o = json_object::inside(v);
    if (!o) return v.type == json_type::object ? o.error() : wrong_type(at, "an object");
    for (const json_member& m : o->members()) {
        if (m.value.type == json_type::null) continue;
        if (auto taken = take_member(m, at, out); !taken) return taken;
    }
    if (out.name.empty()) return wrong_type(at + ".name", "a string");
    return {};
}

result<void> read_tool(const json_value& v, const std::string& at, tool& out) {
    const auto o = json_object::inside(v);
    if (!o) return v.type == json_type::object ? o.error() : wrong_type(at, "an object");
    const auto type = o->find("type");
    if (!type || type->type != json_type::string) return wrong_type(at + ".type", "a string");
    const bool custom = says(type->raw, "custom");
    if (!custom && !says(type->raw, "function")) {
        out.what = tool::kind::native;
        out.name = type->raw;
        out.definition = v.raw;
        out.dialect = chat_name;
        return {};
    }
    const std::string_view inner = custom ? "custom" : "function";
    const auto described = o->find(inner);
    if (!described) return wrong_type(at + "." + std::string(inner), "an object");
    if (custom) out.what = tool::kind::custom;
    if (auto read = read_described(*described, at + "." + std::string(inner), out); !read) return read;
    for (const json_member& m : o->members()) {
        if (m.value.type == json_type::null || m.key == "type" || m.key == inner) continue;
        if (m.key != "cache_control") {
            out.extras.push_back({m.key, m.value.raw});
        } else if (auto taken = take_member(m, at, out); !taken) {
            return taken;
        }
    }
    return {};
}

}  // namespace

result<void> read_tools(const json_value& v, conversation& c) {
    if (v.type != json_type::array) return wrong_type("tools", "an array");
    result<void> read;
    each_element(v.raw, [&](const json_value& element) {
        if (!read) return;
        const std::string at = "tools[" + std::to_string(c.tools.size()) + "]";
        if (c.tools.size() == list_max) {
            read = error{error_kind::bad_request, "`tools` has more than 65536 entries.", "tools"};
            return;
        }
        read = read_tool(element, at, c.tools.emplace_back());
    });
    return read;
}

namespace {

bool read_mode(json name, tool_choice& out) {
    using mode = tool_choice::mode;
    if (says(name, "auto")) out.how = mode::automatic;
    if (says(name, "none")) out.how = mode::none;
    if (says(name, "required") || says(name, "any")) out.how = mode::required;
    return out.how != mode::unset;
}

// {"name":...}, of a tool that is named.
result<json> read_name(const json_value& v, const std::string& at) {
    const auto o = json_object::inside(v);
    if (!o) return v.type == json_type::object ? o.error() : wrong_type(at, "an object");
    const auto name = o->find("name");
    if (!name || name->type != json_type::string) return wrong_type(at + ".name", "a string");
    return name->raw;
}

// An entry of the tools that are allowed: {"type":"function","function":{"name":...}}
result<json> read_allowed_tool(const json_value& v, const std::string& at) {
    const auto o = json_object::inside(v);
    if (!o) return v.type == json_type::object ? o.error() : wrong_type(at, "an object");
    const auto function = o->find("function");
    const auto custom = o->find("custom");
    if (!function && !custom) return wrong_type(at + ".function", "an object");
    return read_name(function ? *function : *custom, at + (function ? ".function" : ".custom"));
}

result<void> read_allowed(const json_value& v, tool_choice& out) {
    const std::string at = "tool_choice.allowed_tools";
    const auto o = json_object::inside(v);
    if (!o) return v.type == json_type::object ? o.error() : wrong_type(at, "an object");
    const auto mode = o->find("mode");
    if (mode && !read_mode(mode->raw, out)) return wrong_type(at + ".mode", "auto or required");
    if (!mode) out.how = tool_choice::mode::automatic;
    const auto tools = o->find("tools");
    if (!tools || tools->type != json_type::array) return wrong_type(at + ".tools", "an array");
    result<void> read;
    each_element(tools->raw, [&](const json_value& allowed) {
        if (!read) return;
        const auto name = read_allowed_tool(allowed, at + ".tools[" + std::to_string(out.allowed.size()) + "]");
        if (name) {
            out.allowed.push_back(*name);
        } else {
            read = name.error();
        }
    });
    return read;
}

}  // namespace

result<void> read_tool_choice(const json_value& v, conversation& c) {
    const error unknown{error_kind::bad_request,
                        "`tool_choice` must be auto, none, required, or an object that names a function or allowed "
                        "tools.",
                        "tool_choice"};
    if (v.type == json_type::string) return read_mode(v.raw, c.choice) ? result<void>{} : unknown;
    const auto o = json_object::inside(v);
    if (!o) return v.type == json_type::object ? o.error() : unknown;
    const auto type = o->find("type");
    if (!type) return unknown;
    for (const std::string_view kind : {"function", "custom", "allowed_tools"}) {
        if (!says(type->raw, kind)) continue;
        const auto inner = o->find(kind);
        if (!inner) return unknown;
        if (kind == "allowed_tools") return read_allowed(*inner, c.choice);
        const auto name = read_name(*inner, "tool_choice." + std::string(kind));
        if (!name) return name.error();
        c.choice.name = *name;
        c.choice.how = tool_choice::mode::named;
        return {};
    }
    return unknown;
}

}  // namespace sluice::chat::openai
