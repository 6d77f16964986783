// Tool sources and views as the configuration writes them.
//
//   tool_sources:
//     - {name: weather, rest: {file: weather.yaml}}
//     - {name: notes, builtin: {tools: [...]}}
//   views:
//     - name: office
//       sources: [{source: weather, tools: ["get_*"]}, {source: notes}]
#pragma once

#include "mcp/builtin/builtin_source.hpp"
#include "mcp/rest/rest_source.hpp"
#include "mcp/serve/view.hpp"

#include <sluice/config.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sluice::mcp {

struct source_config {
    std::string name;
    std::optional<builtin_config> builtin;
    std::optional<rest::rest_source_config> rest;
};
void read(config_reader& r, source_config& c);

struct view_source_config {
    std::string source;
    std::vector<std::string> tools;
    std::string prefix;
    std::map<std::string, std::string> rename;
};
void read(config_reader& r, view_source_config& c);

struct view_config {
    std::string name;
    std::vector<view_source_config> sources;
};
void read(config_reader& r, view_config& c);

struct mcp_config {
    std::vector<source_config> sources;
    std::vector<view_config> views;
};
void read(config_reader& r, mcp_config& c);

// The view of that name for one worker; null when there is none. Throws std::runtime_error for a source that cannot
// be made.
std::shared_ptr<view> make_view(const mcp_config& c, std::string_view name, services& s);

}  // namespace sluice::mcp
