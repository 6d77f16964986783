#include "net/listener.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <system_error>

namespace sluice::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr int accepts_per_turn = 256;
constexpr int accepts_at_close = 65536;  // no kernel's queue is longer; a flood must not keep us from closing
constexpr std::chrono::milliseconds pause_time{100};

result<tcp::endpoint> parse_address(const std::string& text) {
    const auto colon = text.rfind(':');
    const error bad{error_kind::bad_request, "\"" + text + "\" is not an address like 127.0.0.1:8080 or [::]:8080"};
    if (colon == std::string::npos) return bad;
    std::string host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    unsigned short port = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, failed] = std::from_chars(text.data() + colon + 1, end, port);
    boost::system::error_code ec;
    const auto address = asio::ip::make_address(host, ec);
    if (ec || failed != std::errc{} || stop != end || colon + 1 == text.size()) return bad;
    return tcp::endpoint(address, port);
}

std::string peer_text(const sockaddr_storage& peer) {
    if (peer.ss_family == AF_INET6) {
        asio::ip::address_v6::bytes_type bytes;
        std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6&>(peer).sin6_addr, bytes.size());
        const asio::ip::address_v6 address(bytes);
        return address.is_v4_mapped() ? asio::ip::make_address_v4(asio::ip::v4_mapped, address).to_string()
                                      : address.to_string();
    }
    return asio::ip::address_v4(ntohl(reinterpret_cast<const sockaddr_in&>(peer).sin_addr.s_addr)).to_string();
}

unique_fd open_spare() {
    return unique_fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

}  // namespace

result<unique_fd> listen_on(const std::string& address, int backlog) {
    const auto endpoint = parse_address(address);
    if (!endpoint) return endpoint.error();
    unique_fd fd(::socket(endpoint->protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const int on = 1;
    const bool listening = fd && ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                           ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0 &&
                           ::bind(fd.get(), endpoint->data(), static_cast<socklen_t>(endpoint->size())) == 0 &&
                           ::listen(fd.get(), backlog) == 0;
    const int why = errno;
    if (!listening) return error{error_kind::bad_request, "cannot listen on " + address + ": " + std::strerror(why)};
    return fd;
}

result<void> check_free(const std::string& address) {
    const auto endpoint = parse_address(address);
    if (!endpoint) return endpoint.error();
    const unique_fd fd(::socket(endpoint->protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    const bool free = fd && ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                      ::bind(fd.get(), endpoint->data(), static_cast<socklen_t>(endpoint->size())) == 0;
    if (!free) return error{error_kind::bad_request, "cannot listen on " + address + ": " + std::strerror(errno)};
    return {};
}

int port_of(int fd) {
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return 0;
    return ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(bound).sin6_port
                                             : reinterpret_cast<sockaddr_in&>(bound).sin_port);
}

listener::listener(reactor& loop, unique_fd socket, accepted on_accept, counter& refused)
    : loop_(loop),
      socket_(std::move(socket)),
      spare_(open_spare()),
      on_accept_(std::move(on_accept)),
      refused_(refused) {
    if (!loop_.add_listener(socket_.get(), *this)) throw std::system_error(errno, std::generic_category(), "epoll_ctl");
}

listener::~listener() {
    if (socket_) loop_.remove(socket_.get(), *this);
}

void listener::close() {
    if (!socket_) return;
    for (int i = 0; i < accepts_at_close && accept_one(); ++i) {
    }
    loop_.timers().disarm(*this);
    loop_.remove(socket_.get(), *this);
    socket_.reset();
}

void listener::on_events(std::uint32_t) {
    // Bounded, so that a flood of connections does not starve those that are open.
    for (int i = 0; i < accepts_per_turn && socket_ && accept_one(); ++i) {
    }
}

bool listener::accept_one() {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    unique_fd fd(::accept4(socket_.get(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd) {
        const int on = 1;
        ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        on_accept_(std::move(fd), peer_text(peer));
        return true;
    }
    if (errno == EINTR || errno == ECONNABORTED) return true;
    if (errno == EMFILE || errno == ENFILE) {
        refused_.add();
        spare_.reset();
        unique_fd(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC)).reset();
        spare_ = open_spare();
        pause();
    } else if (errno == ENOBUFS || errno == ENOMEM) {
        pause();
    }
    return false;
}

void listener::pause() {
    loop_.remove(socket_.get(), *this);
    loop_.timers().arm(*this, loop_.now() + pause_time);
}

void listener::expired() {
    if (!socket_ || loop_.add_listener(socket_.get(), *this)) return;
    loop_.timers().arm(*this, loop_.now() + pause_time);  // the kernel is short of memory: later
}

}  // namespace sluice::net
