#include "support/net_testing.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address.hpp>

namespace sluice::net_testing {

namespace asio = boost::asio;
using asio::ip::udp;

namespace {

void put16(std::vector<std::uint8_t>& out, unsigned v) {
    out.push_back(static_cast<std::uint8_t>(v >> 8));
    out.push_back(static_cast<std::uint8_t>(v));
}

}  // namespace

fake_dns::fake_dns(asio::io_context& io) : socket_(io, udp::endpoint(asio::ip::address_v4::loopback(), 0)) {
    receive();
}

std::string fake_dns::server() const {
    return "127.0.0.1:" + std::to_string(socket_.local_endpoint().port());
}

int fake_dns::asked(const std::string& name) const {
    const auto at = asked_.find(name);
    return at == asked_.end() ? 0 : at->second;
}

void fake_dns::receive() {
    socket_.async_receive_from(asio::buffer(in_), from_, [this](boost::system::error_code ec, std::size_t size) {
        if (ec) return;
        answer(size);
        receive();
    });
}

// RFC 1035, section 4: header, the question as it came, then the records with a pointer to its name.
void fake_dns::answer(std::size_t size) {
    std::string name;
    std::size_t at = 12;
    while (at < size && in_[at] != 0) {
        if (!name.empty()) name += '.';
        name.append(reinterpret_cast<const char*>(&in_[at + 1]), in_[at]);
        at += in_[at] + 1U;
    }
    const std::size_t end = at + 5;
    if (end > size) return;
    const unsigned type = static_cast<unsigned>(in_[at + 1] << 8 | in_[at + 2]);
    if (type == 1) ++asked_[name];
    const auto found = table_.find(name);
    const reply r = found == table_.end() ? reply{{}, 0, 3, false} : found->second;
    if (r.silent) return;

    std::vector<std::uint8_t> records;
    unsigned count = 0;
    for (const auto& text : r.addresses) {
        const auto address = asio::ip::make_address(text);
        if (address.is_v4() != (type == 1)) continue;
        ++count;
        put16(records, 0xc00c);
        put16(records, type);
        put16(records, 1);
        put16(records, r.ttl >> 16);
        put16(records, r.ttl & 0xffff);
        if (address.is_v4()) {
            put16(records, 4);
            for (const auto b : address.to_v4().to_bytes()) records.push_back(b);
        } else {
            put16(records, 16);
            for (const auto b : address.to_v6().to_bytes()) records.push_back(b);
        }
    }
    std::vector<std::uint8_t> out{in_[0], in_[1]};
    put16(out, 0x8180U | static_cast<unsigned>(r.rcode));
    put16(out, 1);
    put16(out, count);
    put16(out, 0);
    put16(out, 0);
    out.insert(out.end(), in_.begin() + 12, in_.begin() + static_cast<std::ptrdiff_t>(end));
    out.insert(out.end(), records.begin(), records.end());
    boost::system::error_code ignored;
    socket_.send_to(asio::buffer(out), from_, 0, ignored);
}

}  // namespace sluice::net_testing
