#include "http/hop_by_hop.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace sluice;
using namespace sluice::http;

namespace {

std::string names(const header_list& headers) {
    std::string all;
    for (const auto f : headers) all.append(f.name).append(1, ' ');
    return all;
}

}  // namespace

TEST_CASE("fields of the connection never pass") {
    header_list h;
    for (const auto* name : {"A", "Connection", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding", "Content-Length",
                             "Upgrade", "Proxy-Connection", "proxy-authorization", "PROXY-X", "Expect",
                             "HTTP2-Settings", "B", "Content-Type", "Tea", "Proxyless"}) {
        h.add(name, "v");
    }
    remove_hop_by_hop(h);
    CHECK(names(h) == "A B Content-Type Tea Proxyless ");
}

TEST_CASE("what Connection names does not pass either") {
    header_list h;
    h.add("X-Secret", "1");
    h.add("Connection", "close, x-secret ,,Y");
    h.add("y", "2");
    h.add("Z", "3");
    h.add("Y", "4");
    h.add("connection", "Z");
    h.add("W", "5");
    remove_hop_by_hop(h);
    CHECK(names(h) == "W ");
}

TEST_CASE("a Connection field that names itself hides nothing") {
    header_list h;
    h.add("Connection", "connection, a");
    h.add("Connection", "b");
    h.add("A", "1");
    h.add("B", "2");
    h.add("Close", "3");
    remove_hop_by_hop(h);
    CHECK(names(h) == "Close ");
}

TEST_CASE("a list without such fields stays as it is") {
    header_list h;
    remove_hop_by_hop(h);
    CHECK(h.empty());
    h.add("A", "1");
    h.add("a", "2");
    remove_hop_by_hop(h);
    CHECK(h.size() == 2);
}

TEST_CASE("once nominated fields are gone, nothing is nominated any more") {
    header_list h;
    h.add("X-Hop", "1");
    h.add("Connection", "x-hop, upgrade");
    h.add("Upgrade", "websocket");
    h.add("Connection", "x-team");
    h.add("A", "1");
    remove_nominated(h);
    CHECK(names(h) == "Upgrade A ");
    h.add("X-Team", "ours");
    remove_hop_by_hop(h);
    CHECK(names(h) == "A X-Team ");
}
