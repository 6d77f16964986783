// Which addresses the gateway may connect to: the guard against server-side request forgery.
//
// A name says nothing about where it leads: `0x7f.1` and `2130706433` are 127.0.0.1 to some resolvers,
// and a name that was public when it was checked can answer 127.0.0.1 a second later (DNS rebinding).
// So the guard judges the resolved address, in the very attempt that connects to it, every time.
//
// The rule, in order:
//   1. `deny` lists the address                             -> refused
//   2. `allow` lists the address                            -> allowed
//   3. it is an ordinary public address                     -> allowed
//   4. it is loopback or private, and `allow_private` is on -> allowed
//   5. the same, but an operator wrote the address itself (or `localhost`) in the configuration -> allowed
//   6. everything else: metadata services, link-local, multicast, tunnels, reserved -> refused
// A public name whose answer turns private is thus refused; `base_url: http://127.0.0.1:8000` works as written.
#pragma once

#include <sluice/config.hpp>
#include <sluice/result.hpp>

#include <boost/asio/ip/address.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::net {

enum class address_class : std::uint8_t {
    global,         // an ordinary public unicast address
    loopback,       // 127.0.0.0/8, ::1
    private_use,    // RFC 1918, fc00::/7, fec0::/10
    shared,         // 100.64.0.0/10: carrier-grade NAT, also overlay networks
    link_local,     // 169.254.0.0/16, fe80::/10
    metadata,       // where clouds hand out credentials: 169.254.169.254 and its kin
    multicast,      // 224.0.0.0/4, ff00::/8
    broadcast,      // 255.255.255.255
    unspecified,    // 0.0.0.0/8, ::; the kernel takes 0.0.0.0 for this host
    documentation,  // 192.0.2.0/24, 2001:db8::/32 and others
    transition,     // 6to4, Teredo, local NAT64, ISATAP: another address hides inside, delivered by a tunnel
    reserved,       // anything else that IANA has not given out for use
};

// Source: IANA special-purpose address registries (RFC 6890 and its updates). An IPv4 address inside an IPv6 one
// (::ffff:0:0/96, ::/96, 64:ff9b::/96) is judged as the IPv4 address that packets will reach.
address_class classify(const boost::asio::ip::address& address);
std::string_view name_of(address_class kind);

// A block of addresses. A v4 block also matches the same addresses written as ::ffff:a.b.c.d.
class cidr {
public:
    // "10.0.0.0/8", "fd00::/8", or one address. Host bits below the prefix are an error: usually a typing slip.
    static result<cidr> parse(std::string_view text);
    bool contains(const boost::asio::ip::address& address) const;

private:
    boost::asio::ip::address network_;
    unsigned prefix_ = 0;  // bits
};

// What the host part of a URL is, before anything is resolved.
enum class host_form : std::uint8_t {
    literal,    // an address in its canonical form, IPv6 with or without brackets
    localhost,  // `localhost` or below it: always this machine (RFC 6761), never asked of DNS
    name,       // a host name for DNS
    invalid,    // empty, too long, odd characters, or a number in disguise: "127.1", "0x7f.1", "2130706433"
};

struct host_kind {
    host_form form = host_form::invalid;
    std::optional<boost::asio::ip::address> address;  // with `literal`
};
host_kind classify_host(std::string_view host);

// Who chose the host that is being connected to.
enum class host_origin : std::uint8_t {
    configuration,  // an operator: rule 5 holds
    client,         // a client's URL (an image, a callback): `allow_private` and rule 5 do not hold
};

struct address_policy_config {
    bool allow_private = false;      // may names lead to loopback, private or shared addresses?
    std::vector<std::string> allow;  // blocks that are always allowed, even link-local
    std::vector<std::string> deny;   // blocks that are never allowed
};
void read(config_reader& r, address_policy_config& c);

// The compiled policy of one provider. Immutable; safe to share between threads.
class address_policy {
public:
    address_policy() = default;  // public addresses, and literals an operator wrote
    static result<address_policy> make(const address_policy_config& config);

    // May a connection to `address` be tried, which `host` resolved to? The error is upstream_forbidden and
    // names both and the reason.
    result<void> check(std::string_view host, const boost::asio::ip::address& address, host_origin origin) const;

    // The same policy with `allow_private` on: for proxies, which operators name and which live inside.
    address_policy with_private() const;

private:
    bool allow_private_ = false;
    std::vector<cidr> allow_;
    std::vector<cidr> deny_;
};

}  // namespace sluice::net
