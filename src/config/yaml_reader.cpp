#include "config/yaml_reader.hpp"

#include "base/nearest.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

namespace sluice::config {
namespace {

bool contains(const std::vector<std::string>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

// Follows `targets[0].provider` from `n` as far as it goes and returns where that is.
place locate(const node_ptr& from, place at, std::string_view path) {
    const node* n = from.get();
    while (n != nullptr && !path.empty()) {
        if (path.starts_with('.')) path.remove_prefix(1);
        const node* next = nullptr;
        if (n->kind == node_kind::map) {
            std::string_view key = path.substr(0, path.find_first_of(".["));
            std::string_view rest = path.substr(key.size());
            if (const auto close = path.find("\"]"); path.starts_with("[\"") && close != std::string_view::npos) {
                key = path.substr(2, close - 2);
                rest = path.substr(close + 2);
            }
            const member* m = n->find(path);  // a key may hold dots
            if (m != nullptr) rest = {};
            if (m == nullptr) m = n->find(key);
            if (m != nullptr) next = m->value.get();
            path = rest;
        } else if (n->kind == node_kind::list && path.starts_with('[')) {
            std::size_t index = n->items.size();
            const auto parsed = std::from_chars(path.data() + 1, path.data() + path.size(), index);
            if (index < n->items.size()) next = n->items[index].get();
            path.remove_prefix(std::min(path.size(), static_cast<std::size_t>(parsed.ptr - path.data()) + 1));
        }
        if (next != nullptr) at = next->at;
        n = next;
    }
    return at;
}

}  // namespace

yaml_reader::yaml_reader(node_ptr root, references& refs, problem_list& problems) : refs_(refs), problems_(problems) {
    push(std::move(root), {}, true);
    frames_.front().known.emplace_back("include");  // gone from the tree by now, but a neighbour of "inlcude"
}

void yaml_reader::finish() {
    report_unknown(frames_.front());
}

bool yaml_reader::has(std::string_view key) const {
    const frame& f = frames_.back();
    if (!contains(f.known, key)) f.known.emplace_back(key);
    return f.n && f.n->find(key) != nullptr;
}

void yaml_reader::problem(std::string_view key, std::string message, std::string hint) {
    const frame& f = frames_.back();
    const bool own_key = f.n && f.n->find(key) != nullptr;
    std::string path = f.path;
    if (own_key) {
        path = join(path, key);
    } else if (!key.empty()) {
        path += (path.empty() || key.starts_with('[') ? "" : ".");
        path += key;
    }
    problems_.add(locate(f.n, f.at, key), std::move(path), std::move(message), std::move(hint));
}

std::string yaml_reader::where() const {
    return to_string(frames_.back().at);
}

bool yaml_reader::enter(std::string_view key, std::string_view, const constraint& c) {
    std::string path;
    const node_ptr n = find_of_kind(key, node_kind::map, c, path);
    if (n) push(n, std::move(path), true);
    return n != nullptr;
}

std::size_t yaml_reader::enter_list(std::string_view key, std::string_view, const constraint& c) {
    std::string path;
    const node_ptr n = find_of_kind(key, node_kind::list, c, path);
    if (!n) return 0;
    check_length(n->items.size(), c, n->at, path);
    if (!n->items.empty()) push(n, std::move(path), false);
    return n->items.size();
}

void yaml_reader::enter_item(std::size_t i) {
    const frame& list = frames_.back();
    push_section(list.n->items.at(i), join(list.path, i));
}

std::vector<std::string> yaml_reader::enter_map(std::string_view key, std::string_view, const constraint& c) {
    std::string path;
    const node_ptr n = find_of_kind(key, node_kind::map, c, path);
    std::vector<std::string> names;
    if (!n) return names;
    check_length(n->members.size(), c, n->at, path);
    for (const member& m : n->members) names.push_back(m.key);
    if (!names.empty()) push(n, std::move(path), false);
    return names;
}

void yaml_reader::enter_member(std::string_view name) {
    frame& map = frames_.back();
    const auto& members = map.n->members;
    while (map.cursor < members.size() && members[map.cursor].key != name) ++map.cursor;
    const member& m = members.at(map.cursor);
    push_section(m.value, join(map.path, name));
}

void yaml_reader::leave() {
    if (frames_.back().strict) report_unknown(frames_.back());
    frames_.pop_back();
}

void yaml_reader::push(node_ptr n, std::string path, bool strict) {
    frame f;
    f.at = n->at;
    f.n = std::move(n);
    f.path = std::move(path);
    f.strict = strict;
    frames_.push_back(std::move(f));
}

// Enters a section even if there is none, so that the caller's leave() finds its frame.
void yaml_reader::push_section(const node_ptr& n, std::string path) {
    if (n->kind != node_kind::map) wrong_kind(*n, path, "a mapping");
    push(n, std::move(path), true);
    if (n->kind != node_kind::map) frames_.back().n = nullptr;
}

const member* yaml_reader::find(std::string_view key, const constraint& c) {
    frame& f = frames_.back();
    if (!contains(f.known, key)) f.known.emplace_back(key);
    const member* m = f.n ? f.n->find(key) : nullptr;
    if (m == nullptr && f.n && c.need == presence::required) f.missing.emplace_back(key);
    return m;
}

node_ptr yaml_reader::find_of_kind(std::string_view key, node_kind kind, const constraint& c, std::string& path) {
    const member* m = find(key, c);
    if (m == nullptr) return nullptr;
    path = join(frames_.back().path, key);
    if (m->value->kind == kind) return m->value;
    wrong_kind(*m->value, path, kind == node_kind::map ? "a mapping" : "a list");
    return nullptr;
}

void yaml_reader::wrong_kind(const node& n, const std::string& path, std::string_view expected) {
    std::string hint;
    if (n.kind == node_kind::null) hint = expected == "a list" ? "write [] for none" : "write {} for an empty one";
    problems_.add(n.at, path, fmt::format("expected {}, got {}", expected, noun(n)), std::move(hint));
}

void yaml_reader::check_length(std::size_t n, const constraint& c, const place& at, const std::string& path) {
    const auto items = [](double x) { return fmt::format("{:.15g} {}", x, x == 1 ? "item" : "items"); };
    const auto length = static_cast<double>(n);
    if (c.min && length < *c.min) {
        problems_.add(at, path, fmt::format("expected at least {}, got {}", items(*c.min), n));
    } else if (c.max && length > *c.max) {
        problems_.add(at, path, fmt::format("expected at most {}, got {}", items(*c.max), n));
    }
}

void yaml_reader::report_unknown(const frame& f) {
    if (!f.n) return;
    std::vector<std::string> meant;  // a misspelt key is not missing as well
    for (const member& m : f.n->members) {
        if (contains(f.known, m.key)) continue;
        const auto best = nearest(m.key, f.known);
        std::string hint;
        if (best) {
            meant.push_back(*best);
        } else if (!f.known.empty() && f.known.size() <= 12) {
            hint = fmt::format("known keys: {}", fmt::join(f.known, ", "));
        }
        problems_.add(m.key_at, f.path, fmt::format("unknown key {}{}", excerpt(m.key), did_you_mean(m.key, f.known)),
                      std::move(hint));
    }
    for (const std::string& key : f.missing) {
        if (!contains(meant, key)) problems_.add(f.at, f.path, fmt::format("missing key \"{}\"", key));
    }
}

void yaml_reader::each_variant(std::string_view key, const std::vector<config_variant>& kinds, std::string_view,
                               const constraint& c) {
    std::string path;
    const node_ptr list = find_of_kind(key, node_kind::list, c, path);
    if (!list) return;
    check_length(list->items.size(), c, list->at, path);
    for (std::size_t i = 0; i < list->items.size(); ++i) read_variant(list->items[i], join(path, i), kinds);
}

void yaml_reader::read_variant(const node_ptr& item, const std::string& path,
                               const std::vector<config_variant>& kinds) {
    std::string name;
    node_ptr section = item;
    place name_at = item->at;
    if (item->kind == node_kind::scalar) {
        name = item->text;
        auto empty = std::make_shared<node>();
        empty->kind = node_kind::map;
        empty->at = item->at;
        section = std::move(empty);
    } else if (item->kind != node_kind::map || item->members.empty()) {
        wrong_kind(*item, path, "a name or a mapping with one key");
        return;
    } else if (item->members.size() > 1) {
        const member& second = item->members[1];
        problems_.add(
            second.key_at, path,
            fmt::format("expected one key that names the item, got {} as well", excerpt(second.key)),
            fmt::format("indent it if it belongs to {}; start it with a dash if not", excerpt(item->members[0].key)));
        return;
    } else {
        name = item->members[0].key;
        name_at = item->members[0].key_at;
        section = item->members[0].value;
    }

    const auto kind = std::find_if(kinds.begin(), kinds.end(), [&](const config_variant& k) { return k.name == name; });
    if (kind == kinds.end()) {
        std::vector<std::string> names;
        for (const config_variant& k : kinds) names.push_back(k.name);
        const std::string neighbour = did_you_mean(name, names);
        problems_.add(name_at, path, fmt::format("unknown name {}{}", excerpt(name), neighbour),
                      neighbour.empty() ? fmt::format("known names: {}", fmt::join(names, ", ")) : std::string{});
        return;
    }
    if (section->kind != node_kind::map) {
        problems_.add(section->at, join(path, name), fmt::format("expected a mapping, got {}", noun(*section)),
                      section->kind == node_kind::null ? fmt::format("write \"- {}\" for an empty one", name) : "");
        return;
    }
    push(section, join(path, name), true);
    kind->read(*this);
    leave();
}

}  // namespace sluice::config
