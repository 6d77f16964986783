#include "telemetry/wakeup.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace sluice::telemetry {

wakeup::wakeup() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (fd_ < 0) throw std::system_error(errno, std::system_category(), "eventfd");
}

wakeup::~wakeup() {
    ::close(fd_);
}

void wakeup::raise() {
    const std::uint64_t one = 1;
    // Fails only when 2^64 - 2 raises are pending, and then the waiter is awake anyway.
    [[maybe_unused]] const auto written = ::write(fd_, &one, sizeof one);
}

bool wakeup::wait(std::chrono::milliseconds timeout) {
    const auto until = std::chrono::steady_clock::now() + timeout;
    for (;;) {
        int left = -1;
        if (timeout.count() >= 0) {
            const auto rest = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
            left = rest.count() > 0 ? static_cast<int>(rest.count()) : 0;
        }
        pollfd p{fd_, POLLIN, 0};
        const int ready = ::poll(&p, 1, left);
        if (ready > 0) {
            consume();
            return true;
        }
        if (ready == 0) return false;
        if (errno != EINTR) throw std::system_error(errno, std::system_category(), "poll");
    }
}

void wakeup::consume() {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = ::read(fd_, &count, sizeof count);
}

}  // namespace sluice::telemetry
