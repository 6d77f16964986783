#include "net/connector.hpp"
#include "support/net_testing.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

using namespace sluice;
using namespace sluice::net;
using namespace sluice::net_testing;
using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace ip = boost::asio::ip;
using ip::tcp;

namespace {

// Answers from a list, one answer per question; the last one stays.
class scripted_names final : public resolver {
public:
    std::vector<std::vector<std::string>> answers;
    int asked = 0;

    awaitable<result<shared_addresses>> resolve(std::string host, std::chrono::milliseconds) override {
        if (answers.empty()) co_return error{error_kind::upstream_dns, "cannot resolve " + host + ": no such name"};
        const auto& texts = answers[std::min(static_cast<std::size_t>(asked++), answers.size() - 1)];
        auto found = std::make_shared<addresses>();
        for (const auto& text : texts) found->push_back(ip::make_address(text));
        co_return shared_addresses{std::move(found)};
    }
};

tcp::endpoint bound(int fd) {
    tcp::endpoint own;
    auto size = static_cast<socklen_t>(own.capacity());
    REQUIRE(::getsockname(fd, own.data(), &size) == 0);
    own.resize(size);
    return own;
}

// A listening socket. The kernel completes the handshakes; nobody needs to accept.
struct listening {
    explicit listening(const std::string& address = "127.0.0.1", std::uint16_t port = 0, int backlog = 16) {
        const tcp::endpoint at{ip::make_address(address), port};
        fd = unique_fd{::socket(at.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, 0)};
        REQUIRE(::bind(fd.get(), at.data(), static_cast<socklen_t>(at.size())) == 0);
        REQUIRE(::listen(fd.get(), backlog) == 0);
    }
    std::uint16_t port() const { return bound(fd.get()).port(); }
    unique_fd fd;
};

// A listener whose queue is full: further connections get no answer, as with a host that is down.
struct black_hole : listening {
    explicit black_hole(const std::string& address = "127.0.0.1", std::uint16_t at_port = 0)
        : listening(address, at_port, 0) {
        const tcp::endpoint at{ip::make_address(address), port()};
        for (int i = 0; i < 4; ++i) {
            fill.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
            ::connect(fill.back().get(), at.data(), static_cast<socklen_t>(at.size()));
        }
    }
    std::vector<unique_fd> fill;
};

std::uint16_t closed_port() {
    unique_fd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const tcp::endpoint at{ip::address_v4::loopback(), 0};
    REQUIRE(::bind(fd.get(), at.data(), static_cast<socklen_t>(at.size())) == 0);
    return bound(fd.get()).port();
}

endpoint_options options_of(bool allow_private, std::vector<std::string> allow = {},
                            std::vector<std::string> deny = {}) {
    connect_config config;
    config.addresses = {allow_private, std::move(allow), std::move(deny)};
    return endpoint_options::make(config).value();
}

int option(int fd, int level, int name) {
    int value = 0;
    socklen_t size = sizeof value;
    REQUIRE(::getsockopt(fd, level, name, &value, &size) == 0);
    return value;
}

std::ptrdiff_t open_descriptors() {
    const std::filesystem::directory_iterator all{"/proc/self/fd"};
    return std::distance(begin(all), end(all));
}

struct bench {
    asio::io_context io{1};
    scripted_names names;
    connector c{io.get_executor(), names};

    result<connected> connect(const endpoint_options& options, const std::string& host, std::uint16_t port,
                              std::chrono::milliseconds timeout = 5s) {
        return run(io, c.connect(options, host, port, timeout));
    }
};

}  // namespace

