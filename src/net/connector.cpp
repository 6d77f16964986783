#include "net/connector.hpp"

#include "http/authority.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

namespace sluice::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using steady = std::chrono::steady_clock;

namespace {

constexpr std::chrono::milliseconds timeout_max{std::chrono::hours{1}};

std::string text_of(int error_number) {
    return std::generic_category().message(error_number);
}

std::string text_of(const tcp::endpoint& peer) {
    return http::write_authority(peer.address().to_string(), peer.port());
}

error too_late(const std::string& target) {
    return error{error_kind::upstream_connect_timeout, "connecting to " + target + " took too long"};
}

void set(int fd, int level, int option, int value) {
    ::setsockopt(fd, level, option, &value, sizeof value);
}

// The options are hints: a connection works without them, so that failures are not reported.
void tune(int fd, const endpoint_options& options) {
    set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    // Off means an interactive connection: acknowledgements ride on data, on every second full segment, or come after
    // 40 ms at the latest. Else each event of a stream costs a packet of its own, a sixth of what passing it on costs.
    set(fd, IPPROTO_TCP, TCP_QUICKACK, 0);
    if (options.keepalive_idle.count() <= 0) return;
    set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set(fd, IPPROTO_TCP, TCP_KEEPIDLE, static_cast<int>(options.keepalive_idle.count()));
    set(fd, IPPROTO_TCP, TCP_KEEPINTVL, static_cast<int>(options.keepalive_interval.count()));
    set(fd, IPPROTO_TCP, TCP_KEEPCNT, options.keepalive_probes);
}

// 0, or why the connection attempt of a socket failed.
int outcome_of(int fd, const tcp::endpoint& peer) {
    int error_number = 0;
    socklen_t size = sizeof error_number;
    if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error_number, &size) != 0) return errno;
    if (error_number != 0 || !peer.address().is_loopback()) return error_number;
    // On loopback, TCP's simultaneous open lets a socket connect to itself when the kernel happens to pick the very
    // port that nobody listens on.
    tcp::endpoint own;
    size = static_cast<socklen_t>(own.capacity());
    if (::getsockname(fd, own.data(), &size) != 0) return errno;
    own.resize(size);
    return own == peer ? ECONNREFUSED : 0;
}

// The attempts to connect to one target. Its handlers share it; the coroutine waits on `done_`, which is both the
// deadline and the alarm clock.
class race : public std::enable_shared_from_this<race> {
public:
    struct target {
        const endpoint_options& options;  // outlives run()
        const address_policy& policy;     // likewise
        host_origin origin;
        std::string host;
        std::uint16_t port;
        addresses order;
    };

    race(const asio::any_io_executor& worker, target to)
        : to_(std::move(to)), worker_(worker), done_(worker), stagger_(worker) {}

    // Waits for the first connection, the last failure or the deadline.
    static awaitable<result<connected>> run(std::shared_ptr<race> self, steady::time_point by);

private:
    struct attempt {
        attempt(const asio::any_io_executor& worker, int fd, tcp::endpoint to)
            : socket(worker, fd), peer(std::move(to)) {}
        asio::posix::stream_descriptor socket;  // closes it, unless it wins
        tcp::endpoint peer;
    };

    void start_next();
    bool start(const asio::ip::address& address);
    void connected_or_not(const std::shared_ptr<attempt>& a, error_code ec);
    void failed(const tcp::endpoint& peer, int error_number);
    void finish(result<connected> outcome);
    void stop();
    error last_error() const;

    const target to_;
    const asio::any_io_executor worker_;
    asio::steady_timer done_;
    asio::steady_timer stagger_;
    std::size_t next_ = 0;                             // in to_.order
    std::vector<std::shared_ptr<attempt>> under_way_;  // attempts whose outcome is open
    std::optional<result<connected>> outcome_;
    bool stopped_ = false;  // no further attempts: there is an outcome, or nobody waits any more
    std::string problem_;   // of the last attempt that failed
    std::optional<error> forbidden_;
};

