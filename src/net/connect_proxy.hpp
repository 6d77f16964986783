// Reaching upstreams through an HTTP proxy: which hosts go through it, and the CONNECT conversation.
//
// What is said is bytes in and bytes out; open_tunnel() moves them. The proxy resolves the names it is
// given, so the address guard sees the proxy's own address and any literal, not what names lead to behind it.
// A host that a client chose is therefore resolved and checked here, and the proxy is told the address.
#pragma once

#include "net/address_guard.hpp"
#include "net/unique_fd.hpp"

#include <sluice/awaitable.hpp>
#include <sluice/config.hpp>
#include <sluice/result.hpp>
#include <sluice/secret.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::net {

struct proxy_config {
    std::string host;
    std::uint16_t port = 3128;
    std::string user;  // empty: no credentials
    secret password;
    // Hosts reached without the proxy: "example.com" (and everything below it), ".example.com" (only below it),
    // "10.0.0.0/8" (literals in the block), "*" (all). Loopback literals and localhost never use the proxy.
    std::vector<std::string> bypass;
};
void read(config_reader& r, proxy_config& c);

// One compiled proxy. Immutable; safe to share between threads.
class connect_proxy {
public:
    static result<connect_proxy> make(const proxy_config& config);

    const std::string& host() const { return host_; }
    std::uint16_t port() const { return port_; }
    bool bypasses(std::string_view target_host) const;

    // The request that opens a tunnel to `target_host` (a name, or a literal without brackets) and `target_port`.
    // It holds the credentials: never log it.
    secret request(std::string_view target_host, std::uint16_t target_port) const;

private:
    std::string host_;
    std::uint16_t port_ = 0;
    secret authorization_;  // "Basic ...", or empty
    bool bypass_all_ = false;
    std::vector<std::string> bypass_names_;  // lower case; a leading dot: only below it
    std::vector<cidr> bypass_blocks_;
};

// Reads the proxy's answer. Any 2xx opens the tunnel, whatever its headers say (RFC 9110, 9.3.6).
class connect_reply {
public:
    static constexpr std::size_t head_bytes_max = 8192;

    enum class progress : std::uint8_t { more, open };
    // Takes the next bytes. An error (upstream_connect or upstream_protocol) is final: close the connection.
    // Bytes after the head are an error: the upstream speaks only when spoken to.
    result<progress> feed(std::string_view bytes);

private:
    std::string head_;
};

// Sends `request` over a fresh connection to a proxy and returns it once the tunnel is open, at the latest at `by`.
// Errors: upstream_connect, upstream_connect_timeout, upstream_protocol. Closes `fd` on any failure, and when
// cancelled (it leaves by exception then).
awaitable<result<unique_fd>> open_tunnel(boost::asio::any_io_executor worker, unique_fd fd, secret request,
                                         std::chrono::steady_clock::time_point by);

}  // namespace sluice::net
