#include "net/address_guard.hpp"

#include <boost/asio/ip/address.hpp>
#include <catch2/catch.hpp>

#include <netdb.h>
#include <sys/socket.h>

#include <string>
#include <utility>

using namespace sluice;
using namespace sluice::net;
namespace ip = boost::asio::ip;

namespace {

bool allowed(const address_policy& policy, const std::string& host, const std::string& address,
             host_origin origin = host_origin::configuration) {
    return policy.check(host, ip::make_address(address), origin).has_value();
}

address_policy policy_of(bool allow_private, std::vector<std::string> allow, std::vector<std::string> deny) {
    return address_policy::make({allow_private, std::move(allow), std::move(deny)}).value();
}

}  // namespace

TEST_CASE("every special-purpose block is known by its class, at its first and last address") {
    using enum address_class;
    const std::pair<const char*, address_class> table[] = {
        {"8.8.8.8", global},
        {"1.1.1.1", global},
        {"0.0.0.0", unspecified},
        {"0.255.255.255", unspecified},
        {"9.255.255.255", global},
        {"10.0.0.0", private_use},
        {"10.255.255.255", private_use},
        {"11.0.0.0", global},
        {"100.63.255.255", global},
        {"100.64.0.0", shared},
        {"100.127.255.255", shared},
        {"100.128.0.0", global},
        {"100.100.100.200", metadata},
        {"127.0.0.1", loopback},
        {"127.255.255.255", loopback},
        {"128.0.0.0", global},
        {"168.63.129.16", metadata},
        {"169.253.255.255", global},
        {"169.254.0.1", link_local},
        {"169.254.169.254", metadata},
        {"169.254.170.2", metadata},
        {"169.255.0.0", global},
        {"172.15.255.255", global},
        {"172.16.0.0", private_use},
        {"172.31.255.255", private_use},
        {"172.32.0.0", global},
        {"192.0.0.1", reserved},
        {"192.0.2.1", documentation},
        {"192.168.0.0", private_use},
        {"192.168.255.255", private_use},
        {"198.17.255.255", global},
        {"198.18.0.0", reserved},
        {"198.19.255.255", reserved},
        {"198.51.100.7", documentation},
        {"203.0.113.7", documentation},
        {"223.255.255.255", global},
        {"224.0.0.1", multicast},
        {"239.255.255.255", multicast},
        {"240.0.0.1", reserved},
        {"255.255.255.255", broadcast},
        {"::", unspecified},
        {"::1", loopback},
        {"::2", unspecified},  // ::0.0.0.2
        {"::127.0.0.1", loopback},
        {"::ffff:127.0.0.1", loopback},
        {"::ffff:7f00:1", loopback},
        {"::ffff:8.8.8.8", global},
        {"::ffff:169.254.169.254", metadata},
        {"::ffff:0:10.0.0.1", private_use},
        {"64:ff9b::127.0.0.1", loopback},
        {"64:ff9b::10.1.2.3", private_use},
        {"64:ff9b::8.8.8.8", global},
        {"64:ff9b:1::8.8.8.8", transition},
        {"100::1", reserved},
        {"2001::1", transition},
        {"2001:0:7f00:1::", transition},
        {"2001:2::1", reserved},
        {"2001:db8::1", documentation},
        {"2001:4860:4860::8888", global},
        {"2002:7f00:1::", transition},
        {"2002:808:808::1", transition},
        {"2606:4700::200:5efe:a00:1", transition},
        {"3fff::1", documentation},
        {"4000::1", reserved},
        {"fc00::1", private_use},
        {"fdff::1", private_use},
        {"fd00:ec2::254", metadata},
        {"fe80::1", link_local},
        {"febf::1", link_local},
        {"fec0::1", private_use},
        {"ff02::1", multicast},
    };
    for (const auto& [text, expected] : table) {
        INFO(text);
        CHECK(name_of(classify(ip::make_address(text))) == name_of(expected));
    }
}

TEST_CASE("an IPv4 address spelled as an odd number is not a host, and where a resolver reads it it is refused") {
    const address_policy policy;
    for (const char* host : {"0x7f.1", "2130706433", "127.1", "017700000001", "0x7f000001", "0177.0.0.1", "127.0.1",
                             "0x7f.0x0.0x0.0x1", "0", "127.0.0.1."}) {
        INFO(host);
        CHECK(classify_host(host).form == host_form::invalid);

        // What getaddrinfo makes of it; numeric only, so nothing is asked of a network.
        addrinfo hints{};
        hints.ai_flags = AI_NUMERICHOST;
        hints.ai_family = AF_INET;
        addrinfo* found = nullptr;
        if (getaddrinfo(host, nullptr, &hints, &found) != 0) continue;
        sockaddr_in to{};
        std::memcpy(&to, found->ai_addr, sizeof to);
        freeaddrinfo(found);
        const ip::address address = ip::address_v4{ntohl(to.sin_addr.s_addr)};
        CHECK_FALSE(policy.check(host, address, host_origin::configuration).has_value());
    }
}