awaitable<result<connected>> race::run(std::shared_ptr<race> self, steady::time_point by) {
    struct stop_on_exit {
        race& r;
        ~stop_on_exit() { r.stop(); }
    } guard{*self};
    self->done_.expires_at(by);
    self->start_next();
    if (!self->outcome_) {
        const auto [ec] = co_await self->done_.async_wait(asio::as_tuple(asio::use_awaitable));
        if (!self->outcome_ && ec) throw boost::system::system_error(ec);  // cancelled
    }
    if (!self->outcome_) co_return too_late(http::write_authority(self->to_.host, self->to_.port));
    co_return std::move(*self->outcome_);
}

void race::start_next() {
    while (!stopped_ && next_ < to_.order.size()) {
        if (!start(to_.order[next_++])) continue;
        if (stopped_ || next_ == to_.order.size()) return;
        stagger_.expires_after(connector::attempt_delay);
        stagger_.async_wait([self = shared_from_this()](error_code ec) {
            // A timer that expired cannot be cancelled any more: the expiry tells whether it was set anew.
            if (!ec && self->stagger_.expiry() <= steady::now()) self->start_next();
        });
        return;
    }
    if (!stopped_ && under_way_.empty()) finish(last_error());
}

// True when the attempt is under way or has won; false when it failed at once.
bool race::start(const asio::ip::address& address) {
    if (auto verdict = to_.policy.check(to_.host, address, to_.origin); !verdict) {
        forbidden_ = verdict.error();
        return false;
    }
    const tcp::endpoint peer{address, to_.port};
    unique_fd fd{::socket(peer.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP)};
    if (!fd) {
        failed(peer, errno);
        return false;
    }
    tune(fd.get(), to_.options);
    int status = 0;
    do status = ::connect(fd.get(), peer.data(), static_cast<socklen_t>(peer.size()));
    while (status != 0 && errno == EINTR);
    const int error_number = status == 0 ? outcome_of(fd.get(), peer) : errno;
    if (error_number == 0) {
        finish(connected{std::move(fd), peer, false});
        return true;
    }
    if (error_number != EINPROGRESS) {
        failed(peer, error_number);
        return false;
    }
    auto a = std::make_shared<attempt>(worker_, fd.release(), peer);
    under_way_.push_back(a);
    a->socket.async_wait(asio::posix::descriptor_base::wait_write,
                         [self = shared_from_this(), a](error_code ec) { self->connected_or_not(a, ec); });
    return true;
}

void race::connected_or_not(const std::shared_ptr<attempt>& a, error_code ec) {
    if (stopped_) return;
    std::erase(under_way_, a);
    const int error_number = ec ? ec.value() : outcome_of(a->socket.native_handle(), a->peer);
    if (error_number == 0) return finish(connected{unique_fd{a->socket.release()}, a->peer, false});
    failed(a->peer, error_number);
    error_code ignored;
    a->socket.close(ignored);
    start_next();
}

void race::failed(const tcp::endpoint& peer, int error_number) {
    problem_ = text_of(error_number) + " (" + text_of(peer) + ")";
}

void race::finish(result<connected> outcome) {
    outcome_ = std::move(outcome);
    stop();
}

void race::stop() {
    stopped_ = true;
    stagger_.cancel();
    done_.cancel();
    for (const auto& a : std::exchange(under_way_, {})) {
        error_code ignored;
        a->socket.close(ignored);
    }
}

error race::last_error() const {
    // That a forbidden address was among them matters only when nothing else was there to fail.
    if (problem_.empty() && forbidden_) return *forbidden_;
    return error{error_kind::upstream_connect,
                 "cannot connect to " + http::write_authority(to_.host, to_.port) + ": " + problem_};
}

}  // namespace

void read(config_reader& r, connect_config& c) {
    read(r, c.addresses);
    r.section("proxy", c.proxy, "An HTTP proxy that upstreams are reached through, with CONNECT.");
    r.field("keepalive_idle", c.keepalive_idle, "Silence before the kernel probes the peer; 0 turns probes off.",
            {.min = 0, .max = 32767});
    r.field("keepalive_interval", c.keepalive_interval, "Time between two probes.", {.min = 1, .max = 32767});
    r.field("keepalive_probes", c.keepalive_probes, "Unanswered probes before a connection counts as broken.",
            {.min = 1, .max = 127});
}

