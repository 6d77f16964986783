// What a configuration was read from, and whether it has changed since.
//
// A state is taken before a file is read, so that a change during the load is seen afterwards. Files are
// compared by what stat() says (device, inode, size, times) through symbolic links: an editor's
// rename-and-replace and the swap of a Kubernetes ConfigMap's `..data` link both show.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sluice::config {

class file_state {
public:
    // Notes a file as it is now; one that does not exist is noted as absent. Noting it again keeps
    // the first look.
    void add_file(const std::string& path);
    // Notes which names a folder holds: a pattern of include: may match more tomorrow.
    void add_folder(const std::string& path);

    // The same files and folders as they are now.
    file_state now() const;
    bool operator==(const file_state&) const = default;

    std::vector<std::string> files() const;
    // The folders whose events can mean a change: those of the files, of the files their links lead to, and
    // the folders noted.
    std::vector<std::string> folders() const;

private:
    struct stamp {
        bool present = false;
        std::uint64_t device = 0, inode = 0;
        std::int64_t size = 0, modified_ns = 0, changed_ns = 0;
        bool operator==(const stamp&) const = default;
    };
    static stamp look(const std::string& path);

    std::map<std::string, stamp> files_;
    std::map<std::string, std::vector<std::string>> folders_;  // names, sorted
};

}  // namespace sluice::config
