#include "config/load.hpp"

#include "config/include.hpp"
#include "config/yaml_reader.hpp"

namespace sluice::config {

load_report load(const std::string& path, const std::function<void(config_reader&)>& read_root, environment env) {
    load_report report;
    problem_list problems;
    // A secret's file is noted before it is read, like every other.
    references refs{{std::move(env.variable), [&](const std::string& file) {
                         report.seen.add_file(file);
                         return env.file(file);
                     }}};
    merged whole = load_with_includes(path, refs, report.seen, problems);
    if (whole.complete) {
        yaml_reader reader{whole.root, refs, problems};
        read_root(reader);
        reader.finish();
    }
    report.files = std::move(whole.files);
    report.problems = problems.take();
    return report;
}

}  // namespace sluice::config
