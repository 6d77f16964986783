// A file with all it includes, merged into one tree.
//
//   include: [providers.yaml, conf.d/*.yaml]
//
// Paths start at the folder of the file that names them; the last part may be a pattern (* ? [a-z]), whose matches
// come in the order of their names, and which may match nothing. Lists are appended: first the including file's
// items, then those of its includes in order. Sections merge key by key. Any other key that is set
// twice is a problem that names both places.
#pragma once

#include "config/file_state.hpp"
#include "config/node.hpp"
#include "config/problem.hpp"
#include "config/references.hpp"

#include <string>
#include <vector>

namespace sluice::config {

inline constexpr std::size_t include_depth_max = 8;    // files within each other, the first not counted
inline constexpr std::size_t include_files_max = 256;  // all together

struct merged {
    node_ptr root;                   // a map without `include`
    bool complete = true;            // false: a file could not be read or understood
    std::vector<std::string> files;  // in the order in which they were read
};
// Each file and each folder of a pattern is noted in `seen` before it is read. Cycles, and a file that is
// included twice, are problems.
merged load_with_includes(const std::string& path, references& refs, file_state& seen, problem_list& problems);

}  // namespace sluice::config