TEST_CASE("hosts are told apart before anything is resolved") {
    using enum host_form;
    const std::pair<std::string, host_form> table[] = {
        {"127.0.0.1", literal},
        {"::1", literal},
        {"[::1]", literal},
        {"::ffff:127.0.0.1", literal},
        {"[127.0.0.1]", invalid},
        {"localhost", localhost},
        {"LocalHost", localhost},
        {"a.localhost", localhost},
        {"localhost.", localhost},
        {"notlocalhost", name},
        {"localhost.example.com", name},
        {"api.example.com", name},
        {"api.example.com.", name},
        {"vllm_0.models", name},
        {"3com.example", name},
        {"1.2.3.4.5", invalid},
        {"", invalid},
        {".", invalid},
        {"a..b", invalid},
        {"a b", invalid},
        {"a/b", invalid},
        {"a@b", invalid},
        {"b\xc3\xbc"
         "cher.example",
         invalid},
        {std::string(64, 'a') + ".example", invalid},
        {std::string("127.0.0.1\0.example.com", 21), invalid},
    };
    for (const auto& [host, expected] : table) {
        INFO(host);
        CHECK(static_cast<int>(classify_host(host).form) == static_cast<int>(expected));
    }
}

TEST_CASE("an address an operator wrote may be private, a name that leads there may not") {
    const address_policy policy;
    CHECK(allowed(policy, "127.0.0.1", "127.0.0.1"));
    CHECK(allowed(policy, "10.0.0.7", "10.0.0.7"));
    CHECK(allowed(policy, "[::1]", "::1"));
    CHECK(allowed(policy, "localhost", "127.0.0.1"));
    CHECK(allowed(policy, "api.example.com", "93.184.216.34"));
    CHECK_FALSE(allowed(policy, "localhost", "10.0.0.7"));
    CHECK_FALSE(allowed(policy, "api.example.com", "127.0.0.1"));
    CHECK_FALSE(allowed(policy, "api.example.com", "::ffff:127.0.0.1"));
    CHECK_FALSE(allowed(policy, "api.example.com", "64:ff9b::10.0.0.1"));
    CHECK_FALSE(allowed(policy, "api.example.com", "100.64.1.1"));
}

TEST_CASE("allow_private opens loopback and private addresses and nothing beyond") {
    const auto policy = policy_of(true, {}, {});
    CHECK(allowed(policy, "model.internal", "10.0.0.7"));
    CHECK(allowed(policy, "model.internal", "127.0.0.1"));
    CHECK(allowed(policy, "model.internal", "100.64.1.1"));
    CHECK(allowed(policy, "model.internal", "fd12::1"));
    for (const char* address : {"169.254.169.254", "169.254.1.1", "fe80::1", "fd00:ec2::254", "224.0.0.1", "0.0.0.0",
                                "255.255.255.255", "2002:a00:1::", "100.100.100.200", "168.63.129.16"}) {
        INFO(address);
        CHECK_FALSE(allowed(policy, "model.internal", address));
        CHECK_FALSE(allowed(policy, address, address));  // not even when an operator wrote it
    }
}

TEST_CASE("a client's URL gets to public addresses only, whatever the provider may do") {
    const auto policy = policy_of(true, {}, {});
    CHECK(allowed(policy, "images.example.com", "93.184.216.34", host_origin::client));
    CHECK_FALSE(allowed(policy, "127.0.0.1", "127.0.0.1", host_origin::client));
    CHECK_FALSE(allowed(policy, "localhost", "127.0.0.1", host_origin::client));
    CHECK_FALSE(allowed(policy, "images.example.com", "10.0.0.7", host_origin::client));
}

TEST_CASE("deny is stronger than allow, and allow is stronger than the class of the address") {
    const auto policy = policy_of(false, {"10.1.0.0/16", "169.254.169.254"}, {"10.1.2.0/24", "93.184.216.0/24"});
    CHECK(allowed(policy, "model.internal", "10.1.3.4"));
    CHECK(allowed(policy, "model.internal", "::ffff:10.1.3.4"));
    CHECK(allowed(policy, "model.internal", "169.254.169.254"));
    CHECK_FALSE(allowed(policy, "model.internal", "10.1.2.3"));
    CHECK_FALSE(allowed(policy, "model.internal", "64:ff9b::10.1.2.3"));
    CHECK_FALSE(allowed(policy, "model.internal", "10.2.0.1"));
    CHECK_FALSE(allowed(policy, "93.184.216.34", "93.184.216.34"));
}

TEST_CASE("a refusal names the host, the address and the reason") {
    const auto verdict =
        address_policy{}.check("api.example.com", ip::make_address("169.254.169.254"), host_origin::configuration);
    REQUIRE_FALSE(verdict.has_value());
    CHECK(verdict.error().kind == error_kind::upstream_forbidden);
    CHECK(verdict.error().message ==
          "api.example.com leads to 169.254.169.254, which is a cloud metadata service and not allowed");
}

TEST_CASE("address blocks with slips of the pen are refused") {
    for (const char* text : {"", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.0/", "10.0.0/8",
                             "fd00::/129", "fd00::1/64", "example.com"}) {
        INFO(text);
        CHECK_FALSE(cidr::parse(text).has_value());
    }
    CHECK(cidr::parse("0.0.0.0/0").value().contains(ip::make_address("8.8.8.8")));
    CHECK(cidr::parse("10.0.0.1").value().contains(ip::make_address("10.0.0.1")));
    CHECK_FALSE(cidr::parse("10.0.0.1").value().contains(ip::make_address("10.0.0.2")));
    CHECK(cidr::parse("fd00::/8").value().contains(ip::make_address("fd12::1")));
    CHECK(cidr::parse("::ffff:0:0/96").value().contains(ip::make_address("8.8.8.8")));
}
