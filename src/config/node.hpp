// The tree of a configuration file: what YAML says, before anybody asks what it means.
//
// Nodes never change once built and are shared: an alias is the anchored node once more. Any thread may
// read them.
#pragma once

#include "config/problem.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::config {

struct node;
using node_ptr = std::shared_ptr<const node>;

enum class node_kind : std::uint8_t { null, scalar, list, map };

struct member {
    std::string key;
    place key_at;
    node_ptr value;  // never null
};

struct node {
    node_kind kind = node_kind::null;
    place at;
    std::string text;     // of a scalar, with its ${references} as written
    bool quoted = false;  // a scalar in quotes, in a block or tagged !!str: always text, never a number
    std::vector<node_ptr> items;
    std::vector<member> members;  // in the order of the file, no key twice

    const member* find(std::string_view key) const {
        for (const member& m : members) {
            if (m.key == key) return &m;
        }
        return nullptr;
    }
};

// "a mapping", "a list", "a scalar", "nothing": for messages. Never the content.
std::string_view noun(const node& n);

// The text in quotes on one line, its end cut off if it is long: for messages.
std::string excerpt(std::string_view text);

// `key` behind `path`: "routes[1].match", or with brackets where the key is not a plain word:
// `prices["gpt-4.1"]`.
std::string join(std::string_view path, std::string_view key);
std::string join(std::string_view path, std::size_t index);

}  // namespace sluice::config
