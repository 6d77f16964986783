// The one way from a file to a configuration: used at start, by `sluice check` and by every reload.
//
//   app_config fresh;
//   const auto report = config::load(path, [&](config_reader& r) { read(r, fresh); });
//   if (!report.ok()) { for (auto& p : report.problems) log(to_string(p)); keep the last good one; }
#pragma once

#include <sluice/config.hpp>

#include "config/file_state.hpp"
#include "config/problem.hpp"
#include "config/references.hpp"

#include <functional>
#include <string>
#include <vector>

namespace sluice::config {

struct load_report {
    std::vector<problem> problems;
    std::vector<std::string> files;  // the file and its includes, in the order of reading
    file_state seen;                 // those, files of ${file:} and folders of patterns: for file_watch

    bool ok() const { return problems.empty(); }
};

// Reads `path` with its includes and hands the whole to `read_root`. Where a file cannot be understood at all,
// `read_root` is not called: what it found missing would only mislead. Blocks on the file system; call
// it from a thread that may. Throws only what `read_root` throws.
load_report load(const std::string& path, const std::function<void(config_reader&)>& read_root,
                 environment env = environment::process());

}  // namespace sluice::config
