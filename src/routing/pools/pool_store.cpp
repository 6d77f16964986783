#include "routing/pools/pool_store.hpp"

#include "net/unique_fd.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace sluice::routing {
namespace {

error failed(std::string_view what, const std::string& path) {
    return error{error_kind::internal, std::string(what) + ' ' + path + ": " + std::generic_category().message(errno)};
}

}  // namespace

std::string pool_store::path_of(std::string_view pool) const {
    return folder_ + "/pool-" + std::string(pool) + ".json";
}

result<void> pool_store::save(std::string_view pool, std::string_view text) const {
    std::error_code ignored;
    std::filesystem::create_directories(folder_, ignored);
    const std::string path = path_of(pool), fresh = path + ".new";
    net::unique_fd fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (fd.get() < 0) return failed("cannot open", fresh);
    while (!text.empty()) {
        const ssize_t n = ::write(fd.get(), text.data(), text.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return failed("cannot write", fresh);
        text.remove_prefix(static_cast<std::size_t>(n));
    }
    if (::fsync(fd.get()) != 0) return failed("cannot sync", fresh);
    if (std::rename(fresh.c_str(), path.c_str()) != 0) return failed("cannot replace", path);
    const net::unique_fd folder(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder.get() < 0 || ::fsync(folder.get()) != 0) return failed("cannot sync", folder_);
    return {};
}

result<std::optional<std::string>> pool_store::load(std::string_view pool) const {
    const std::string path = path_of(pool);
    std::ifstream in(path, std::ios::binary);
    if (!in) {
        if (errno == ENOENT) return std::optional<std::string>();
        return failed("cannot open", path);
    }
    std::string text(bytes_max + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (in.bad()) return failed("cannot read", path);
    if (text.size() > bytes_max) return error{error_kind::internal, path + " is too large"};
    return std::optional<std::string>(std::move(text));
}

}  // namespace sluice::routing
