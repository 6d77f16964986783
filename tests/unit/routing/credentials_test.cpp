#include "routing/credentials.hpp"

#include "support/exchange_fixture.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

using namespace sluice;
using namespace sluice::routing;
using namespace std::chrono_literals;

namespace {

struct fixture {
    boost::asio::io_context io{1};
    test::fake_services s{io};
    header_list common;

    std::string authorization(const credential_set& set) {
        header_list headers = set.headers;
        std::string failure;
        if (set.signer) test::run(io, sign(*set.signer, headers, failure));
        return failure.empty() ? std::string(headers.find("authorization").value_or("")) : failure;
    }
    static awaitable<void> sign(signer& s, header_list& headers, std::string& failure) {
        auto done = co_await s.authorize("GET", "h", "/", {}, headers);
        if (!done) failure = describe(done.error());
    }
};

}  // namespace

TEST_CASE("an API key goes into Authorization, or bare into the header of its name") {
    fixture f;
    f.common.add("x-team", "7");
    credential_config c;
    c.api_key = secret("k");
    auto set = make_credential(c, f.common, "p", f.s);
    CHECK(set.headers.find("authorization") == "Bearer k");
    CHECK(set.headers.find("x-team") == "7");
    c.header = "x-api-key";
    set = make_credential(c, f.common, "p", f.s);
    CHECK(set.headers.find("x-api-key") == "k");
    CHECK_FALSE(set.headers.contains("authorization"));
}

TEST_CASE("user and password are HTTP Basic") {
    fixture f;
    credential_config c;
    c.user = "Aladdin";  // RFC 7617, section 2
    c.password = secret("open sesame");
    CHECK(f.authorization(make_credential(c, f.common, "p", f.s)) == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
}

TEST_CASE("a token in a file is read again when the file changes, and the last one stays when it goes") {
    char name[] = "/tmp/sluice-token-XXXXXX";
    ::close(::mkstemp(name));
    const auto write = [&](const std::string& text, long second) {
        std::ofstream(name, std::ios::trunc) << text;
        const timespec times[2] = {{second, 0}, {second, 0}};
        ::utimensat(AT_FDCWD, name, times, 0);
    };
    fixture f;
    credential_config c;
    c.bearer_file = name;
    const auto set = make_credential(c, f.common, "p", f.s);
    CHECK(f.authorization(set).find("credential_unavailable") == 0);  // empty
    f.s.clock.advance(1s);
    write("one\n", 1000);
    CHECK(f.authorization(set) == "Bearer one");
    write("two\r\n", 2000);
    CHECK(f.authorization(set) == "Bearer one");  // looked at once a second
    f.s.clock.advance(1s);
    CHECK(f.authorization(set) == "Bearer two");
    for (const std::string& bad : {std::string("a\x01"
                                               "b"),
                                   std::string(20000, 'x'), std::string()}) {
        write(bad, 3000);
        f.s.clock.advance(1s);
        CHECK(f.authorization(set) == "Bearer two");
    }
    std::remove(name);
    f.s.clock.advance(1s);
    CHECK(f.authorization(set) == "Bearer two");
    REQUIRE(::mkfifo(name, 0600) == 0);  // nobody writes: reading it would block for ever
    f.s.clock.advance(1s);
    CHECK(f.authorization(set) == "Bearer two");
    std::remove(name);
}
