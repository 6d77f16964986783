#include "mcp/mcp_config.hpp"

#include "base/nearest.hpp"

#include <set>

namespace sluice::mcp {

void read(config_reader& r, source_config& c) {
    r.field("name", c.name, "Names it in views, metrics and, where names collide, as a prefix.", required);
    r.section("builtin", c.builtin, "Tools, prompts and resources written here.");
    r.section("rest", c.rest, "Operations of REST services, by a definition file.");
    if (c.builtin.has_value() + c.rest.has_value() != 1) r.problem("", "exactly one of builtin and rest is expected");
}

void read(config_reader& r, view_source_config& c) {
    r.field("source", c.source, "Name of a tool source.", required);
    r.field("tools", c.tools, "Globs of the source's names of tools; all of them, if absent.");
    r.field("prefix", c.prefix,
            "Put before its names of tools and prompts; if absent, only names that collide get one.");
    r.field("rename", c.rename, "Names in this view, by the source's own.");
}

void read(config_reader& r, view_config& c) {
    r.field("name", c.name, "What `mcp` stages call it.", required);
    r.list("sources", c.sources, "Where its tools come from.", required);
}

void read(config_reader& r, mcp_config& c) {
    r.list("tool_sources", c.sources, "Where tools come from.");
    r.list("views", c.views, "Selections of tools, each served at an endpoint of its own.");
    std::set<std::string> sources, views;
    std::vector<std::string_view> known;
    for (std::size_t i = 0; i < c.sources.size(); ++i) {
        known.push_back(c.sources[i].name);
        if (!sources.insert(c.sources[i].name).second)
            r.problem("tool_sources[" + std::to_string(i) + "].name",
                      "there is already a tool source \"" + c.sources[i].name + "\"");
    }
    for (std::size_t i = 0; i < c.views.size(); ++i) {
        const std::string at = "views[" + std::to_string(i) + "]";
        if (!views.insert(c.views[i].name).second)
            r.problem(at + ".name", "there is already a view \"" + c.views[i].name + "\"");
        for (std::size_t k = 0; k < c.views[i].sources.size(); ++k) {
            const std::string& wanted = c.views[i].sources[k].source;
            if (wanted.empty() || sources.contains(wanted)) continue;
            r.problem(at + ".sources[" + std::to_string(k) + "].source",
                      "there is no tool source \"" + wanted + "\"" + did_you_mean(wanted, known));
        }
    }
}

std::shared_ptr<view> make_view(const mcp_config& c, std::string_view name, services& s) {
    for (const view_config& v : c.views) {
        if (v.name != name) continue;
        std::vector<view_source> sources;
        for (const view_source_config& part : v.sources) {
            for (const source_config& from : c.sources) {
                if (from.name != part.source) continue;
                std::shared_ptr<feature_source> made;
                if (from.builtin) made = std::make_shared<builtin_source>(from.name, *from.builtin, s);
                if (from.rest) made = std::make_shared<rest::rest_source>(from.name, *from.rest, s);
                sources.push_back({std::move(made), part.tools, part.prefix, part.rename});
            }
        }
        return std::make_shared<view>(std::move(sources));
    }
    return nullptr;
}

}  // namespace sluice::mcp
