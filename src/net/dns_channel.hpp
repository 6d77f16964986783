// c-ares on a worker's event loop: its sockets wait in Asio, its timeouts are one timer. No thread, no lock.
//
// One per worker; not thread-safe. Callbacks come on the worker, possibly before look_up() returns (a name
// in /etc/hosts), and never after the channel is gone.
#pragma once

#include "net/dns_config.hpp"

#include <sluice/result.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace sluice::net {

struct dns_answer {
    addresses found;           // never empty; in the order of RFC 6724, at most 64
    std::chrono::seconds ttl;  // the shortest of the records, CNAMEs included; 0 for /etc/hosts
};

class dns_channel {
public:
    using callback = std::function<void(result<dns_answer>)>;

    static result<std::unique_ptr<dns_channel>> make(boost::asio::any_io_executor worker, const dns_config& config);
    ~dns_channel();
    dns_channel(const dns_channel&) = delete;
    dns_channel& operator=(const dns_channel&) = delete;

    // Asks for A and AAAA, after /etc/hosts, with the search domains of /etc/resolv.conf for short names.
    // `host` is a name; literals are the caller's business. The error is upstream_dns.
    void look_up(const std::string& host, callback done);

    // Is this how a server may be written in the configuration?
    static result<void> check_server(std::string_view text);

private:
    class state;
    explicit dns_channel(std::shared_ptr<state> s);
    std::shared_ptr<state> state_;
};

}  // namespace sluice::net
