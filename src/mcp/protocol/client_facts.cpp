#include "mcp/protocol/client_facts.hpp"

#include "http/json_writer.hpp"

#include <array>

namespace sluice::mcp {
namespace {

constexpr std::string_view prefix = "io.modelcontextprotocol/";
constexpr std::string_view tasks_extension = "io.modelcontextprotocol/tasks";
constexpr std::array<std::string_view, 8> level_names{"debug", "info",     "notice", "warning",
                                                      "error", "critical", "alert",  "emergency"};

std::optional<json_object> member_object(const json_object& in, std::string_view name) {
    const auto value = in.find(name);
    if (!value || value->type != json_type::object) return std::nullopt;
    auto inner = json_object::inside(*value);
    if (!inner) return std::nullopt;
    return std::move(*inner);
}

rpc_error wrong(std::string_view field, std::string_view expected) {
    return {rpc_code::invalid_params,
            std::string("`_meta.").append(field).append("` is expected to be ").append(expected).append(".")};
}

}  // namespace

abilities read_abilities(const json_value& capabilities) {
    abilities out;
    if (capabilities.type != json_type::object) return out;
    const auto all = json_object::inside(capabilities);
    if (!all) return out;
    if (const auto elicitation = member_object(*all, "elicitation")) {
        const bool url = elicitation->find("url").has_value();
        if (url) out.add(ability::elicitation_url);
        // An empty object is forms alone: what was meant before there was another mode.
        if (!url || elicitation->find("form")) out.add(ability::elicitation_form);
    }
    if (const auto sampling = member_object(*all, "sampling")) {
        out.add(ability::sampling);
        if (sampling->find("tools")) out.add(ability::sampling_tools);
        if (sampling->find("context")) out.add(ability::sampling_context);
    }
    if (member_object(*all, "roots")) out.add(ability::roots);
    const auto extensions = member_object(*all, "extensions");
    if (extensions && extensions->find(tasks_extension)) out.add(ability::tasks);
    return out;
}

std::string capabilities_json(abilities a) {
    std::string out;
    http::json_writer w(out);
    w.begin_object();
    if (a.has(ability::elicitation_form) || a.has(ability::elicitation_url)) {
        w.key("elicitation").begin_object();
        if (a.has(ability::elicitation_form)) w.key("form").raw("{}");
        if (a.has(ability::elicitation_url)) w.key("url").raw("{}");
        w.end_object();
    }
    if (a.has(ability::sampling)) {
        w.key("sampling").begin_object();
        if (a.has(ability::sampling_tools)) w.key("tools").raw("{}");
        if (a.has(ability::sampling_context)) w.key("context").raw("{}");
        w.end_object();
    }
    if (a.has(ability::roots)) w.key("roots").raw("{}");
    if (a.has(ability::tasks)) w.key("extensions").begin_object().key(tasks_extension).raw("{}").end_object();
    w.end_object();
    return out;
}

std::optional<ability> needed_for(std::string_view method, std::string_view params) {
    if (method == "roots/list") return ability::roots;
    const auto fields = members_of(params);
    if (method == "sampling/createMessage")
        return fields && fields->find("tools") ? ability::sampling_tools : ability::sampling;
    if (method == "elicitation/create") {
        const auto mode = fields ? fields->find("mode") : std::nullopt;
        return mode && mode->raw == R"("url")" ? ability::elicitation_url : ability::elicitation_form;
    }
    return std::nullopt;
}

std::optional<log_level> parse_log_level(std::string_view text) {
    for (std::size_t i = 0; i < level_names.size(); ++i)
        if (level_names[i] == text) return static_cast<log_level>(i);
    return std::nullopt;
}

std::string_view to_string(log_level level) {
    return level_names[static_cast<std::size_t>(level)];
}

std::variant<request_meta, rpc_error> read_meta(std::string_view params) {
    request_meta out;
    const auto fields = members_of(params);
    const auto meta_value = fields ? fields->find("_meta") : std::nullopt;
    if (!meta_value) return out;
    if (meta_value->type != json_type::object)
        return rpc_error{rpc_code::invalid_params, "`_meta` is expected to be an object."};
    const auto meta = json_object::inside(*meta_value);
    if (!meta) return rpc_error{rpc_code::invalid_params, "`_meta` has a member twice."};
    const auto find = [&](std::string_view name) { return meta->find(std::string(prefix).append(name)); };
    if (const auto version = find("protocolVersion")) {
        const auto text = version->string();
        if (!text) return wrong("io.modelcontextprotocol/protocolVersion", "a text");
        out.present = true;
        out.protocol_version = *text;
        if (const auto known = parse_version(*text)) out.client.speaks = *known;
    }
    if (const auto capabilities = find("clientCapabilities")) {
        if (capabilities->type != json_type::object)
            return wrong("io.modelcontextprotocol/clientCapabilities", "an object");
        out.has_capabilities = true;
        out.client.can = read_abilities(*capabilities);
    }
    if (const auto level = find("logLevel")) {
        const auto text = level->string();
        out.client.log_from = text ? parse_log_level(*text) : std::nullopt;
        if (!out.client.log_from) return wrong("io.modelcontextprotocol/logLevel", "a level of logging");
    }
    if (const auto token = meta->find("progressToken")) {
        const bool good = token->type == json_type::string || (token->type == json_type::number && token->integer());
        if (!good || token->raw.size() > id_bytes_max) return wrong("progressToken", "a text or an integer");
        out.progress_token = token->raw;
    }
    return out;
}

}  // namespace sluice::mcp
