#include "config/include.hpp"

#include "config/document.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <system_error>
#include <unordered_map>

namespace sluice::config {
namespace {

namespace fs = std::filesystem;

bool is_pattern(std::string_view text) {
    return text.find_first_of("*?[") != std::string_view::npos;
}

// The same file by whatever path: links and dots resolved.
std::string identity(const std::string& path) {
    std::error_code failed;
    const fs::path p = fs::weakly_canonical(path, failed);
    return failed ? path : p.string();
}

class includer {
public:
    includer(references& refs, file_state& seen, problem_list& problems, merged& out)
        : refs_(refs), seen_(seen), problems_(problems), out_(out) {}

    // The file and its includes. `at` is where it was asked for, null for the first file.
    node_ptr read(const std::string& path, const place& at) {
        seen_.add_file(path);
        out_.files.push_back(path);
        const std::string id = identity(path);
        first_.emplace(id, at);
        chain_.push_back(id);
        const document d = document::load(path, problems_);
        out_.complete = out_.complete && d.complete;
        node_ptr root = d.root;
        if (const member* m = root->find("include")) {
            auto bare = std::make_shared<node>(*root);
            std::erase_if(bare->members, [](const member& x) { return x.key == "include"; });
            root = bare;
            for (const auto& [file, where] : paths(*m->value)) {
                if (allowed(file, where)) root = merge(root, read(file, where), {});
            }
        }
        chain_.pop_back();
        return root;
    }

private:
    struct request {
        std::string path;
        place at;
    };

    void report(const place& at, std::string message, std::string hint = {}) {
        out_.complete = false;
        problems_.add(at, "include", std::move(message), std::move(hint));
    }

    std::vector<request> paths(const node& include) {
        std::vector<request> found;
        if (include.kind == node_kind::list) {
            for (const node_ptr& item : include.items) add_path(*item, found);
        } else {
            add_path(include, found);
        }
        return found;
    }
    void add_path(const node& n, std::vector<request>& found) {
        if (n.kind != node_kind::scalar) {
            report(n.at, fmt::format("expected a path or a list of paths, got {}", noun(n)));
            return;
        }
        const auto written = refs_.resolve(n, "include", problems_);
        if (!written) {
            out_.complete = false;
            return;
        }
        const std::string path = beside(n.at, written->text);
        const fs::path p{path};
        if (written->text.empty() || !p.has_filename()) {
            report(n.at, "expected the path of a file");
        } else if (is_pattern(p.parent_path().string())) {
            report(n.at, "only the last part of a path may be a pattern");
        } else if (is_pattern(p.filename().string())) {
            match(p, n.at, found);
        } else {
            found.push_back({path, n.at});
        }
    }
    void match(const fs::path& pattern, const place& at, std::vector<request>& found) {
        const fs::path folder = pattern.parent_path();
        const std::string listed = folder.empty() ? "." : folder.string();
        seen_.add_folder(listed);
        std::error_code failed;
        fs::directory_iterator entry{listed, failed};
        std::vector<std::string> names;
        while (!failed && entry != fs::directory_iterator{}) {
            std::string name = entry->path().filename().string();
            // FNM_PERIOD: editors keep their swap files under names that begin with a dot.
            if (::fnmatch(pattern.filename().c_str(), name.c_str(), FNM_PERIOD) == 0) names.push_back(std::move(name));
            entry.increment(failed);
        }
        if (failed) report(at, fmt::format("the folder {} cannot be read: {}", listed, failed.message()));
        std::sort(names.begin(), names.end());
        for (const std::string& name : names) found.push_back({(folder / name).string(), at});
    }

    bool allowed(const std::string& path, const place& at) {
        const std::string id = identity(path);
        if (std::find(chain_.begin(), chain_.end(), id) != chain_.end()) {
            report(at, fmt::format("{} includes itself", path), "remove it from the cycle");
        } else if (const auto before = first_.find(id); before != first_.end()) {
            report(at, fmt::format("{} is included twice", path),
                   fmt::format("it is included at {} already", to_string(before->second)));
        } else if (chain_.size() > include_depth_max) {
            report(at, fmt::format("includes are nested deeper than {} files", include_depth_max));
        } else if (out_.files.size() >= include_files_max) {
            report(at, fmt::format("more than {} files are included", include_files_max));
        } else {
            return true;
        }
        return false;
    }

    // `a` with what `b` adds. Recursion ends with the depth of the documents.
    node_ptr merge(const node_ptr& a, const node_ptr& b, const std::string& path) {
        auto both = std::make_shared<node>(*a);
        std::unordered_map<std::string, std::size_t> index;
        for (std::size_t i = 0; i < both->members.size(); ++i) index.emplace(both->members[i].key, i);
        for (const member& added : b->members) {
            const auto known = index.find(added.key);
            if (known == index.end()) {
                both->members.push_back(added);
                continue;
            }
            member& own = both->members[known->second];
            const std::string at = join(path, added.key);
            if (own.value->kind != added.value->kind || own.value->kind == node_kind::scalar) {
                problems_.add(added.key_at, at, "set in two files",
                              fmt::format("it is set at {} already", to_string(own.key_at)));
            } else if (own.value->kind == node_kind::map) {
                own.value = merge(own.value, added.value, at);
            } else if (own.value->kind == node_kind::list) {
                auto list = std::make_shared<node>(*own.value);
                list->items.insert(list->items.end(), added.value->items.begin(), added.value->items.end());
                own.value = std::move(list);
            }
        }
        return both;
    }

    references& refs_;
    file_state& seen_;
    problem_list& problems_;
    merged& out_;
    std::vector<std::string> chain_;      // identities of the files being read, outermost first
    std::map<std::string, place> first_;  // where each file was first asked for
};

}  // namespace

merged load_with_includes(const std::string& path, references& refs, file_state& seen, problem_list& problems) {
    merged out;
    out.root = includer{refs, seen, problems, out}.read(path, {});
    return out;
}

}  // namespace sluice::config
