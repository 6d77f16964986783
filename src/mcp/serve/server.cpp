#include "mcp/serve/server.hpp"

#include "base/base64.hpp"
#include "base/ids.hpp"
#include "http/json_writer.hpp"
#include "mcp/serve/request_state.hpp"

#include <array>
#include <charconv>

namespace sluice::mcp {
namespace {

constexpr std::size_t uri_bytes_max = 8192, listen_uris_max = 1000;

// The members of the params; none when there are no params.
struct parameters {
    explicit parameters(const rpc_message& m) : object(members_of(m.params)) {}
    std::optional<json_value> find(std::string_view name) const { return object ? object->find(name) : std::nullopt; }
    std::optional<std::string> text(std::string_view name) const {
        const auto v = find(name);
        return v ? v->string() : std::nullopt;
    }
    result<json_object> object;
};

rpc_error bad(std::string text) {
    return {rpc_code::invalid_params, std::move(text)};
}

rpc_error no_method(const std::string& name) {
    return {rpc_code::method_not_found, "Method not found: " + name};
}

std::string_view list_name(feature_kind k) {
    switch (k) {
        case feature_kind::tool:
            return "tools";
        case feature_kind::prompt:
            return "prompts";
        case feature_kind::resource:
            return "resources";
        default:
            return "resourceTemplates";
    }
}

// A cursor is where the next page begins in a list of that digest: another list begins again.
std::string write_cursor(std::size_t at, std::uint64_t digest) {
    std::string text(16, '\0');
    write_hex(digest, text.data());
    return base64url_encode(text + std::to_string(at));
}

std::optional<std::size_t> read_cursor(std::string_view cursor, std::uint64_t digest) {
    const auto text = cursor.size() < 100 ? base64url_decode(cursor) : std::nullopt;
    if (!text || text->size() < 17) return std::nullopt;
    const auto known = parse_lower_hex(std::string_view(*text).substr(0, 16));
    std::size_t at = 0;
    const auto [end, failed] = std::from_chars(text->data() + 16, text->data() + text->size(), at);
    if (!known || *known != digest || failed != std::errc() || end != text->data() + text->size()) return std::nullopt;
    return at;
}

std::variant<listen_filter, rpc_error> read_filter(const parameters& p) {
    listen_filter out;
    const auto wanted = p.find("notifications");
    if (!wanted || wanted->type != json_type::object) return bad("`notifications` is expected to be an object.");
    const auto fields = json_object::inside(*wanted);
    if (!fields) return bad("`notifications` has a member twice.");
    const auto flag = [&](std::string_view name) {
        const auto v = fields->find(name);
        return v && v->boolean().value_or(false);
    };
    out.tools = flag("toolsListChanged");
    out.prompts = flag("promptsListChanged");
    out.resources = flag("resourcesListChanged");
    if (const auto uris = fields->find("resourceSubscriptions")) {
        for (const json_value& u : json_elements(*uris)) {
            auto text = u.string();
            if (!text || text->size() > uri_bytes_max)
                return bad("`resourceSubscriptions` is expected to be a list of URIs.");
            if (out.uris.size() >= listen_uris_max) return bad("`resourceSubscriptions` has too many URIs.");
            out.uris.push_back(std::move(*text));
        }
    }
    return out;
}

}  // namespace

mcp_server::mcp_server(std::shared_ptr<view> v, server_settings settings, std::shared_ptr<const sealer> key)
    : view_(std::move(v)),
      settings_(std::move(settings)),
      key_(std::move(key)),
      calls_(
          std::make_shared<const call_setting>(call_setting{settings_.info, settings_.limits, key_, settings_.lists})) {
}

decision mcp_server::decide(const asked& a, std::chrono::system_clock::time_point now) {
    const std::string& m = a.request.method;
    if (m == "tools/call") return call_tool(a, now);
    if (m == "tools/list") return list(a, feature_kind::tool);
    if (m == "prompts/list") return list(a, feature_kind::prompt);
    if (m == "prompts/get") return get_prompt(a, now);
    if (m == "resources/list") return list(a, feature_kind::resource);
    if (m == "resources/templates/list") return list(a, feature_kind::resource_template);
    if (m == "resources/read") return read_resource(a, now);
    if (m == "completion/complete") return complete(a);
    const parameters p(a.request);
    if (modern(a.client.speaks)) {
        if (m == "server/discover") return discover(a);
        if (m != "subscriptions/listen") return no_method(m);
        auto filter = read_filter(p);
        if (auto* e = std::get_if<rpc_error>(&filter)) return *e;
        return std::get<listen_filter>(std::move(filter));
    }
    if (m == "ping") return answered{"{}"};
    setting_change change;
    if (m == "logging/setLevel") {
        change.log_from = parse_log_level(p.text("level").value_or(""));
        if (!change.log_from) return bad("`level` is expected to be a level of logging.");
        return change;
    }
    if (m == "resources/subscribe" || m == "resources/unsubscribe") {
        auto uri = p.text("uri");
        if (!uri || uri->empty() || uri->size() > uri_bytes_max) return bad("`uri` is missing.");
        (m == "resources/subscribe" ? change.subscribe : change.unsubscribe) = std::move(*uri);
        return change;
    }
    return no_method(m);
}

decision mcp_server::list(const asked& a, feature_kind kind) {
    const auto snapshot = view_->now();
    const std::vector<view_entry>& all = snapshot->of(kind);
    std::size_t at = 0;
    if (const auto cursor = parameters(a.request).find("cursor"); cursor && cursor->type != json_type::null) {
        const auto text = cursor->string();
        const auto begin = text ? read_cursor(*text, snapshot->digest(kind)) : std::nullopt;
        if (!begin || *begin >= all.size()) return bad("The cursor is not of this list, or the list has changed.");
        at = *begin;
    }
    std::string out;
    http::json_writer w(out);
    w.begin_object().key(list_name(kind)).begin_array();
    const std::size_t end = std::min(all.size(), at + settings_.page_size);
    for (; at < end; ++at) w.raw(all[at].json);
    w.end_array();
    if (end < all.size()) w.key("nextCursor").string(write_cursor(end, snapshot->digest(kind)));
    w.end_object();
    return answered{finished_result(out, a.client.speaks, settings_.info, &settings_.lists)};
}

decision mcp_server::call_tool(const asked& a, std::chrono::system_clock::time_point now) {
    const parameters p(a.request);
    const auto name = p.text("name");
    if (!name) return bad("`name` of the tool is missing.");
    const auto arguments = p.find("arguments");
    if (arguments && arguments->type != json_type::object) return bad("`arguments` is expected to be an object.");
    const auto snapshot = view_->now();
    const view_entry* tool = snapshot->find(feature_kind::tool, *name);
    if (tool == nullptr) return bad("Unknown tool: " + name->substr(0, 128));
    if (a.headers != nullptr && !tool->mirrored.empty()) {
        if (auto e = check_mirrored(*a.headers, tool->mirrored, arguments ? arguments->raw : "{}")) return *e;
    }
    return planned(a, tool->source, tool->own_name, tool->own_name, now);
}

decision mcp_server::get_prompt(const asked& a, std::chrono::system_clock::time_point now) {
    const auto name = parameters(a.request).text("name");
    if (!name) return bad("`name` of the prompt is missing.");
    const auto snapshot = view_->now();
    const view_entry* prompt = snapshot->find(feature_kind::prompt, *name);
    if (prompt == nullptr) return bad("Unknown prompt: " + name->substr(0, 128));
    return planned(a, prompt->source, prompt->own_name, prompt->own_name, now);
}

decision mcp_server::read_resource(const asked& a, std::chrono::system_clock::time_point now) {
    const auto uri = parameters(a.request).text("uri");
    if (!uri || uri->size() > uri_bytes_max) return bad("`uri` of the resource is missing.");
    const auto source = view_->now()->source_of_resource(*uri);
    if (!source) {
        std::string data;
        http::json_writer(data).begin_object().key("uri").string(*uri).end_object();
        const auto code = modern(a.client.speaks) ? rpc_code::invalid_params : rpc_code::resource_not_found;
        return rpc_error(code, "Resource not found", std::move(data));
    }
    return planned(a, *source, *uri, "resource", now);
}

decision mcp_server::complete(const asked& a) {
    const parameters p(a.request);
    const auto ref = p.find("ref");
    const auto fields = ref && ref->type == json_type::object ? json_object::inside(*ref)
                                                              : result<json_object>(error{error_kind::bad_request});
    if (!fields) return bad("`ref` is expected to be an object.");
    const auto type = fields->find("type"), name = fields->find("name"), uri = fields->find("uri");
    const auto snapshot = view_->now();
    if (type && type->raw == R"("ref/prompt")" && name) {
        const view_entry* prompt = snapshot->find(feature_kind::prompt, name->string().value_or(""));
        if (prompt == nullptr) return bad("`ref` names a prompt that is not there.");
        return planned(a, prompt->source, prompt->own_name, prompt->own_name, {});
    }
    if (type && type->raw == R"("ref/resource")" && uri) {
        const std::string text = uri->string().value_or("");
        const view_entry* t = snapshot->find(feature_kind::resource_template, text);
        const auto source = t != nullptr ? std::optional(t->source) : snapshot->source_of_resource(text);
        if (!source) return bad("`ref` names a resource that is not there.");
        return planned(a, *source, text, "resource", {});
    }
    return bad("`ref` is expected to be a ref/prompt with a name or a ref/resource with a uri.");
}

decision mcp_server::planned(const asked& a, std::size_t source, std::string name, std::string counts_as,
                             std::chrono::system_clock::time_point now) {
    call_plan plan;
    const parameters p(a.request);
    if (const auto responses = p.find("inputResponses")) {
        if (responses->type != json_type::object) return bad("`inputResponses` is expected to be an object.");
        plan.input_responses = responses->raw;
    }
    if (const auto state = p.find("requestState")) {
        const auto text = state->string();
        auto opened = text ? open_state(*key_, a.request, *a.caller, *text, now) : std::nullopt;
        if (!opened) return bad("`requestState` is not of this request, was changed or has expired.");
        plan.state = std::move(*opened);
    }
    plan.request = a.request;
    plan.source = view_->source(source);
    plan.name = std::move(name);
    plan.counts_as = std::move(counts_as);
    plan.client = a.client;
    plan.caller = *a.caller;
    plan.remote_address = a.remote_address;
    plan.session = a.session;
    plan.progress_token = a.progress_token;
    return plan;
}

std::string mcp_server::capabilities(const view_snapshot& v, version speaks) const {
    std::string out;
    http::json_writer w(out);
    w.begin_object();
    w.key("tools").raw(R"({"listChanged":true})");
    if (!v.of(feature_kind::prompt).empty()) w.key("prompts").raw(R"({"listChanged":true})");
    if (!v.of(feature_kind::resource).empty() || !v.of(feature_kind::resource_template).empty())
        w.key("resources").raw(v.subscribes() ? R"({"subscribe":true,"listChanged":true})" : R"({"listChanged":true})");
    if (v.completes() && speaks >= version::v2025_03_26) w.key("completions").raw("{}");
    if (v.logs()) w.key("logging").raw("{}");
    w.end_object();
    return out;
}

decision mcp_server::discover(const asked& a) {
    const auto snapshot = view_->now();
    std::string out;
    http::json_writer w(out);
    w.begin_object().key("supportedVersions").begin_array();
    for (const version v : versions) w.string(to_string(v));
    w.end_array().key("capabilities").raw(capabilities(*snapshot, a.client.speaks));
    const std::string& said = settings_.instructions.empty() ? snapshot->instructions() : settings_.instructions;
    if (!said.empty()) w.key("instructions").string(said);
    w.end_object();
    return answered{finished_result(out, a.client.speaks, settings_.info, &settings_.lists)};
}

std::variant<mcp_server::introduction, rpc_error> mcp_server::introduce(const rpc_message& initialize) {
    const parameters p(initialize);
    const auto wanted = p.text("protocolVersion");
    if (!wanted) return bad("`protocolVersion` is missing.");
    introduction out;
    // Never an error for a version that nobody knows: the client decides about ours.
    out.client.speaks = parse_version(*wanted).value_or(newest_legacy);
    if (modern(out.client.speaks)) out.client.speaks = newest_legacy;
    if (const auto c = p.find("capabilities")) out.client.can = read_abilities(*c);
    const auto snapshot = view_->now();
    http::json_writer w(out.result);
    w.begin_object().key("protocolVersion").string(to_string(out.client.speaks));
    w.key("capabilities").raw(capabilities(*snapshot, out.client.speaks));
    w.key("serverInfo").raw(settings_.info.json());
    const std::string& said = settings_.instructions.empty() ? snapshot->instructions() : settings_.instructions;
    if (!said.empty()) w.key("instructions").string(said);
    w.end_object();
    return out;
}

}  // namespace sluice::mcp
