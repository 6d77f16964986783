#include "stages/ext_proc/request_view.hpp"

#include "http/hop_by_hop.hpp"

#include <array>
#include <utility>

namespace sluice::ext_proc_stage {
namespace {

struct attribute {
    std::string_view name;
    std::string (*value)(const exchange& x);
};

std::string header_of(const exchange& x, std::string_view name) {
    return std::string(x.request().headers.find(name).value_or(""));
}

// By the names and meanings of Envoy's documentation ("Attributes").
constexpr std::array attributes_known{
    attribute{"request.path", [](const exchange& x) { return x.request().target; }},
    attribute{"request.url_path", [](const exchange& x) { return std::string(x.request().path()); }},
    attribute{"request.query", [](const exchange& x) { return std::string(x.request().query()); }},
    attribute{"request.host", [](const exchange& x) { return x.request().host; }},
    attribute{"request.scheme", [](const exchange&) { return std::string("http"); }},
    attribute{"request.method", [](const exchange& x) { return x.request().method; }},
    attribute{"request.id", [](const exchange& x) { return std::string(x.request_id()); }},
    attribute{"request.protocol",
              [](const exchange& x) { return std::string(x.request().minor_version == 0 ? "HTTP/1.0" : "HTTP/1.1"); }},
    attribute{"request.useragent", [](const exchange& x) { return header_of(x, "user-agent"); }},
    attribute{"request.referer", [](const exchange& x) { return header_of(x, "referer"); }},
    attribute{"source.address", [](const exchange& x) { return std::string(x.remote_address()); }},
    attribute{"xds.route_name", [](const exchange& x) { return std::string(x.route_name()); }},
};

}  // namespace

bool known_attribute(std::string_view name) {
    for (const attribute& a : attributes_known) {
        if (a.name == name) return true;
    }
    return false;
}

ext_proc::message_head head_of(const exchange& x, std::span<const std::string> attributes) {
    ext_proc::message_head h;
    h.method = x.request().method;
    h.scheme = "http";
    h.authority = x.request().host;
    h.path = x.request().target;
    h.headers = x.request().headers;
    http::remove_nominated(h.headers);
    h.headers.set("x-request-id", x.request_id());
    for (const std::string& name : attributes) {
        for (const attribute& a : attributes_known) {
            if (a.name == name) h.attributes.emplace_back(name, a.value(x));
        }
    }
    return h;
}

request_head_hold::~request_head_hold() {
    request_head& now = x_.request_to_change();
    std::swap(now.target, target_);
    std::swap(now.headers, headers_);
}

namespace {

// The model that the processor chose in a header; nothing: it did not say.
std::string chosen_model(const header_list& headers, std::span<const std::string> model_headers) {
    for (const std::string& name : model_headers) {
        const auto value = headers.find(name);
        if (value && !value->empty()) return std::string(*value);
    }
    return {};
}

// A body behind `route` is each attempt's own; before it, it is the request's.
void put_body(exchange& x, std::string body) {
    if (x.target) {
        x.outgoing_body = std::move(body);
    } else {
        x.replace_body(std::move(body));
    }
}

}  // namespace

awaitable<void> apply(exchange& x, ext_proc::dispatch go, std::span<const std::string> model_headers) {
    if (go.native) co_return;
    request_head& head = x.request_to_change();
    head.target = std::move(go.head.path);
    head.headers = std::move(go.head.headers);
    if (go.body) put_body(x, std::move(*go.body));
    const std::string model = chosen_model(head.headers, model_headers);
    if (model.empty() || x.target) co_return;
    const auto json = co_await x.json();
    if (!json) co_return;  // a body without a model: there is nothing to choose
    const auto asked = (*json)->find("model");
    if (!asked || asked->string() == model) co_return;
    x.edits().set(**json, "model", to_json_string(model));
    x.replace_body(x.edits().apply(x.collected_body()));
}

}  // namespace sluice::ext_proc_stage
