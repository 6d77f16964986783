#include "pipeline/route_table.hpp"

#include "base/glob.hpp"

#include <algorithm>

namespace sluice {
namespace {

// "/a/b" -> "a" and rest "/b". The path begins with a slash.
std::string_view next_segment(std::string_view& path) {
    path.remove_prefix(1);
    const std::string_view segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    return segment;
}

bool host_matches(std::string_view pattern, std::string_view host) {
    if (pattern.starts_with("*.")) {
        return host.size() > pattern.size() - 1 &&
               iequals(host.substr(host.size() - pattern.size() + 1), pattern.substr(1));
    }
    return iequals(pattern, host);
}

std::string_view without_port(std::string_view host) {
    const auto colon = host.rfind(':');
    if (colon == std::string_view::npos || host.find(']', colon) != std::string_view::npos) return host;
    return host.substr(0, colon);
}

}  // namespace

void read(config_reader& r, match_config& c) {
    r.field("host", c.hosts, "Host names: exact, or *.example.com. Any, if absent.");
    r.field("path", c.paths, "Paths: /v1/models, /v1/files/{id}, or /v1/* for everything below. Any, if absent.");
    r.field("method", c.methods, "Methods, in upper case. Any, if absent.");
    r.field("headers", c.headers, "Header name to a pattern of its value: * for any value, empty for absent.");
    for (const std::string& path : c.paths) {
        if (!path.starts_with('/')) r.problem("path", "a path begins with '/', got \"" + path + "\"");
    }
}

void read(config_reader& r, route_limits& c) {
    r.field("body_bytes", c.body_bytes, "Largest request body; a larger one is answered with 413.");
    r.field("body_stall", c.body_stall, "Longest pause between two pieces of a request body.");
    r.field("write_stall", c.write_stall, "How long a client may take nothing before its exchange ends.");
    r.field("total", c.total, "Longest time of a whole exchange.");
    r.field("tolerate_half_close", c.tolerate_half_close, "Do not take a client's FIN as its going away.");
}

path_pattern::path_pattern(std::string_view text) {
    if (text.ends_with("/*")) {
        open_ended_ = true;
        text.remove_suffix(2);
    }
    while (!text.empty()) {
        const std::string_view segment = next_segment(text);
        const bool any = segment == "*" || (segment.starts_with('{') && segment.ends_with('}'));
        segments_.emplace_back(any ? std::string_view{} : segment);
        if (!any && segment.empty()) segments_.back() = "/";  // matches only an empty segment; see matches()
    }
}

bool path_pattern::matches(std::string_view path) const {
    for (const std::string& wanted : segments_) {
        if (path.empty()) return false;
        const std::string_view segment = next_segment(path);
        if (wanted.empty() ? segment.empty() : wanted == "/" ? !segment.empty() : segment != wanted) return false;
    }
    return open_ended_ || path.empty();
}

bool route::matches(const request_head& request, std::string_view path) const {
    if (!paths.empty() && std::none_of(paths.begin(), paths.end(), [&](const auto& p) { return p.matches(path); })) {
        return false;
    }
    if (!match.methods.empty() &&
        std::find(match.methods.begin(), match.methods.end(), request.method) == match.methods.end()) {
        return false;
    }
    if (!match.hosts.empty()) {
        const std::string_view host = without_port(request.host);
        if (std::none_of(match.hosts.begin(), match.hosts.end(), [&](const auto& h) { return host_matches(h, host); }))
            return false;
    }
    return std::all_of(match.headers.begin(), match.headers.end(), [&](const auto& wanted) {
        const auto value = request.headers.find(wanted.first);
        return wanted.second.empty() ? !value : value && glob_match(wanted.second, *value);
    });
}

const route* route_table::find(const request_head& request, std::string_view path) const {
    const auto found =
        std::find_if(routes.begin(), routes.end(), [&](const route& r) { return r.matches(request, path); });
    return found == routes.end() ? nullptr : &*found;
}

}  // namespace sluice
