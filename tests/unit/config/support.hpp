// What the tests of the configuration share: a tree from text, an environment that never leaves the test,
// and problems as their printed text.
#pragma once

#include "config/document.hpp"
#include "config/references.hpp"
#include "config/yaml_reader.hpp"

#include <unistd.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace sluice::config::testing {

using lines = std::vector<std::string>;

inline lines printed(problem_list& problems) {
    lines out;
    for (const problem& p : problems.take()) out.push_back(to_string(p));
    return out;
}

inline environment fake_environment(std::map<std::string, std::string> variables = {},
                                    std::map<std::string, std::string> files = {}) {
    return {[variables](const std::string& name) -> std::optional<std::string> {
                const auto it = variables.find(name);
                return it != variables.end() ? std::optional{it->second} : std::nullopt;
            },
            [files](const std::string& path) -> result<std::string> {
                const auto it = files.find(path);
                if (it == files.end()) return error{error_kind::not_found, "No such file or directory"};
                return it->second;
            }};
}

// Reads `yaml` as the file "g.yaml" and returns the problems as printed.
inline lines problems_of(std::string_view yaml, const std::function<void(config_reader&)>& read_root,
                         environment env = fake_environment()) {
    problem_list problems;
    references refs{std::move(env)};
    const document d = document::parse(yaml, "g.yaml", problems);
    if (d.complete) {
        yaml_reader reader{d.root, refs, problems};
        read_root(reader);
        reader.finish();
    }
    return printed(problems);
}

// A folder that goes away with the test.
class temporary_folder {
public:
    temporary_folder() {
        std::string name = (std::filesystem::temp_directory_path() / "sluice-test-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~temporary_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;

    std::string path(const std::string& name) const { return (path_ / name).string(); }
    std::string write(const std::string& name, std::string_view text) const {
        std::filesystem::create_directories((path_ / name).parent_path());
        std::ofstream{path_ / name, std::ios::binary} << text;
        return path(name);
    }

private:
    std::filesystem::path path_;
};

}  // namespace sluice::config::testing
