#include "net/address_guard.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace sluice::net {

namespace ip = boost::asio::ip;

namespace {

struct block4 {
    std::uint32_t network;
    unsigned prefix;
    address_class kind;
};

constexpr std::uint32_t v4(unsigned a, unsigned b, unsigned c, unsigned d) {
    return a << 24 | b << 16 | c << 8 | d;
}

// The first match counts, so that single addresses stand before the block around them.
constexpr block4 blocks4[] = {
    {v4(169, 254, 169, 254), 32, address_class::metadata},  // AWS, Azure, GCP, DigitalOcean, OpenStack
    {v4(169, 254, 170, 2), 32, address_class::metadata},    // AWS ECS task credentials
    {v4(169, 254, 170, 23), 32, address_class::metadata},   // AWS EKS pod identity
    {v4(100, 100, 100, 200), 32, address_class::metadata},  // Alibaba Cloud
    {v4(168, 63, 129, 16), 32, address_class::metadata},    // Azure's wire server: a public address by its looks
    {v4(192, 0, 0, 192), 32, address_class::metadata},      // Oracle Cloud, the older form
    {v4(0, 0, 0, 0), 8, address_class::unspecified},
    {v4(10, 0, 0, 0), 8, address_class::private_use},
    {v4(100, 64, 0, 0), 10, address_class::shared},
    {v4(127, 0, 0, 0), 8, address_class::loopback},
    {v4(169, 254, 0, 0), 16, address_class::link_local},
    {v4(172, 16, 0, 0), 12, address_class::private_use},
    {v4(192, 0, 0, 0), 24, address_class::reserved},  // protocol assignments
    {v4(192, 0, 2, 0), 24, address_class::documentation},
    {v4(192, 88, 99, 0), 24, address_class::transition},  // 6to4 relays, deprecated
    {v4(192, 168, 0, 0), 16, address_class::private_use},
    {v4(198, 18, 0, 0), 15, address_class::reserved},  // benchmarking of network devices
    {v4(198, 51, 100, 0), 24, address_class::documentation},
    {v4(203, 0, 113, 0), 24, address_class::documentation},
    {v4(224, 0, 0, 0), 4, address_class::multicast},
    {v4(255, 255, 255, 255), 32, address_class::broadcast},
    {v4(240, 0, 0, 0), 4, address_class::reserved},
};

address_class classify4(std::uint32_t address) {
    for (const auto& block : blocks4) {
        const std::uint32_t mask = ~std::uint32_t{0} << (32 - block.prefix);
        if ((address & mask) == block.network) return block.kind;
    }
    return address_class::global;
}

using bytes16 = ip::address_v6::bytes_type;

struct block6 {
    std::array<std::uint8_t, 16> network;
    unsigned prefix;
    address_class kind;
};

constexpr block6 blocks6[] = {
    {{0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54}, 128, address_class::metadata},  // AWS
    {{0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x23}, 128, address_class::metadata},     // AWS EKS
    {{0xfd, 0x20, 0x00, 0xce, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54}, 128, address_class::metadata},  // GCP
    {{0xfd, 0x00, 0x00, 0xc1, 0, 0, 0, 0, 0, 0, 0, 0, 0xa9, 0xfe, 0xa9, 0xfe}, 128, address_class::metadata},  // Oracle
    {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48, address_class::transition},  // local-use NAT64 (RFC 8215)
    {{0x01, 0x00}, 64, address_class::reserved},                            // discard-only
    {{0x20, 0x01, 0x00, 0x00}, 32, address_class::transition},              // Teredo
    {{0x20, 0x01, 0x0d, 0xb8}, 32, address_class::documentation},
    {{0x20, 0x01, 0x00, 0x00}, 23, address_class::reserved},  // protocol assignments, ORCHID, benchmarking
    {{0x20, 0x02}, 16, address_class::transition},            // 6to4
    {{0x3f, 0xff, 0x00}, 20, address_class::documentation},
    {{0xfc, 0x00}, 7, address_class::private_use},
    {{0xfe, 0x80}, 10, address_class::link_local},
    {{0xfe, 0xc0}, 10, address_class::private_use},  // site-local, deprecated but still routed in places
    {{0xff, 0x00}, 8, address_class::multicast},
    {{0x20, 0x00}, 3, address_class::global},  // the only space IANA gives out for global unicast
};

template <class Left, class Right>
bool same_prefix(const Left& a, const Right& b, unsigned bits) {
    const std::size_t whole = bits / 8;
    if (!std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(whole), b.begin())) return false;
    const unsigned rest = bits % 8;
    if (rest == 0) return true;
    const auto mask = static_cast<std::uint8_t>(0xff << (8 - rest));
    return (a[whole] & mask) == (b[whole] & mask);
}

