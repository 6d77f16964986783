#include "stages/a2a/agent_card.hpp"

#include "http/url.hpp"

#include <sluice/json.hpp>
#include <sluice/message.hpp>

#include <array>
#include <optional>
#include <vector>

namespace sluice::a2a {
namespace {

error no_card(std::string why) {
    return error{error_kind::upstream_protocol, "The agent's card cannot be served: " + std::move(why) + "."};
}

// Where the gateway serves an interface of that URL; nothing if it does not.
std::optional<std::string> served_url(std::string_view url, std::string_view upstream_path, std::string_view gateway) {
    const auto parsed = http::parse_url(url);
    if (!parsed) return std::nullopt;
    std::string_view path = parsed->path_and_query;
    if (!path.starts_with(upstream_path)) return std::nullopt;
    path.remove_prefix(upstream_path.size());
    if (!path.empty() && path.front() != '/' && path.front() != '?') return std::nullopt;
    if (path == "/" && !url.ends_with('/')) path = {};  // parse_url() writes the root of a host
    return std::string(gateway).append(path);
}

// An interface that is served here, as text; nothing if it is not. The transport is called so in 0.3, and
// protocolBinding in 1.0.
struct served_interface {
    std::string text, url, transport;
};
std::optional<served_interface> serve_interface(const json_value& value, std::string_view upstream_path,
                                                std::string_view gateway) {
    const auto object = json_object::inside(value);
    if (!object) return std::nullopt;
    served_interface out;
    for (const char* const name : {"transport", "protocolBinding"}) {
        if (const auto given = object->find(name)) out.transport = given->string().value_or("");
    }
    if (iequals(out.transport, "grpc")) return std::nullopt;
    const auto url = object->find("url");
    const auto text = url ? url->string() : std::nullopt;
    if (!text) return std::nullopt;
    auto served = served_url(*text, upstream_path, gateway);
    if (!served) return std::nullopt;
    json_edits edits;
    edits.set(*object, "url", to_json_string(*served));
    out.text = edits.apply(object->text());
    out.url = std::move(*served);
    return out;
}

struct interface_list {
    std::string text = "[";
    std::optional<served_interface> first;
};
interface_list serve_list(const json_value& list, std::string_view upstream_path, std::string_view gateway) {
    interface_list out;
    for (const json_value& one : json_elements(list)) {
        auto served = serve_interface(one, upstream_path, gateway);
        if (!served) continue;
        if (out.text.size() > 1) out.text += ',';
        out.text += served->text;
        if (!out.first) out.first = std::move(served);
    }
    out.text += ']';
    return out;
}

// 0.3: one interface in the card itself, called by `url` and `preferredTransport`; the first of the others takes its
// place when it does not pass here.
bool serve_main(const json_object& card, json_edits& edits, const std::optional<served_interface>& other,
                std::string_view upstream_path, std::string_view gateway) {
    const auto url = card.find("url");
    const auto transport = card.find("preferredTransport");
    const bool grpc = transport && iequals(transport->string().value_or(""), "grpc");
    const auto text = url ? url->string() : std::nullopt;
    auto served = text && !grpc ? served_url(*text, upstream_path, gateway) : std::nullopt;
    if (!served && other) {
        served = other->url;
        edits.set(card, "preferredTransport", to_json_string(other->transport));
    }
    if (served) edits.set(card, "url", to_json_string(*served));
    return served.has_value();
}

result<std::string> serve(const json_object& card, std::string_view upstream_path, const card_changes& changes) {
    json_edits edits;
    std::optional<served_interface> first;
    for (const char* const name : {"supportedInterfaces", "additionalInterfaces"}) {
        const auto list = card.find(name);
        if (!list || list->type != json_type::array) continue;
        interface_list served = serve_list(*list, upstream_path, changes.url);
        edits.set(card, name, std::move(served.text));
        if (!first) first = std::move(served.first);
    }
    const bool has_main = card.find("url").has_value();
    if (!has_main && !card.find("supportedInterfaces")) return no_card("it names no URL");
    const bool serves = has_main ? serve_main(card, edits, first, upstream_path, changes.url) : first.has_value();
    if (!serves) return no_card("none of its interfaces lies behind the gateway");
    edits.remove(card, "signatures");
    for (const auto& [name, raw] : changes.fields) edits.set(card, name, raw);
    return edits.apply(card.text());
}

}  // namespace

result<std::string> served_card(std::string_view card, std::string_view upstream_path, const card_changes& changes) {
    const auto object = json_object::parse(card);
    if (!object) return no_card(object.error().message);
    return serve(*object, upstream_path, changes);
}

result<std::string> served_card_result(std::string_view answer, std::string_view upstream_path,
                                       const card_changes& changes) {
    const auto object = json_object::parse(answer);
    if (!object) return no_card(object.error().message);
    const auto value = object->find("result");
    if (!value) return std::string(answer);
    const auto card = json_object::inside(*value);
    if (!card) return no_card(card.error().message);
    auto served = serve(*card, upstream_path, changes);
    if (!served) return served.error();
    json_edits edits;
    edits.set(*object, "result", std::move(*served));
    return edits.apply(answer);
}

}  // namespace sluice::a2a