result<endpoint_options> endpoint_options::make(const connect_config& config) {
    endpoint_options options;
    auto policy = address_policy::make(config.addresses);
    if (!policy) return policy.error();
    options.policy = std::move(*policy);
    if (config.proxy) {
        auto proxy = connect_proxy::make(*config.proxy);
        if (!proxy) return proxy.error();
        options.proxy = std::move(*proxy);
    }
    options.keepalive_idle = std::chrono::ceil<std::chrono::seconds>(config.keepalive_idle);
    options.keepalive_interval = std::chrono::ceil<std::chrono::seconds>(config.keepalive_interval);
    options.keepalive_probes = config.keepalive_probes;
    return options;
}

awaitable<result<connected>> connector::connect(const endpoint_options& options, std::string host, std::uint16_t port,
                                                std::chrono::milliseconds timeout) {
    const deadline by = steady::now() + std::min(timeout, timeout_max);
    if (host.starts_with('[') && classify_host(host).address) host = host.substr(1, host.size() - 2);
    if (options.proxy && !options.proxy->bypasses(host)) {
        auto through = co_await connect_through(options, host, port, by);
        co_return std::move(through);
    }
    auto direct = co_await connect_direct(options, options.policy, options.origin, host, port, by);
    co_return std::move(direct);
}

awaitable<result<shared_addresses>> connector::addresses_of(const std::string& host, deadline by) {
    const host_kind kind = classify_host(host);
    if (kind.address) co_return std::make_shared<const addresses>(addresses{*kind.address});
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(by - steady::now());
    auto found = co_await names_.resolve(host, std::max(left, std::chrono::milliseconds{0}));
    co_return std::move(found);
}

awaitable<result<connected>> connector::connect_direct(const endpoint_options& options, const address_policy& policy,
                                                       host_origin origin, const std::string& host, std::uint16_t port,
                                                       deadline by) {
    const auto found = co_await addresses_of(host, by);
    if (!found) co_return found.error();
    race::target to{options, policy, origin, host, port, attempt_order(**found, turn_++)};
    if (to.order.size() > attempts_max) to.order.resize(attempts_max);
    auto r = std::make_shared<race>(worker_, std::move(to));
    auto outcome = co_await race::run(std::move(r), by);
    co_return std::move(outcome);
}

awaitable<result<connected>> connector::connect_through(const endpoint_options& options, const std::string& host,
                                                        std::uint16_t port, deadline by) {
    std::string target = host;
    const host_kind kind = classify_host(host);
    if (kind.form == host_form::invalid)
        co_return error{error_kind::upstream_dns, "\"" + host + "\" is neither an address nor a host name"};
    if (kind.address || options.origin == host_origin::client) {
        const auto found = co_await addresses_of(host, by);
        if (!found) co_return found.error();
        std::optional<result<void>> verdict;
        for (const auto& address : **found) {
            verdict = options.policy.check(host, address, options.origin);
            if (!*verdict) continue;
            target = address.to_string();
            break;
        }
        if (!*verdict) co_return verdict->error();
    }
    const address_policy policy = options.policy.with_private();
    auto proxied = co_await connect_direct(options, policy, host_origin::configuration, options.proxy->host(),
                                           options.proxy->port(), by);
    if (!proxied) co_return proxied.error();
    auto tunnelled = co_await open_tunnel(worker_, std::move(proxied->fd), options.proxy->request(target, port), by);
    if (!tunnelled) {
        error why = tunnelled.error();
        why.message = "cannot connect to " + http::write_authority(host, port) + " through " +
                      http::write_authority(options.proxy->host(), options.proxy->port()) + ": " + why.message;
        co_return why;
    }
    co_return connected{std::move(*tunnelled), proxied->peer, true};
}

addresses attempt_order(const addresses& found, std::size_t turn) {
    addresses first;
    addresses second;
    for (const auto& address : found) (address.is_v6() == found.front().is_v6() ? first : second).push_back(address);
    for (auto* family : {&first, &second}) {
        if (family->empty()) continue;
        const auto by = static_cast<std::ptrdiff_t>(turn % family->size());
        std::rotate(family->begin(), family->begin() + by, family->end());
    }
    addresses order;
    order.reserve(found.size());
    for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
        if (i < first.size()) order.push_back(first[i]);
        if (i < second.size()) order.push_back(second[i]);
    }
    return order;
}

}  // namespace sluice::net
