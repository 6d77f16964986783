#include "mcp/serve/uri_template.hpp"

namespace sluice::mcp {

std::optional<template_values> match_template(std::string_view uri_template, std::string_view uri) {
    template_values out;
    for (;;) {
        const std::size_t open = uri_template.find('{'), close = uri_template.find('}', open);
        if (open == std::string_view::npos || close == std::string_view::npos)
            return uri_template == uri ? std::optional(std::move(out)) : std::nullopt;
        if (!uri.starts_with(uri_template.substr(0, open))) return std::nullopt;
        uri.remove_prefix(open);
        std::string_view name = uri_template.substr(open + 1, close - open - 1);
        const bool any = name.starts_with('+');
        if (any) name.remove_prefix(1);
        uri_template.remove_prefix(close + 1);
        const std::string_view literal = uri_template.substr(0, uri_template.find('{'));
        const bool last = literal.size() == uri_template.size();
        std::size_t taken = uri.find(literal, 1);
        if (last && uri.size() > literal.size() && uri.ends_with(literal)) taken = uri.size() - literal.size();
        if (uri.empty() || taken == std::string_view::npos) return std::nullopt;
        const std::string_view value = uri.substr(0, taken);
        if (!any && value.find('/') != std::string_view::npos) return std::nullopt;
        out.emplace_back(name, value);
        uri.remove_prefix(taken);
    }
}

}  // namespace sluice::mcp
