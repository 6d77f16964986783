#include "net/dns_channel.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <ares.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <map>
#include <utility>

namespace sluice::net {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::size_t answers_max = 64;

// c-ares counts its initialisations without a lock, so that only one thread may do it.
int library_status() {
    static const int status = ares_library_init(ARES_LIB_INIT_ALL);
    return status;
}

error dns_error(const std::string& host, int status) {
    std::string why;
    switch (status) {
        case ARES_ENOTFOUND:
            why = "no such name";
            break;
        case ARES_ENODATA:
            why = "the name has no address";
            break;
        case ARES_ETIMEOUT:
            why = "no DNS server answered in time";
            break;
        case ARES_ECONNREFUSED:
            why = "no DNS server could be reached";
            break;
        case ARES_ESERVFAIL:
            why = "the DNS server failed";
            break;
        default:
            why = ares_strerror(status);
    }
    return error{error_kind::upstream_dns, "cannot resolve " + host + ": " + why};
}

asio::ip::address to_address(const sockaddr& from) {
    if (from.sa_family == AF_INET) {
        sockaddr_in four{};
        std::memcpy(&four, &from, sizeof four);
        return asio::ip::address_v4{ntohl(four.sin_addr.s_addr)};
    }
    sockaddr_in6 six{};
    std::memcpy(&six, &from, sizeof six);
    asio::ip::address_v6::bytes_type bytes;
    std::memcpy(bytes.data(), &six.sin6_addr, bytes.size());
    return asio::ip::address_v6{bytes, six.sin6_scope_id};
}

dns_answer collect(const ares_addrinfo& info) {
    dns_answer answer{{}, std::chrono::seconds::max()};
    for (const auto* alias = info.cnames; alias != nullptr; alias = alias->next)
        answer.ttl = std::min(answer.ttl, std::chrono::seconds{std::max(alias->ttl, 0)});
    for (const auto* node = info.nodes; node != nullptr && answer.found.size() < answers_max; node = node->ai_next) {
        if (node->ai_addr == nullptr || (node->ai_family != AF_INET && node->ai_family != AF_INET6)) continue;
        answer.ttl = std::min(answer.ttl, std::chrono::seconds{std::max(node->ai_ttl, 0)});
        auto address = to_address(*node->ai_addr);
        if (std::find(answer.found.begin(), answer.found.end(), address) == answer.found.end())
            answer.found.push_back(std::move(address));
    }
    return answer;
}

}  // namespace

// Lives until its last handler has run; close() is the end of its work.
class dns_channel::state : public std::enable_shared_from_this<state> {
public:
    explicit state(asio::any_io_executor worker) : worker_(std::move(worker)), timer_(worker_) {}

    result<void> open(const dns_config& config);
    void look_up(const std::string& host, callback done);
    void close();

private:
    // A socket of c-ares. c-ares opens and closes it; we only wait for it.
    struct watch {
        explicit watch(const asio::any_io_executor& worker, int fd) : descriptor(worker, fd) {}
        asio::posix::stream_descriptor descriptor;
        bool want_read = false, want_write = false;  // what c-ares asked for
        bool reading = false, writing = false;       // the waits that are out
        bool gone = false;                           // c-ares closed the socket
    };
    struct query {
        state* self;
        std::string host;
        callback done;
    };

    static void on_socket(void* self, ares_socket_t fd, int readable, int writable);
    static void on_answer(void* arg, int status, int timeouts, ares_addrinfo* info);
    void arm(const std::shared_ptr<watch>& w, int fd);
    void ready(const std::shared_ptr<watch>& w, int fd, bool for_read, error_code ec);
    void schedule();
    void tick(error_code ec);

    asio::any_io_executor worker_;
    asio::steady_timer timer_;  // the next timeout c-ares wants to hear of
    ares_channel channel_ = nullptr;
    std::map<int, std::shared_ptr<watch>> sockets_;
};

result<std::unique_ptr<dns_channel>> dns_channel::make(asio::any_io_executor worker, const dns_config& config) {
    auto s = std::make_shared<state>(std::move(worker));
    if (const auto opened = s->open(config); !opened) return opened.error();
    return std::unique_ptr<dns_channel>(new dns_channel(std::move(s)));
}

dns_channel::dns_channel(std::shared_ptr<state> s) : state_(std::move(s)) {}
dns_channel::~dns_channel() {
    state_->close();
}

void dns_channel::look_up(const std::string& host, callback done) {
    state_->look_up(host, std::move(done));
}

result<void> dns_channel::state::open(const dns_config& config) {
    if (const int status = library_status(); status != ARES_SUCCESS)
        return error{error_kind::internal, std::string{"c-ares: "} + ares_strerror(status)};
    ares_options options{};
    char hosts_file_then_dns[] = "fb";
    options.lookups = hosts_file_then_dns;
    options.timeout = static_cast<int>(config.query_timeout.count());
    options.tries = config.tries;
    options.sock_state_cb = &on_socket;
    options.sock_state_cb_data = this;
    const int mask = ARES_OPT_LOOKUPS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
    if (const int status = ares_init_options(&channel_, &options, mask); status != ARES_SUCCESS) {
        channel_ = nullptr;
        return error{error_kind::internal, std::string{"c-ares: "} + ares_strerror(status)};
    }
    if (config.servers.empty()) return {};
    std::string list;
    for (const auto& server : config.servers) list.append(list.empty() ? "" : ",").append(server);
    if (const int status = ares_set_servers_ports_csv(channel_, list.c_str()); status != ARES_SUCCESS)
        return error{error_kind::bad_request, "dns.servers \"" + list + "\": " + ares_strerror(status)};
    return {};
}

