// ${VARIABLE}, ${VARIABLE:-default} and ${file:/path} inside the scalars of a configuration.
//
// `$${` writes a literal `${`. Replacement text is taken as it is: it is not searched for references again,
// and it never appears in a message, since it may be a credential.
#pragma once

#include <sluice/result.hpp>

#include "config/node.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::config {

inline constexpr std::size_t reference_bytes_max = 64 * 1024;   // what one ${file:...} may hold
inline constexpr std::size_t resolved_bytes_max = 1024 * 1024;  // one scalar with all references replaced

inline constexpr std::size_t replaced_bytes_max = 64 * 1024 * 1024;  // all references of a load

// Where the values come from; a test or a fuzz target brings its own.
struct environment {
    std::function<std::optional<std::string>(const std::string& name)> variable;
    std::function<result<std::string>(const std::string& path)> file;  // at most reference_bytes_max

    static environment process();  // this process's variables and the file system
};

struct resolved {
    std::string text;
    bool referenced = false;  // some of it came from a reference: never print it
};

class references {
public:
    explicit references(environment env) : env_(std::move(env)) {}

    // The text of a scalar with its references replaced. A relative path of ${file:} starts at the folder of
    // the file the scalar stands in. An empty variable counts as missing where a default is given. On failure a
    // problem stands at the scalar and nothing is returned.
    std::optional<resolved> resolve(const node& scalar, const std::string& path, problem_list& problems);

    // Every path a ${file:} asked for, readable or not: what a reload has to watch.
    std::vector<std::string> files() const;

private:
    result<std::string> expand(std::string_view reference, const place& at);
    result<std::string> file_content(const std::string& path);

    environment env_;
    std::map<std::string, result<std::string>> files_;  // read once per load, so that all uses agree
    std::size_t replaced_ = 0;                          // bytes so far
};

// `path` itself if absolute, else seen from the folder of `file`.
std::string beside(const place& file, const std::string& path);

}  // namespace sluice::config
