#include "mcp/serve/view.hpp"

#include "base/glob.hpp"
#include "mcp/serve/uri_template.hpp"

#include <algorithm>
#include <functional>
#include <set>

namespace sluice::mcp {
namespace {

bool offered(const view_source& s, feature_kind k, const std::string& name) {
    if (k != feature_kind::tool || s.tools.empty()) return true;
    return std::any_of(s.tools.begin(), s.tools.end(), [&](const std::string& g) { return glob_match(g, name); });
}

bool has_names(feature_kind k) {
    return k == feature_kind::tool || k == feature_kind::prompt;
}

// A name that a source's operator chose, made fit for the names of tools: [A-Za-z0-9_.-].
std::string as_prefix(std::string_view source) {
    std::string out(source);
    for (char& c : out) {
        const bool fit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
        if (!fit) c = '_';
    }
    return out + '_';
}

std::string renamed(const std::string& json, const std::string& name) {
    const auto object = json_object::inside({json_type::object, json});
    if (!object) return json;
    json_edits edits;
    edits.set(*object, "name", to_json_string(name));
    return edits.apply(json);
}

std::uint64_t mixed(std::uint64_t digest, std::string_view text) {
    return (digest ^ std::hash<std::string_view>{}(text)) * 0x9e3779b97f4a7c15ULL;
}

}  // namespace

view_snapshot::view_snapshot(const std::vector<view_source>& sources,
                             std::vector<std::shared_ptr<const feature_set>> sets)
    : sets_(std::move(sets)) {
    for (const feature_kind k :
         {feature_kind::tool, feature_kind::prompt, feature_kind::resource, feature_kind::resource_template})
        take(k, sources);
    for (const auto& set : sets_) {
        if (!set) continue;
        completes_ |= set->completes;
        subscribes_ |= set->subscribes;
        logs_ |= set->logs;
        if (set->instructions.empty()) continue;
        if (!instructions_.empty()) instructions_ += "\n\n";
        instructions_ += set->instructions;
    }
}

void view_snapshot::take(feature_kind k, const std::vector<view_source>& sources) {
    const auto at = static_cast<std::size_t>(k);
    std::vector<view_entry>& list = lists_[at];
    std::map<std::string, std::size_t> uses;
    for (std::size_t i = 0; i < sources.size(); ++i) {
        if (!sets_[i]) continue;
        std::set<std::string_view> own;  // a source that names two things alike is served its first
        for (const feature& f : sets_[i]->of(k)) {
            if (!offered(sources[i], k, f.name) || !own.insert(f.name).second) continue;
            view_entry e{f.name, f.name, i, f.json, f.mirrored};
            if (has_names(k)) {
                const auto other = sources[i].rename.find(f.name);
                e.name = other != sources[i].rename.end() ? other->second : sources[i].prefix + f.name;
            }
            ++uses[e.name];
            list.push_back(std::move(e));
        }
    }
    std::vector<view_entry> kept;
    for (view_entry& e : list) {
        if (has_names(k) && uses[e.name] > 1) e.name = as_prefix(sources[e.source].source->name()) + e.name;
        if (!by_name_[at].emplace(e.name, kept.size()).second) continue;
        if (e.name != e.own_name) e.json = renamed(e.json, e.name);
        digests_[at] = mixed(digests_[at], e.json);
        kept.push_back(std::move(e));
    }
    list = std::move(kept);
}

const view_entry* view_snapshot::find(feature_kind k, std::string_view name) const {
    const auto at = static_cast<std::size_t>(k);
    const auto found = by_name_[at].find(name);
    return found == by_name_[at].end() ? nullptr : &lists_[at][found->second];
}

std::optional<std::size_t> view_snapshot::source_of_resource(std::string_view uri) const {
    if (const view_entry* e = find(feature_kind::resource, uri)) return e->source;
    for (const view_entry& e : of(feature_kind::resource_template))
        if (match_template(e.own_name, uri)) return e.source;
    return std::nullopt;
}

std::shared_ptr<const view_snapshot> view::now() {
    const auto unchanged = [this](std::size_t i) { return sources_[i].source->features() == snapshot_->made_of()[i]; };
    bool same = snapshot_ != nullptr;
    for (std::size_t i = 0; same && i < sources_.size(); ++i) same = unchanged(i);
    if (same) return snapshot_;
    std::vector<std::shared_ptr<const feature_set>> sets;
    for (const view_source& s : sources_) sets.push_back(s.source->features());
    snapshot_ = std::make_shared<const view_snapshot>(sources_, std::move(sets));
    return snapshot_;
}

}  // namespace sluice::mcp
