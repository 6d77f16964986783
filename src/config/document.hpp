// One YAML file as a tree, refused where YAML surprises people.
//
// yaml-cpp merges duplicate keys silently and expands aliases without limit, so the tree is built from its
// events. What YAML 1.1 and 1.2 read differently (`on`, `012`, `1:30`) is left as text here: only who
// expects a type can say whether it is a mistake.
//
// Refused, each with its position: syntax errors, duplicate keys (both places), merge keys (<<), tags other
// than !!str !!map !!seq, keys that are not text, several documents, text that is not UTF-8, control characters,
// tabs as indentation, aliases to what holds them, and whatever breaks the limits below.
#pragma once

#include "config/node.hpp"
#include "config/problem.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sluice::config {

// Of a file, all its documents together.
inline constexpr std::size_t document_bytes_max = 4 * 1024 * 1024;
inline constexpr std::size_t document_nodes_max = 100'000;              // aliases count with all they expand to
inline constexpr std::size_t document_expanded_max = 16 * 1024 * 1024;  // bytes of all scalars, likewise
inline constexpr std::size_t document_depth_max = 64;                   // mappings and lists within each other

struct document {
    node_ptr root;         // a map; empty for an empty file
    bool complete = true;  // false: part of the file could not be understood, so that problems found in
                           // reading the tree may only be consequences

    // Never throws, whatever the bytes. `name` is the path as messages show it.
    static document parse(std::string_view text, std::string name, problem_list& problems);
    static document load(const std::string& path, problem_list& problems);
    // The same for a file of any number of documents; those that are empty are left out. When the text as a whole
    // could not be understood, the last one is not complete.
    static std::vector<document> parse_all(std::string_view text, std::string name, problem_list& problems);
    static std::vector<document> load_all(const std::string& path, problem_list& problems);
};

}  // namespace sluice::config
