#include "net/listener.hpp"
#include "support/loopback.hpp"
#include "support/results.hpp"

#include <catch2/catch.hpp>

#include <sys/resource.h>

#include <string>
#include <vector>

using namespace sluice;
using namespace sluice::net;
using namespace sluice::net_testing;

namespace {

int try_connect(int fd, int port) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    return ::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to);
}

unique_fd connect_to(int port) {
    unique_fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(try_connect(fd.get(), port) == 0);
    return fd;
}

struct accepting {
    worker_loop w;
    counter refused;
    std::vector<unique_fd> got;
    std::vector<std::string> peers;
    unique_fd socket = listen_on("127.0.0.1:0", 64).value();
    int port = port_of(socket.get());
    listener l{w.loop, std::move(socket),
               [this](unique_fd fd, std::string peer) {
                   got.push_back(std::move(fd));
                   peers.push_back(std::move(peer));
               },
               refused};
};

// No descriptor above those in use is to be had.
class no_descriptors {
public:
    no_descriptors() {
        REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
        const int next = ::dup(0);
        ::close(next);
        rlimit none = before_;
        none.rlim_cur = static_cast<rlim_t>(next);
        REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    }
    ~no_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
    no_descriptors(const no_descriptors&) = delete;
    no_descriptors& operator=(const no_descriptors&) = delete;

private:
    rlimit before_{};
};

}  // namespace

TEST_CASE("a listener hands over connections with their peer's address") {
    accepting a;
    const unique_fd one = connect_to(a.port), two = connect_to(a.port);
    a.w.until([&] { return a.got.size() == 2; });
    CHECK(a.peers[0] == "127.0.0.1");
    CHECK((::fcntl(a.got[0].get(), F_GETFL) & O_NONBLOCK) != 0);
}

TEST_CASE("closing accepts what waits, and then nobody gets in") {
    accepting a;
    const unique_fd waits = connect_to(a.port), too = connect_to(a.port);
    a.l.close();
    CHECK(a.got.size() == 2);
    const unique_fd late(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    CHECK(try_connect(late.get(), a.port) != 0);
    a.l.close();
    a.w.settle();
}

TEST_CASE("without descriptors waiting clients are refused by a close, and accepted again later") {
    accepting a;
    std::vector<unique_fd> clients;
    for (int i = 0; i < 2; ++i) clients.push_back(connect_to(a.port));
    {
        const no_descriptors none;
        a.w.until([&] { return a.refused.value() > 0; });
    }
    CHECK(a.got.empty());
    hand refused(a.w.io, std::move(clients[0]));
    char byte = 0;
    CHECK(::recv(refused.fd(), &byte, 1, 0) <= 0);  // closed, not left hanging
    a.w.until([&] { return a.got.size() == 1; });   // the other one, after the pause
    CHECK(a.refused.value() == 1);
}

TEST_CASE("a listener may be closed and destroyed during its pause") {
    accepting a;
    const unique_fd client = connect_to(a.port);
    {
        const no_descriptors none;
        a.w.until([&] { return a.refused.value() > 0; });
    }
    a.l.close();
    a.w.settle();
}

TEST_CASE("addresses are literal, with a port") {
    for (const char* bad : {"", "8080", "127.0.0.1", "localhost:80", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:8a",
                            "[::1:80", "1.2.3.4.5:80", ":80"}) {
        INFO(bad);
        const auto r = listen_on(bad, 1);
        REQUIRE_FALSE(r);
        CHECK(r.error().message.find("is not an address") != std::string::npos);
    }
    const auto foreign = listen_on("192.0.2.1:0", 1);
    REQUIRE_FALSE(foreign);
    CHECK(foreign.error().message.find("cannot listen on 192.0.2.1:0") != std::string::npos);
}

TEST_CASE("workers share one port, another process does not get it by mistake") {
    const unique_fd first = listen_on("127.0.0.1:0", 1).value();
    const std::string address = "127.0.0.1:" + std::to_string(port_of(first.get()));
    CHECK(listen_on(address, 1));
    CHECK_FALSE(check_free(address));
    CHECK(check_free("127.0.0.1:0"));
}