void dns_channel::state::close() {
    if (channel_ == nullptr) return;
    timer_.cancel();
    // Ends every query (on_answer drops those) and closes every socket (on_socket lets go of them).
    ares_destroy(std::exchange(channel_, nullptr));
    sockets_.clear();
}

void dns_channel::state::look_up(const std::string& host, callback done) {
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    auto q = std::make_unique<query>(query{this, host, std::move(done)});
    ares_getaddrinfo(channel_, host.c_str(), nullptr, &hints, &on_answer, q.release());
    schedule();
}

void dns_channel::state::on_answer(void* arg, int status, int, ares_addrinfo* info) {
    const std::unique_ptr<query> q(static_cast<query*>(arg));
    const std::unique_ptr<ares_addrinfo, decltype(&ares_freeaddrinfo)> owned(info, &ares_freeaddrinfo);
    if (q->self->channel_ == nullptr) return;  // closing
    if (status != ARES_SUCCESS) return q->done(dns_error(q->host, status));
    auto answer = collect(*info);
    if (answer.found.empty()) return q->done(dns_error(q->host, ARES_ENODATA));
    q->done(std::move(answer));
}

void dns_channel::state::on_socket(void* self, ares_socket_t fd, int readable, int writable) {
    auto& s = *static_cast<state*>(self);
    const auto at = s.sockets_.find(fd);
    if (readable == 0 && writable == 0) {
        if (at == s.sockets_.end()) return;
        at->second->gone = true;
        at->second->descriptor.release();  // out of the reactor before c-ares closes it
        s.sockets_.erase(at);
        return;
    }
    auto w = at != s.sockets_.end() ? at->second : std::make_shared<watch>(s.worker_, fd);
    if (at == s.sockets_.end()) s.sockets_.emplace(fd, w);
    w->want_read = readable != 0;
    w->want_write = writable != 0;
    s.arm(w, fd);
}

void dns_channel::state::arm(const std::shared_ptr<watch>& w, int fd) {
    if (w->want_read && !w->reading) {
        w->reading = true;
        w->descriptor.async_wait(asio::posix::descriptor_base::wait_read,
                                 [self = shared_from_this(), w, fd](error_code ec) { self->ready(w, fd, true, ec); });
    }
    if (w->want_write && !w->writing) {
        w->writing = true;
        w->descriptor.async_wait(asio::posix::descriptor_base::wait_write,
                                 [self = shared_from_this(), w, fd](error_code ec) { self->ready(w, fd, false, ec); });
    }
}

void dns_channel::state::ready(const std::shared_ptr<watch>& w, int fd, bool for_read, error_code ec) {
    (for_read ? w->reading : w->writing) = false;
    if (channel_ == nullptr || w->gone || ec) return;
    const bool wanted = for_read ? w->want_read : w->want_write;
    if (wanted) ares_process_fd(channel_, for_read ? fd : ARES_SOCKET_BAD, for_read ? ARES_SOCKET_BAD : fd);
    if (!w->gone) arm(w, fd);
    schedule();
}

void dns_channel::state::schedule() {
    timeval wait{};
    if (channel_ == nullptr || ares_timeout(channel_, nullptr, &wait) == nullptr) {
        timer_.cancel();
        return;
    }
    // One millisecond more, since c-ares would find nothing due when woken a fraction too early.
    timer_.expires_after(std::chrono::seconds{wait.tv_sec} + std::chrono::microseconds{wait.tv_usec} +
                         std::chrono::milliseconds{1});
    timer_.async_wait([self = shared_from_this()](error_code ec) { self->tick(ec); });
}

void dns_channel::state::tick(error_code ec) {
    if (ec || channel_ == nullptr) return;
    ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    schedule();
}

result<void> dns_channel::check_server(std::string_view text) {
    const auto refuse = [&] {
        return error{
            error_kind::bad_request,
            "\"" + std::string{text} + "\" is not a DNS server such as 10.0.0.2, 10.0.0.2:5353 or [fd00::2]:53"};
    };
    std::string_view host = text;
    std::string_view port;
    const std::size_t colon = text.rfind(':');
    if (text.starts_with('[')) {
        const std::size_t end = text.find(']');
        if (end == text.npos) return refuse();
        host = text.substr(1, end - 1);
        if (end + 1 < text.size()) {
            if (text[end + 1] != ':') return refuse();
            port = text.substr(end + 2);
            if (port.empty()) return refuse();
        }
    } else if (colon != text.npos && text.find(':') == colon) {
        host = text.substr(0, colon);
        port = text.substr(colon + 1);
        if (port.empty()) return refuse();
    }
    error_code ec;
    asio::ip::make_address(host, ec);
    if (ec) return refuse();
    if (port.empty()) return {};
    unsigned number = 0;
    const auto [end, problem] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (problem != std::errc{} || end != port.data() + port.size() || number == 0 || number > 65'535) return refuse();
    return {};
}

}  // namespace sluice::net
