#include "config/file_watch.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>
#include <system_error>

namespace sluice::config {
namespace {

// Everything after which a name in a folder may mean other content. IN_MODIFY is left out: a writer that is
// not done yet would wake us for each write, and its close comes as IN_CLOSE_WRITE.
constexpr std::uint32_t interesting = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE | IN_ATTRIB |
                                      IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

int make_eventfd() {
    const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
    return fd;
}

}  // namespace

file_watch::file_watch(std::function<void()> changed, file_watch_options options)
    : changed_(std::move(changed)),
      options_(options),
      wake_(make_eventfd()),
      inotify_(options.use_inotify ? ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK) : -1) {}

file_watch::~file_watch() {
    stop();
    ::close(wake_);
    if (inotify_ >= 0) ::close(inotify_);
}

void file_watch::start() {
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
}

void file_watch::stop() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    ::eventfd_write(wake_, 1);
    thread_.join();
    const std::lock_guard lock{mutex_};
    stopping_ = false;  // it may be started again
}

void file_watch::watch(file_state seen) {
    {
        const std::lock_guard lock{mutex_};
        wanted_ = std::move(seen);
        renewed_ = true;
    }
    ::eventfd_write(wake_, 1);
}

void file_watch::run() {
    bool look = false;  // something may have changed
    for (;;) {
        {
            const std::lock_guard lock{mutex_};
            if (stopping_) return;
            if (renewed_) {
                seen_ = std::move(wanted_);
                renewed_ = false;
                look = true;  // between that load and our watches nobody was looking
            }
        }
        // Before the look: what happens after it must raise an event.
        refresh_folders();
        const bool blind = std::any_of(folders_.begin(), folders_.end(), [](const auto& f) { return f.second < 0; });
        if (look) {
            look = false;
            file_state fresh = seen_.now();
            if (fresh != seen_) {
                seen_ = blind ? steady(std::move(fresh)) : std::move(fresh);
                refresh_folders();  // a link may lead elsewhere now
                changed_();
                continue;  // it may have called watch()
            }
        }
        if (wait(blind ? static_cast<int>(options_.poll.count()) : -1, true)) {
            settle();
            look = true;
        } else {
            look = blind;
        }
    }
}

// Waits until something happened in a folder: true. False: the time is over, or there is a new state or the end.
bool file_watch::wait(int milliseconds, bool with_events) {
    std::array<pollfd, 2> fds{{{wake_, POLLIN, 0}, {inotify_, POLLIN, 0}}};
    const nfds_t n = with_events && inotify_ >= 0 ? 2 : 1;
    if (::poll(fds.data(), n, milliseconds) <= 0) return false;
    if ((fds[0].revents & POLLIN) != 0) {
        eventfd_t ignored = 0;
        ::eventfd_read(wake_, &ignored);
        return false;
    }
    return n == 2 && fds[1].revents != 0;
}

// Without events, a file that is being written shows by changing from look to look.
file_state file_watch::steady(file_state fresh) {
    for (int i = 0; i < 10; ++i) {
        wait(static_cast<int>(options_.settle.count()), false);
        file_state again = fresh.now();
        if (again == fresh) break;
        fresh = std::move(again);
    }
    return fresh;
}

// Returns when the folders have been quiet for the settle time, or busy for ten times that: somebody may
// keep a log beside the configuration.
void file_watch::settle() {
    const auto pause = static_cast<int>(options_.settle.count());
    for (int i = 0; i < 10 && drain_events(); ++i) {
        // Deaf to events on purpose: one look per settle time, however busy the folder.
        wait(pause, false);
        const std::lock_guard lock{mutex_};
        if (stopping_ || renewed_) return;
    }
}

// True if there were events.
bool file_watch::drain_events() {
    alignas(inotify_event) std::array<char, 4096> buffer;
    bool any = false;
    for (;;) {
        const ssize_t n = ::read(inotify_, buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return any;
        any = true;
        for (std::size_t at = 0; at < static_cast<std::size_t>(n);) {
            const auto* e = reinterpret_cast<const inotify_event*>(buffer.data() + at);
            at += sizeof(inotify_event) + e->len;
            // The folder is gone: watch its successor, or poll for it.
            if ((e->mask & IN_MOVE_SELF) != 0) ::inotify_rm_watch(inotify_, e->wd);
            if ((e->mask & (IN_IGNORED | IN_MOVE_SELF)) != 0) {
                std::erase_if(folders_, [&](const auto& f) { return f.second == e->wd; });
            }
        }
    }
}

// Watches the folders that matter now, tries again where it failed, and forgets the others.
void file_watch::refresh_folders() {
    std::map<std::string, int> now;
    for (const std::string& folder : seen_.folders()) {
        const auto known = folders_.find(folder);
        const bool watched = known != folders_.end() && known->second >= 0;
        now[folder] = watched ? known->second : -1;
        if (!watched && inotify_ >= 0) now[folder] = ::inotify_add_watch(inotify_, folder.c_str(), interesting);
    }
    std::set<int> used;  // two paths of one folder share a descriptor
    for (const auto& [folder, wd] : now) used.insert(wd);
    for (const auto& [folder, wd] : folders_) {
        if (wd >= 0 && !used.contains(wd)) ::inotify_rm_watch(inotify_, wd);
    }
    folders_ = std::move(now);
}

}  // namespace sluice::config
