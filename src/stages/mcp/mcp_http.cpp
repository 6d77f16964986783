#include "stages/mcp/mcp_http.hpp"

#include "base/content_type.hpp"
#include "http/authority.hpp"
#include "http/field_list.hpp"

#include <algorithm>
#include <charconv>

namespace sluice::mcp_endpoint {
namespace {

bool loopback(std::string_view host) {
    return iequals(host, "localhost") || host == "::1" || host.starts_with("127.");
}

bool listed(const std::vector<std::string>& hosts, std::string_view host) {
    return std::any_of(hosts.begin(), hosts.end(), [&](const std::string& h) { return h == "*" || iequals(h, host); });
}

// The host of "https://app.example.com:8443"; empty for what is no such origin ("null").
std::string_view origin_host(std::string_view origin) {
    const std::size_t at = origin.find("://");
    if (at == std::string_view::npos) return {};
    const auto a = http::parse_authority(origin.substr(at + 3));
    return a ? a->host : std::string_view{};
}

}  // namespace

accepted_types accepted(const header_list& headers) {
    if (!headers.contains("accept")) return {};
    accepted_types out{false, false};
    for (const auto f : headers) {
        if (!iequals(f.name, "accept")) continue;
        std::string_view rest = f.value, element;
        while (http::next_element(rest, element)) {
            const std::string_view type = media_type(element);
            const bool any = type == "*/*";
            out.json |= any || iequals(type, "application/json") || iequals(type, "application/*");
            out.sse |= any || iequals(type, "text/event-stream") || iequals(type, "text/*");
        }
    }
    return out;
}

bool is_json(const header_list& headers) {
    return iequals(media_type(headers), "application/json");
}

bool host_and_origin_fit(const exchange& x, const mcp_stage_config& c) {
    const auto host = http::parse_authority(x.request().host);
    const bool known =
        host && (c.hosts.empty() ? !loopback(x.remote_address()) || loopback(host->host) : listed(c.hosts, host->host));
    if (!known) return false;
    const auto origin = x.request().headers.find("origin");
    if (!origin || origin->empty()) return true;
    const std::string_view page = origin_host(*origin);
    if (page.empty()) return listed(c.origins, "*");
    if (!c.origins.empty()) return listed(c.origins, page);
    return loopback(page) || listed(c.hosts, page);
}

int status_for(int code) {
    switch (static_cast<mcp::rpc_code>(code)) {
        case mcp::rpc_code::method_not_found:
            return 404;
        case mcp::rpc_code::header_mismatch:
        case mcp::rpc_code::missing_capability:
        case mcp::rpc_code::unsupported_version:
        case mcp::rpc_code::parse_error:
        case mcp::rpc_code::invalid_request:
            return 400;
        default:
            return 200;
    }
}

response_head stream_head() {
    response_head head;
    head.body = framing::chunked;
    head.headers.add("Content-Type", "text/event-stream");
    head.headers.add("Cache-Control", "no-cache, no-transform");
    head.headers.add("X-Accel-Buffering", "no");
    return head;
}

std::string event_id(std::string_view stream, std::size_t message) {
    return std::string(stream).append(".").append(std::to_string(message));
}

std::optional<event_place> parse_event_id(std::string_view id) {
    const std::size_t dot = id.find('.');
    if (dot == std::string_view::npos || id.size() > 64) return std::nullopt;
    event_place out;
    out.stream = id.substr(0, dot);
    const std::string_view digits = id.substr(dot + 1);
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), out.message);
    if (failed != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return out;
}

}  // namespace sluice::mcp_endpoint