std::uint32_t low32(const bytes16& b) {
    return v4(b[12], b[13], b[14], b[15]);
}

// The IPv4 address that a connection to this IPv6 address really goes to.
std::optional<std::uint32_t> embedded_v4(const bytes16& b) {
    static constexpr bytes16 mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    static constexpr bytes16 nat64{0x00, 0x64, 0xff, 0x9b};
    static constexpr bytes16 translated{0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};  // ::ffff:0:a.b.c.d (RFC 2765)
    static constexpr bytes16 compatible{};                                    // ::a.b.c.d, deprecated
    for (const auto& prefix : {mapped, nat64, translated, compatible})
        if (same_prefix(b, prefix, 96)) return low32(b);
    return std::nullopt;
}

// The address that packets reach in the end, for the lists: an IPv4 block also means its NAT64 form.
ip::address behind(const ip::address& address) {
    if (address.is_v4()) return address;
    const auto inner = embedded_v4(address.to_v6().to_bytes());
    if (!inner || address.is_unspecified() || address.is_loopback()) return address;
    return ip::address_v4{*inner};
}

address_class classify6(const ip::address_v6& address) {
    if (address.is_unspecified()) return address_class::unspecified;
    if (address.is_loopback()) return address_class::loopback;
    const bytes16 b = address.to_bytes();
    if (const auto inner = embedded_v4(b)) return classify4(*inner);
    for (const auto& block : blocks6) {
        if (!same_prefix(b, block.network, block.prefix)) continue;
        // An ISATAP interface id (RFC 5214) tunnels to the IPv4 address in its last four bytes.
        const bool isatap = (b[8] & 0xfc) == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe;
        return block.kind == address_class::global && isatap ? address_class::transition : block.kind;
    }
    return address_class::reserved;
}

bool is_digits(std::string_view text, bool hex) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [hex](char c) {
        return (c >= '0' && c <= '9') || (hex && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')));
    });
}

// Would getaddrinfo or a browser read this as a number? (WHATWG URL, "ends in a number".)
bool ends_in_number(std::string_view host) {
    const std::string_view last = host.substr(host.rfind('.') + 1);
    if (last.starts_with("0x") || last.starts_with("0X")) return last.size() == 2 || is_digits(last.substr(2), true);
    return is_digits(last, false);
}

bool is_host_name(std::string_view host) {
    if (host.empty() || host.size() > 253) return false;
    std::size_t label = 0;
    for (const char c : host) {
        if (c == '.') {
            if (label == 0) return false;
            label = 0;
            continue;
        }
        const bool fine =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        if (!fine || ++label > 63) return false;
    }
    return label > 0;
}

bool equals_ignoring_case(std::string_view a, std::string_view lower) {
    return a.size() == lower.size() && std::equal(a.begin(), a.end(), lower.begin(), [](char x, char y) {
               return (x >= 'A' && x <= 'Z' ? static_cast<char>(x + 32) : x) == y;
           });
}

bool is_localhost(std::string_view host) {
    constexpr std::string_view word = "localhost";
    if (host.size() < word.size()) return false;
    const std::size_t at = host.size() - word.size();
    return equals_ignoring_case(host.substr(at), word) && (at == 0 || host[at - 1] == '.');
}

}  // namespace

address_class classify(const ip::address& address) {
    return address.is_v4() ? classify4(address.to_v4().to_uint()) : classify6(address.to_v6());
}

std::string_view name_of(address_class kind) {
    switch (kind) {
        case address_class::global:
            return "public";
        case address_class::loopback:
            return "loopback";
        case address_class::private_use:
            return "private";
        case address_class::shared:
            return "shared (carrier-grade NAT)";
        case address_class::link_local:
            return "link-local";
        case address_class::metadata:
            return "a cloud metadata service";
        case address_class::multicast:
            return "multicast";
        case address_class::broadcast:
            return "broadcast";
        case address_class::unspecified:
            return "unspecified";
        case address_class::documentation:
            return "for documentation only";
        case address_class::transition:
            return "a tunnel to another address";
        case address_class::reserved:
            return "reserved";
    }
    return "unknown";
}

host_kind classify_host(std::string_view host) {
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
        boost::system::error_code ec;
        const auto inner = ip::make_address_v6(host.substr(1, host.size() - 2), ec);
        if (ec) return {};
        return {host_form::literal, ip::address{inner}};
    }
    if (host.find('\0') != host.npos) return {};
    boost::system::error_code ec;
    const auto address = ip::make_address(host, ec);
    if (!ec) return {host_form::literal, address};
    const std::string_view bare = host.ends_with('.') ? host.substr(0, host.size() - 1) : host;
    if (!is_host_name(bare) || ends_in_number(bare)) return {};
    return {is_localhost(bare) ? host_form::localhost : host_form::name, std::nullopt};
}

