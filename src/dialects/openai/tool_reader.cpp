#include "dialects/openai/message_reader.hpp"
#include "dialects/openai/openai.hpp"
#include "dialects/values.hpp"

namespace sluice::chat::openai {
namespace {

result<void> read_function(const json_value& v, const std::string& at, tool& out) {
    const auto o = json_object::inside(v);
    if (!o) return wrong_type(at, "an object");
    for (const json_member& m : o->members()) {
        if (m.value.type == json_type::null) continue;
        if (m.key == "name") {
            out.name = m.value.raw;
        } else if (m.key == "description") {
            out.description = m.value.raw;
        } else if (m.key == "parameters" || m.key == "format") {
            if (m.value.type != json_type::object) return wrong_type(at + "." + std::string(m.key), "an object");
            out.parameters = m.value.raw;
        } else if (m.key == "strict") {
            out.strict = m.value.raw;
        } else if (m.key == "cache_control") {
            out.cache_control = m.value.raw;
        } else {
            out.extras.push_back({m.key, m.value.raw});
        }
    }
    if (!is_string(out.name)) return wrong_type(at + ".name", "a string");
    return {};
}

result<void> read_tool(const json_value& v, const std::string& at, tool& out) {
    const auto o = json_object::inside(v);
    if (!o) return v.type == json_type::object ? o.error() : wrong_type(at, "an object");
    const auto type = o->find("type");
    const auto function = o->find("function");
    const auto custom = o->find("custom");
    if (const auto marker = o->find("cache_control"); marker && marker->type == json_type::object)
        out.cache_control = marker->raw;
    if (type && says(type->raw, "function") && function) return read_function(*function, at + ".function", out);
    if (type && says(type->raw, "custom") && custom) {
        out.what = tool::kind::custom;
        return read_function(*custom, at + ".custom", out);
    }
    if (!type || type->type != json_type::string || says(type->raw, "function")) {
        return error{error_kind::bad_request, "`" + at + "` must be {\"type\":\"function\",\"function\":{...}}.", at};
    }
    out.what = tool::kind::native;
    out.name = type->raw;
    out.definition = v.raw;
    out.dialect = chat_name;
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

result<void> read_tool_choice(const json_value& v, conversation& c) {
    using mode = tool_choice::mode;
    const auto by_name = [&](json name) {
        if (says(name, "auto")) c.choice.how = mode::automatic;
        if (says(name, "none")) c.choice.how = mode::none;
        if (says(name, "required") || says(name, "any")) c.choice.how = mode::required;
        return c.choice.how != mode::unset;
    };
    if (v.type == json_type::string && by_name(v.raw)) return {};
    json type;
    each_member(v.raw, [&](std::string_view key, const json_value& m) {
        if (key == "type") type = m.raw;
        if (key != "function" && key != "custom" && key != "allowed_tools") return;
        each_member(m.raw, [&](std::string_view inner, const json_value& x) {
            if (inner == "name") c.choice.name = x.raw;
            if (inner == "mode") by_name(x.raw);
            if (inner != "tools") return;
            each_element(x.raw, [&](const json_value& allowed) {
                each_member(allowed.raw, [&](std::string_view, const json_value& function) {
                    each_member(function.raw, [&](std::string_view k, const json_value& name) {
                        if (k == "name") c.choice.allowed.push_back(name.raw);
                    });
                });
            });
        });
    });
    if (is_string(c.choice.name)) c.choice.how = mode::named;
    if (says(type, "allowed_tools") && c.choice.how == mode::unset) c.choice.how = mode::automatic;
    if (c.choice.how != mode::unset) return {};
    return error{error_kind::bad_request,
                 "`tool_choice` must be auto, none, required, or an object that names a function or allowed tools.",
                 "tool_choice"};
}

}  // namespace sluice::chat::openai
