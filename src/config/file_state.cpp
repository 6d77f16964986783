#include "config/file_state.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>

namespace sluice::config {
namespace {

namespace fs = std::filesystem;

std::int64_t nanoseconds(const timespec& t) {
    return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

std::vector<std::string> names_in(const std::string& folder) {
    std::vector<std::string> names;
    std::error_code failed;
    fs::directory_iterator entry{folder, failed};
    while (!failed && entry != fs::directory_iterator{}) {
        names.push_back(entry->path().filename().string());
        entry.increment(failed);
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::string folder_of(const fs::path& file) {
    const fs::path parent = file.parent_path();
    return parent.empty() ? "." : parent.string();
}

}  // namespace

void file_state::add_file(const std::string& path) {
    if (!files_.contains(path)) files_.emplace(path, look(path));
}

void file_state::add_folder(const std::string& path) {
    if (!folders_.contains(path)) folders_.emplace(path, names_in(path));
}

file_state file_state::now() const {
    file_state fresh;
    for (const auto& [path, seen] : files_) fresh.add_file(path);
    for (const auto& [path, names] : folders_) fresh.add_folder(path);
    return fresh;
}

std::vector<std::string> file_state::files() const {
    std::vector<std::string> paths;
    for (const auto& [path, seen] : files_) paths.push_back(path);
    return paths;
}

std::vector<std::string> file_state::folders() const {
    std::set<std::string> all;
    for (const auto& [path, names] : folders_) all.insert(path);
    for (const auto& [path, seen] : files_) {
        all.insert(folder_of(path));
        std::error_code failed;
        const fs::path target = fs::canonical(path, failed);
        if (!failed) all.insert(folder_of(target));
    }
    return {all.begin(), all.end()};
}

file_state::stamp file_state::look(const std::string& path) {
    struct stat info{};
    if (::stat(path.c_str(), &info) != 0) return {};
    return {true,
            static_cast<std::uint64_t>(info.st_dev),
            static_cast<std::uint64_t>(info.st_ino),
            info.st_size,
            nanoseconds(info.st_mtim),
            nanoseconds(info.st_ctim)};
}

}  // namespace sluice::config