result<cidr> cidr::parse(std::string_view text) {
    const auto refuse = [&](std::string_view why) {
        return error{error_kind::bad_request, "\"" + std::string{text} + "\" " + std::string{why}};
    };
    const std::size_t slash = text.find('/');
    boost::system::error_code ec;
    cidr block;
    block.network_ = ip::make_address(text.substr(0, slash), ec);
    if (ec) return refuse("is not an address block such as 10.0.0.0/8 or fd00::/8");
    const unsigned bits = block.network_.is_v4() ? 32 : 128;
    block.prefix_ = bits;
    if (slash != text.npos) {
        const std::string_view length = text.substr(slash + 1);
        const auto [end, problem] = std::from_chars(length.data(), length.data() + length.size(), block.prefix_);
        if (problem != std::errc{} || end != length.data() + length.size() || block.prefix_ > bits)
            return refuse("has a prefix length that is not 0 to " + std::to_string(bits));
    }
    bytes16 raw{};
    if (block.network_.is_v4()) {
        const auto four = block.network_.to_v4().to_bytes();
        std::copy(four.begin(), four.end(), raw.begin());
    } else {
        raw = block.network_.to_v6().to_bytes();
    }
    for (unsigned bit = block.prefix_; bit < bits; ++bit)
        if (raw[bit / 8] & (0x80U >> (bit % 8))) return refuse("has bits set below its prefix length");
    return block;
}

bool cidr::contains(const ip::address& address) const {
    if (network_.is_v4()) {
        if (address.is_v4()) return same_prefix(address.to_v4().to_bytes(), network_.to_v4().to_bytes(), prefix_);
        const auto six = address.to_v6();
        if (!six.is_v4_mapped()) return false;
        return same_prefix(ip::make_address_v4(ip::v4_mapped, six).to_bytes(), network_.to_v4().to_bytes(), prefix_);
    }
    const auto six = address.is_v6() ? address.to_v6() : ip::make_address_v6(ip::v4_mapped, address.to_v4());
    return same_prefix(six.to_bytes(), network_.to_v6().to_bytes(), prefix_);
}

void read(config_reader& r, address_policy_config& c) {
    r.field("allow_private", c.allow_private,
            "May host names lead to loopback, private (RFC 1918, fc00::/7) or carrier-grade NAT addresses? An address "
            "written as such, and localhost, need no permission.");
    r.field("allow", c.allow, "Address blocks that are always allowed, such as 10.1.0.0/16; even link-local ones.");
    r.field("deny", c.deny, "Address blocks that are never connected to; stronger than allow.");
    for (const auto& [key, list] : {std::pair{"allow", &c.allow}, std::pair{"deny", &c.deny}})
        for (const auto& text : *list)
            if (const auto block = cidr::parse(text); !block) r.problem(key, block.error().message);
}

result<address_policy> address_policy::make(const address_policy_config& config) {
    address_policy policy;
    policy.allow_private_ = config.allow_private;
    for (const auto& [list, blocks] :
         {std::pair{&config.allow, &policy.allow_}, std::pair{&config.deny, &policy.deny_}}) {
        for (const auto& text : *list) {
            const auto block = cidr::parse(text);
            if (!block) return block.error();
            blocks->push_back(*block);
        }
    }
    return policy;
}

address_policy address_policy::with_private() const {
    address_policy policy = *this;
    policy.allow_private_ = true;
    return policy;
}

result<void> address_policy::check(std::string_view host, const ip::address& address, host_origin origin) const {
    const ip::address reached = behind(address);
    const auto listed = [&](const std::vector<cidr>& blocks) {
        return std::any_of(blocks.begin(), blocks.end(),
                           [&](const cidr& b) { return b.contains(address) || b.contains(reached); });
    };
    const auto refuse = [&](std::string_view why) {
        return error{error_kind::upstream_forbidden, std::string{host} + " leads to " + address.to_string() +
                                                         ", which is " + std::string{why} + " and not allowed"};
    };
    if (listed(deny_)) return refuse("on the deny list");
    if (listed(allow_)) return {};
    const address_class kind = classify(address);
    if (kind == address_class::global) return {};
    const bool inside =
        kind == address_class::loopback || kind == address_class::private_use || kind == address_class::shared;
    if (!inside || origin == host_origin::client) return refuse(name_of(kind));
    if (allow_private_) return {};
    const host_form form = classify_host(host).form;
    if (form == host_form::literal || (form == host_form::localhost && kind == address_class::loopback)) return {};
    return refuse(name_of(kind));
}

}  // namespace sluice::net
