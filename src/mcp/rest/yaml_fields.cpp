#include "mcp/rest/yaml_fields.hpp"

#include "base/nearest.hpp"
#include "config/plain.hpp"

#include <algorithm>

namespace sluice::mcp::rest {

using config::node;
using config::node_kind;

value to_value(const node& n) {
    switch (n.kind) {
        case node_kind::null:
            return value::null();
        case node_kind::scalar: {
            if (n.quoted) return value::string(n.text);
            const auto meaning = config::classify(n.text).kind;
            if (meaning == config::plain_kind::boolean) return value::boolean(n.text == "true");
            const bool number = meaning == config::plain_kind::integer || meaning == config::plain_kind::number;
            return number ? value::number_text(n.text) : value::string(n.text);
        }
        case node_kind::list: {
            value::list items;
            for (const auto& item : n.items) items.push_back(to_value(*item));
            return value::array(std::move(items)).value();  // a document is no deeper than 64
        }
        case node_kind::map:
            break;
    }
    value::members members;
    for (const auto& m : n.members) members.emplace_back(m.key, to_value(*m.value));
    return value::object(std::move(members)).value();
}

fields::fields(const node* map, std::string path, complaints& told) : map_(map), path_(std::move(path)), told_(told) {
    if (map_ == nullptr || map_->kind == node_kind::map) return;
    if (map_->kind != node_kind::null) {
        told_.problems.add(map_->at, path_, "expected a mapping, got " + std::string{config::noun(*map_)});
    }
    map_ = nullptr;
}

const node* fields::find(std::string_view key) const {
    const config::member* m = map_ != nullptr ? map_->find(key) : nullptr;
    return m != nullptr && m->value->kind != node_kind::null ? m->value.get() : nullptr;
}

std::string fields::text(std::string_view key) const {
    const node* n = find(key);
    if (n == nullptr) return {};
    if (n->kind == node_kind::scalar) return n->text;
    problem(key, "expected text, got " + std::string{config::noun(*n)});
    return {};
}

std::string fields::required_text(std::string_view key) const {
    std::string said = text(key);
    if (said.empty()) problem(key, "\"" + std::string{key} + "\" is missing");
    return said;
}

bool fields::flag(std::string_view key) const {
    const node* n = find(key);
    if (n == nullptr) return false;
    if (n->kind == node_kind::scalar && n->text == "true") return true;
    if (n->kind != node_kind::scalar || n->text != "false") problem(key, "expected true or false");
    return false;
}

const std::vector<config::node_ptr>& fields::list(std::string_view key) const {
    static const std::vector<config::node_ptr> none;
    const node* n = find(key);
    if (n == nullptr) return none;
    if (n->kind == node_kind::list) return n->items;
    problem(key, "expected a list, got " + std::string{config::noun(*n)});
    return none;
}

fields fields::section(std::string_view key) const {
    return {find(key), path(key), told_};
}

value fields::object(std::string_view key) const {
    const node* n = find(key);
    if (n == nullptr) return {};
    if (n->kind == node_kind::map) return to_value(*n);
    problem(key, "expected a mapping, got " + std::string{config::noun(*n)});
    return {};
}

void fields::problem(std::string_view key, std::string message, std::string hint) const {
    told_.problems.add(at(key), path(key), std::move(message), std::move(hint));
}

void fields::warning(std::string_view key, std::string message, std::string hint) const {
    told_.warnings.add(at(key), path(key), std::move(message), std::move(hint));
}

void fields::only(std::initializer_list<std::string_view> known) const {
    if (map_ == nullptr) return;
    for (const config::member& m : map_->members) {
        if (std::find(known.begin(), known.end(), std::string_view{m.key}) != known.end()) continue;
        const auto meant = nearest(m.key, known);
        told_.warnings.add(m.key_at, path(m.key), "unknown key, ignored", meant ? "did you mean " + *meant + "?" : "");
    }
}

std::string fields::path(std::string_view key) const {
    return key.empty() ? path_ : config::join(path_, key);
}

config::place fields::at(std::string_view key) const {
    if (map_ == nullptr) return {};
    const config::member* m = map_->find(key);
    return m != nullptr ? m->value->at : map_->at;
}

}  // namespace sluice::mcp::rest