TEST_CASE("a literal is connected to without the resolver, and the socket is ready for use") {
    bench b;
    const listening server;
    const auto made = b.connect(options_of(false), "127.0.0.1", server.port());
    REQUIRE(made.has_value());
    CHECK(b.names.asked == 0);
    CHECK(made->peer == tcp::endpoint(ip::make_address("127.0.0.1"), server.port()));
    const int fd = made->fd.get();
    CHECK((::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    CHECK((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK(option(fd, IPPROTO_TCP, TCP_NODELAY) == 1);
    CHECK(option(fd, SOL_SOCKET, SO_KEEPALIVE) == 1);
    CHECK(option(fd, IPPROTO_TCP, TCP_KEEPIDLE) == 60);
    CHECK(b.connect(options_of(false), "[127.0.0.1]", server.port()).has_error());
}

TEST_CASE("a refused connection names the host, the address and the reason") {
    bench b;
    b.names.answers = {{"127.0.0.1"}};
    const auto port = closed_port();
    const auto made = b.connect(options_of(true), "model.internal", port);
    REQUIRE_FALSE(made.has_value());
    CHECK(made.error().kind == error_kind::upstream_connect);
    CHECK(made.error().message == "cannot connect to model.internal:" + std::to_string(port) +
                                      ": Connection refused (127.0.0.1:" + std::to_string(port) + ")");
}

TEST_CASE("a name that does not resolve is the resolver's error") {
    bench b;
    const auto made = b.connect(options_of(true), "missing.internal", 80);
    REQUIRE_FALSE(made.has_value());
    CHECK(made.error().kind == error_kind::upstream_dns);
}

TEST_CASE("an address that refuses makes the next one be tried at once") {
    bench b;
    const listening server{"127.0.0.2"};
    b.names.answers = {{"127.0.0.1", "127.0.0.2"}};
    const auto began = std::chrono::steady_clock::now();
    const auto made = b.connect(options_of(true), "model.internal", server.port());
    REQUIRE(made.has_value());
    CHECK(made->peer.address() == ip::make_address("127.0.0.2"));
    CHECK(std::chrono::steady_clock::now() - began < connector::attempt_delay);
}

TEST_CASE("an address that does not answer is overtaken by the next one") {
    bench b;
    const listening server{"127.0.0.2"};
    const black_hole silent{"127.0.0.1", server.port()};
    b.names.answers = {{"127.0.0.1", "127.0.0.2"}};
    const auto made = b.connect(options_of(true), "model.internal", server.port());
    REQUIRE(made.has_value());
    CHECK(made->peer.address() == ip::make_address("127.0.0.2"));
}

TEST_CASE("connecting ends at its timeout") {
    bench b;
    const black_hole silent;
    const auto made = b.connect(options_of(false), "127.0.0.1", silent.port(), 20ms);
    REQUIRE_FALSE(made.has_value());
    CHECK(made.error().kind == error_kind::upstream_connect_timeout);
    CHECK(made.error().message == "connecting to 127.0.0.1:" + std::to_string(silent.port()) + " took too long");
}

TEST_CASE("a connect that is cancelled leaves by exception and closes its sockets") {
    bench b;
    const black_hole silent;
    const auto options = options_of(false);
    asio::steady_timer prime{b.io};  // the loop opens its own descriptors with the first timer
    const auto before = open_descriptors();
    asio::cancellation_signal abort;
    bool threw = false;
    bool ended = false;
    asio::co_spawn(b.io, b.c.connect(options, "127.0.0.1", silent.port(), 5s),
                   asio::bind_cancellation_slot(abort.slot(), [&](std::exception_ptr e, result<connected>) {
                       ended = true;
                       threw = e != nullptr;
                   }));
    b.io.poll();
    REQUIRE_FALSE(ended);
    CHECK(open_descriptors() == before + 1);
    abort.emit(asio::cancellation_type::terminal);
    run_until(b.io, [&] { return ended; });
    CHECK(threw);
    b.io.poll();
    CHECK(open_descriptors() == before);
}

TEST_CASE("a loop may go while a connect is under way") {
    auto b = std::make_unique<bench>();
    const black_hole silent;
    const auto options = options_of(false);
    asio::co_spawn(b->io, b->c.connect(options, "127.0.0.1", silent.port(), 5s),
                   [](std::exception_ptr, result<connected>) {});
    b->io.poll();
    b.reset();
    SUCCEED();
}

TEST_CASE("a name that turns from a public address to a loopback one is refused at the attempt (DNS rebinding)") {
    bench b;
    const listening server{"127.0.0.2"};
    const listening secret_service{"127.0.0.1", server.port()};
    // 127.0.0.2 stands for the public address, so that the test stays on this machine.
    const auto options = options_of(false, {"127.0.0.2"});
    b.names.answers = {{"127.0.0.2"}, {"127.0.0.1"}};
    CHECK(b.connect(options, "rebind.example.com", server.port()).has_value());
    const auto second = b.connect(options, "rebind.example.com", server.port());
    REQUIRE_FALSE(second.has_value());
    CHECK(second.error().kind == error_kind::upstream_forbidden);
    CHECK(second.error().message == "rebind.example.com leads to 127.0.0.1, which is loopback and not allowed");

    // An answer that mixes both is used without the forbidden part.
    b.names.answers = {{"127.0.0.1", "::ffff:127.0.0.1", "127.0.0.2"}};
    const auto mixed = b.connect(options, "rebind.example.com", server.port());
    REQUIRE(mixed.has_value());
    CHECK(mixed->peer.address() == ip::make_address("127.0.0.2"));
}

TEST_CASE("no spelling of loopback gets through a name or a client's URL") {
    bench b;
    const listening server;
    auto options = options_of(true);
    options.origin = host_origin::client;
    for (const char* address :
         {"127.0.0.1", "127.0.0.2", "::1", "::ffff:127.0.0.1", "0.0.0.0", "::", "64:ff9b::7f00:1"}) {
        INFO(address);
        b.names.answers = {{address}};
        const auto named = b.connect(options, "images.example.com", server.port());
        REQUIRE_FALSE(named.has_value());
        CHECK(named.error().kind == error_kind::upstream_forbidden);
        const auto literal = b.connect(options, address, server.port());
        REQUIRE_FALSE(literal.has_value());
        CHECK(literal.error().kind == error_kind::upstream_forbidden);
    }
}

TEST_CASE("addresses are tried with the families in turn, spread over the addresses of a family") {
    const auto order = [](std::initializer_list<const char*> found, std::size_t turn) {
        addresses in;
        for (const char* text : found) in.push_back(ip::make_address(text));
        std::string out;
        for (const auto& a : attempt_order(in, turn)) out += a.to_string() + " ";
        return out;
    };
    CHECK(order({"::1", "::2", "::3", "1.1.1.1", "1.1.1.2"}, 0) == "::1 1.1.1.1 ::2 1.1.1.2 ::3 ");
    CHECK(order({"1.1.1.1", "1.1.1.2", "::1"}, 0) == "1.1.1.1 ::1 1.1.1.2 ");
    CHECK(order({"1.1.1.1", "1.1.1.2", "::1"}, 1) == "1.1.1.2 ::1 1.1.1.1 ");
    CHECK(order({"1.1.1.1"}, 7) == "1.1.1.1 ");
    CHECK(order({}, 1).empty());
}

// --- through a proxy ------------------------------------------------------------------------------------------

namespace {

// Takes one connection, reads a request head, says `answer`, and keeps the connection.
struct fake_proxy {
    explicit fake_proxy(asio::io_context& io, std::string says)
        : acceptor(io, tcp::endpoint(ip::address_v4::loopback(), 0)), socket(io), answer(std::move(says)) {
        acceptor.async_accept(socket, [this](boost::system::error_code ec) {
            if (!ec) read();
        });
    }
    void read() {
        socket.async_read_some(asio::buffer(buffer), [this](boost::system::error_code ec, std::size_t n) {
            if (ec) return;
            request.append(buffer, n);
            if (!request.ends_with("\r\n\r\n")) return read();
            if (answer == "hang up") return socket.close();
            asio::write(socket, asio::buffer(answer));
        });
    }
    endpoint_options options(std::string user = {}, std::string password = {}) const {
        connect_config config;
        config.proxy.emplace();
        config.proxy->host = "proxy.corp.internal";
        config.proxy->port = acceptor.local_endpoint().port();
        config.proxy->user = std::move(user);
        config.proxy->password = secret{std::move(password)};
        config.proxy->bypass = {"direct.example.com"};
        return endpoint_options::make(config).value();
    }

    tcp::acceptor acceptor;
    tcp::socket socket;
    std::string answer;
    std::string request;
    char buffer[1024];
};

}  // namespace

TEST_CASE("an upstream is reached through a proxy, whose own address may be private") {
    bench b;
    b.names.answers = {{"127.0.0.1"}};
    fake_proxy proxy{b.io, "HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n"};
    const auto options = proxy.options("user", "pass word");
    const auto made = b.connect(options, "api.example.com", 443);
    REQUIRE(made.has_value());
    CHECK(made->through_proxy);
    CHECK(proxy.request ==
          "CONNECT api.example.com:443 HTTP/1.1\r\nHost: api.example.com:443\r\n"
          "Proxy-Authorization: Basic dXNlcjpwYXNzIHdvcmQ=\r\n\r\n");
    // The tunnel is the connection itself.
    REQUIRE(::send(made->fd.get(), "x", 1, 0) == 1);
    char got = 0;
    CHECK(asio::read(proxy.socket, asio::buffer(&got, 1)) == 1);
    CHECK(got == 'x');
}

TEST_CASE("what a proxy answers instead of a tunnel is an error that names both hosts") {
    const std::pair<std::string, error_kind> table[] = {
        {"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", error_kind::upstream_connect},
        {"HTTP/1.1 503 No\r\nContent-Length: 3\r\n\r\nabc", error_kind::upstream_connect},
        {"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1/\r\n\r\n", error_kind::upstream_connect},
        {"HTTP/1.1 200 OK\r\n\r\nearly", error_kind::upstream_protocol},
        {"SSH-2.0-OpenSSH\r\n\r\n", error_kind::upstream_protocol},
        {"HTTP/2 200\r\n\r\n", error_kind::upstream_protocol},
        {"HTTP/1.1 2000 OK\r\n\r\n", error_kind::upstream_protocol},
        {"HTTP/1.1 200 " + std::string(9000, 'x'), error_kind::upstream_protocol},
        {"hang up", error_kind::upstream_connect},
    };
    for (const auto& [answer, kind] : table) {
        INFO(answer.substr(0, 60));
        bench b;
        b.names.answers = {{"127.0.0.1"}};
        fake_proxy proxy{b.io, answer};
        const auto options = proxy.options();
        const auto made = b.connect(options, "api.example.com", 443);
        REQUIRE_FALSE(made.has_value());
        CHECK(static_cast<int>(made.error().kind) == static_cast<int>(kind));
        CHECK(made.error().message.starts_with("cannot connect to api.example.com:443 through proxy.corp.internal:"));
    }
}

TEST_CASE("a proxy that says nothing is given up at the timeout") {
    bench b;
    b.names.answers = {{"127.0.0.1"}};
    fake_proxy proxy{b.io, ""};
    const auto options = proxy.options();
    const auto made = b.connect(options, "api.example.com", 443, 30ms);
    REQUIRE_FALSE(made.has_value());
    CHECK(made.error().kind == error_kind::upstream_connect_timeout);
}

TEST_CASE("hosts on the bypass list and this machine are reached without the proxy") {
    bench b;
    const listening server;
    fake_proxy proxy{b.io, "HTTP/1.1 403 No\r\n\r\n"};
    const auto options = proxy.options();
    const auto made = b.connect(options, "127.0.0.1", server.port());
    REQUIRE(made.has_value());
    CHECK_FALSE(made->through_proxy);

    proxy_config config;
    config.host = "proxy";
    config.bypass = {"example.com", ".only-below.org", "*.star.org", "10.0.0.0/8"};
    const auto p = connect_proxy::make(config).value();
    for (const char* host : {"example.com", "EXAMPLE.com.", "a.example.com", "a.only-below.org", "b.star.org",
                             "10.1.2.3", "localhost", "::1", "127.0.0.9"}) {
        INFO(host);
        CHECK(p.bypasses(host));
    }
    for (const char* host :
         {"badexample.com", "example.com.evil.org", "only-below.org", "star.org", "11.0.0.1", "com"}) {
        INFO(host);
        CHECK_FALSE(p.bypasses(host));
    }
}

TEST_CASE("the guard sees what a proxy is asked for: literals, and names that clients chose") {
    bench b;
    fake_proxy proxy{b.io, "HTTP/1.1 200 OK\r\n\r\n"};
    auto options = proxy.options();
    const auto metadata = b.connect(options, "169.254.169.254", 80);
    REQUIRE_FALSE(metadata.has_value());
    CHECK(metadata.error().kind == error_kind::upstream_forbidden);

    options.origin = host_origin::client;
    b.names.answers = {{"10.0.0.1"}};
    const auto inside = b.connect(options, "images.example.com", 80);
    REQUIRE_FALSE(inside.has_value());
    CHECK(inside.error().kind == error_kind::upstream_forbidden);

    // A good one is pinned: the proxy is told the address that was judged.
    b.names.asked = 0;
    b.names.answers = {{"93.184.216.34"}, {"127.0.0.1"}};
    const auto made = b.connect(options, "images.example.com", 80);
    REQUIRE(made.has_value());
    CHECK(proxy.request.starts_with("CONNECT 93.184.216.34:80 HTTP/1.1\r\n"));
}

TEST_CASE("a proxy's answer reads the same however it is cut") {
    const std::string answer = "HTTP/1.0 204 Fine\r\nA: b\r\n\r\n";
    for (std::size_t cut = 0; cut <= answer.size(); ++cut) {
        connect_reply reply;
        const auto first = reply.feed(std::string_view{answer}.substr(0, cut));
        REQUIRE(first.has_value());
        if (cut == answer.size()) {
            CHECK(*first == connect_reply::progress::open);
            continue;
        }
        CHECK(*first == connect_reply::progress::more);
        const auto second = reply.feed(std::string_view{answer}.substr(cut));
        REQUIRE(second.has_value());
        CHECK(*second == connect_reply::progress::open);
    }
}

TEST_CASE("a proxy is refused when its configuration cannot be meant") {
    const auto made = [](auto change) {
        proxy_config config;
        config.host = "proxy.corp.internal";
        change(config);
        return connect_proxy::make(config).has_value();
    };
    CHECK(made([](proxy_config&) {}));
    CHECK_FALSE(made([](proxy_config& c) { c.host = "http://proxy"; }));
    CHECK_FALSE(made([](proxy_config& c) { c.user = "a:b"; }));
    CHECK_FALSE(made([](proxy_config& c) { c.user = "a\r\nX: y"; }));
    CHECK_FALSE(made([](proxy_config& c) { c.bypass = {"http://x"}; }));
}
