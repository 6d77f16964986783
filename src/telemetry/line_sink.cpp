#include "telemetry/line_sink.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <system_error>

namespace sluice::telemetry {
namespace {

bool is_regular(int fd) {
    struct stat info{};
    return ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

}  // namespace

line_sink::line_sink(std::string path, wakeup& interrupt) : path_(std::move(path)), interrupt_(interrupt) {
    fd_ = open_path();
    if (fd_ < 0 && errno != ENXIO) throw std::system_error(errno, std::system_category(), "access log " + path_);
    if (fd_ >= 0) regular_ = is_regular(fd_);
}

line_sink::~line_sink() {
    if (fd_ > STDOUT_FILENO) ::close(fd_);
}

bool line_sink::reopen() {
    const int fresh = open_path();
    if (fresh < 0) return false;
    if (fd_ > STDOUT_FILENO) ::close(fd_);
    fd_ = fresh;
    regular_ = is_regular(fd_);
    torn_ = torn_ && !regular_;
    return true;
}

bool line_sink::write(std::string_view lines, const std::atomic<bool>& give_up) {
    if (lines.empty()) return true;
    if (!ready()) return false;
    if (torn_) {
        std::string_view end = "\n";
        if (!write_some(end, give_up)) return false;
        torn_ = false;
    }
    while (!lines.empty()) {
        const std::size_t before = lines.size();
        const bool good = write_some(lines, give_up);
        if (lines.size() < before) torn_ = *(lines.data() - 1) != '\n';
        if (!good) return false;
    }
    return true;
}

int line_sink::open_path() {
    if (path_ == "-") return STDOUT_FILENO;
    // Without O_NONBLOCK, open() would wait for a reader of a FIFO.
    return ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640);
}

bool line_sink::ready() {
    if (fd_ >= 0) return true;
    const auto now = std::chrono::steady_clock::now();
    if (now < next_try_) return false;
    next_try_ = now + std::chrono::seconds{1};
    return reopen();
}

bool line_sink::write_some(std::string_view& rest, const std::atomic<bool>& give_up) {
    if (give_up.load(std::memory_order_acquire)) return false;
    if (!regular_) {
        // The standard output may be a pipe in blocking mode. When poll(2) finds it writable, PIPE_BUF bytes fit.
        pollfd waits[] = {{fd_, POLLOUT, 0}, {interrupt_.descriptor(), POLLIN, 0}};
        if (::poll(waits, 2, -1) < 0 && errno != EINTR) return false;
        if ((waits[1].revents & POLLIN) != 0) interrupt_.consume();
        if (waits[0].revents == 0) return true;  // woken: look at give_up again
    }
    const ssize_t n = ::write(fd_, rest.data(), regular_ ? rest.size() : std::min<std::size_t>(rest.size(), PIPE_BUF));
    if (n >= 0) {
        rest.remove_prefix(static_cast<std::size_t>(n));
        return true;
    }
    if (errno == EINTR || errno == EAGAIN) return true;
    const bool reader_gone = errno == EPIPE;
    if (reader_gone && fd_ > STDOUT_FILENO) {
        ::close(fd_);
        fd_ = -1;
        torn_ = false;  // a new reader has not seen the half line
    }
    return false;
}

}  // namespace sluice::telemetry
