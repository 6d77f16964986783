// A view: the tools, prompts and resources of several sources behind one endpoint, under names of its own.
//
// Names that two sources use are prefixed with the source's name, all of them, so that which one comes first decides
// nothing; other names stay, unless the view asks for prefixes. URIs of resources stay as they are: the first source
// that has one serves it. A source of which nothing is known yet is left out until it is.
#pragma once

#include "mcp/serve/feature_source.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::mcp {

struct view_source {
    std::shared_ptr<feature_source> source;
    std::vector<std::string> tools;             // globs of its own tool names; empty: all
    std::string prefix;                         // put before its tools and prompts; empty: only on conflict
    std::map<std::string, std::string> rename;  // own tool or prompt name -> name in the view
};

struct view_entry {
    std::string name;      // in the view
    std::string own_name;  // at its source
    std::size_t source = 0;
    std::string json;  // of lists, under the view's name
    std::vector<mirrored_argument> mirrored;
};

// What the view offers at one time. Immutable; an entry's place in its list is its place in pages.
class view_snapshot {
public:
    view_snapshot(const std::vector<view_source>& sources, std::vector<std::shared_ptr<const feature_set>> sets);

    const std::vector<view_entry>& of(feature_kind k) const { return lists_[static_cast<std::size_t>(k)]; }
    const view_entry* find(feature_kind k, std::string_view name) const;
    // Who serves that resource: a list names it, or a template matches it.
    std::optional<std::size_t> source_of_resource(std::string_view uri) const;
    bool completes() const { return completes_; }
    bool subscribes() const { return subscribes_; }
    bool logs() const { return logs_; }
    const std::string& instructions() const { return instructions_; }
    // Differs between lists that differ: goes into cursors.
    std::uint64_t digest(feature_kind k) const { return digests_[static_cast<std::size_t>(k)]; }
    const std::vector<std::shared_ptr<const feature_set>>& made_of() const { return sets_; }

private:
    void take(feature_kind k, const std::vector<view_source>& sources);

    std::vector<std::shared_ptr<const feature_set>> sets_;  // one per source; null where nothing is known
    std::vector<view_entry> lists_[4];
    std::map<std::string, std::size_t, std::less<>> by_name_[4];
    std::uint64_t digests_[4] = {};
    bool completes_ = false, subscribes_ = false, logs_ = false;
    std::string instructions_;
};

// Of one worker; not thread-safe.
class view {
public:
    explicit view(std::vector<view_source> sources) : sources_(std::move(sources)) {}

    // The same object for as long as no source changed.
    std::shared_ptr<const view_snapshot> now();
    const std::shared_ptr<feature_source>& source(std::size_t i) const { return sources_[i].source; }

private:
    std::vector<view_source> sources_;
    std::shared_ptr<const view_snapshot> snapshot_;
};

}  // namespace sluice::mcp
