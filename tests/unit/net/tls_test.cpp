#include "net/tls_client.hpp"
#include "net/tls_error.hpp"
#include "net/tls_names.hpp"
#include "net/tls_server.hpp"
#include "net/unique_fd.hpp"
#include "support/net_certificates.hpp"

#include <catch2/catch.hpp>

#include <openssl/err.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace sluice;
using namespace sluice::net;
using namespace sluice::net_testing;
using namespace std::chrono_literals;

namespace {

// A client and a server that talk over a socket pair.
struct talk {
    talk(ssl_ptr c, ssl_ptr s) : client(std::move(c)), server(std::move(s)) {
        int fds[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
        client_fd = unique_fd{fds[0]};
        server_fd = unique_fd{fds[1]};
        SSL_set_fd(client.get(), fds[0]);
        SSL_set_fd(server.get(), fds[1]);
    }

    // One step; true when the side is done. An error ends it and its connection.
    static bool step(SSL* ssl, std::string& why, unique_fd& fd) {
        ERR_clear_error();
        const int n = SSL_do_handshake(ssl);
        if (n == 1) return true;
        const int code = SSL_get_error(ssl, n);
        if (code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE) return false;
        why = describe_tls_error(ssl);
        ::shutdown(fd.get(), SHUT_WR);
        return true;
    }

    bool handshake() {
        bool client_done = false;
        bool server_done = false;
        for (int round = 0; round < 20 && !(client_done && server_done); ++round) {
            if (!client_done) client_done = step(client.get(), client_error, client_fd);
            if (!server_done) server_done = step(server.get(), server_error, server_fd);
        }
        if (!client_error.empty() || !server_error.empty()) return false;
        return client_done && server_done && exchange();
    }

    // A byte each way; the client gets its session tickets on the way.
    bool exchange() {
        char c = 0;
        if (SSL_write(client.get(), "q", 1) != 1 || SSL_read(server.get(), &c, 1) != 1 || c != 'q') return false;
        return SSL_write(server.get(), "a", 1) == 1 && SSL_read(client.get(), &c, 1) == 1 && c == 'a';
    }

    bool resumed() { return SSL_session_reused(client.get()) == 1 && SSL_session_reused(server.get()) == 1; }

    // The name the server's certificate carries as its common name.
    std::string served() {
        char name[64] = "";
        X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(client.get())), NID_commonName, name,
                                  sizeof name);
        return name;
    }

    unique_fd client_fd, server_fd;
    ssl_ptr client, server;
    std::string client_error, server_error;
};

struct site {
    tls_certificate_config put(const std::string& name, const identity& id, std::vector<std::string> names = {}) {
        return {folder.write(name + ".pem", id.certificate), folder.write(name + ".key", id.key), std::move(names)};
    }
    tls_certificate_config certify(const std::string& name, std::vector<std::string> names) {
        return put(name, ca.issue({.names = std::move(names), .common_name = name}));
    }
    std::unique_ptr<tls_server_contexts> serve(std::vector<tls_certificate_config> certificates) {
        server.certificates = std::move(certificates);
        return tls_server_contexts::make(server).value();
    }
    std::shared_ptr<const tls_client_context> trusting() {
        client.ca_file = folder.write("ca.pem", ca.pem());
        return tls_client_context::make(client, trust).value();
    }
    talk connect(const tls_client_context& from, const tls_server_contexts& to, const std::string& host = "api.test") {
        return {from.new_session(sessions, host, 443).value(), to.new_session()};
    }

    authority ca;
    temporary_folder folder;
    tls_server_config server;
    tls_client_config client;
    tls_trust trust;
    std::shared_ptr<tls_session_store> sessions = std::make_shared<tls_session_store>();
};

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("client and server agree on TLS 1.3 and HTTP/1.1") {
    site s;
    const auto server = s.serve({s.certify("api", {"DNS:api.test"})});
    const auto client = s.trusting();
    talk t = s.connect(*client, *server);
    REQUIRE(t.handshake());
    CHECK(SSL_version(t.client.get()) == TLS1_3_VERSION);
    const unsigned char* protocol = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(t.client.get(), &protocol, &size);
    CHECK(std::string(reinterpret_cast<const char*>(protocol), size) == "http/1.1");
    CHECK(ERR_peek_error() == 0);
}

TEST_CASE("a certificate is taken only for the host that was asked for, and the error says for whom it is") {
    struct row {
        std::string host;
        std::vector<std::string> names;
        bool good;
    };
    const row table[] = {
        {"api.test", {"DNS:api.test"}, true},
        {"API.test.", {"DNS:api.test"}, true},
        {"a.api.test", {"DNS:api.test"}, false},
        {"a.api.test", {"DNS:*.api.test"}, true},
        {"b.a.api.test", {"DNS:*.api.test"}, false},
        {"api.test", {"DNS:*.api.test"}, false},
        {"apis.test", {"DNS:api*.test"}, false},
        {"127.0.0.1", {"IP:127.0.0.1"}, true},
        {"127.0.0.1", {"DNS:127.0.0.1"}, false},
        {"127.0.0.2", {"IP:127.0.0.1"}, false},
        {"::1", {"IP:::1"}, true},
        {"[::1]", {"IP:::1"}, true},
    };
    for (const auto& r : table) {
        INFO(r.host << " with " << r.names[0]);
        site s;
        const auto server = s.serve({s.certify("api", r.names)});
        const auto client = s.trusting();
        talk t = s.connect(*client, *server, r.host);
        CHECK(t.handshake() == r.good);
        if (!r.good)
            CHECK(contains(t.client_error,
                           "mismatch: it is for " + comparable(r.names[0].substr(r.names[0].find(':') + 1))));
    }
}

TEST_CASE("a certificate that has expired, or comes from nobody known, is refused in words") {
    site s;
    const auto expired =
        s.serve({s.put("old", s.ca.issue({.names = {"DNS:api.test"}, .from_seconds = -7200, .to_seconds = -3600}))});
    const auto client = s.trusting();
    talk t = s.connect(*client, *expired);
    CHECK_FALSE(t.handshake());
    CHECK(t.client_error == "the certificate is refused: certificate has expired");
    CHECK(expired->expiries().at(0).not_after < std::chrono::system_clock::now());

    const authority stranger{"stranger"};
    const auto unknown = s.serve({s.put("unknown", stranger.issue({.names = {"DNS:api.test"}}))});
    talk u = s.connect(*client, *unknown);
    CHECK_FALSE(u.handshake());
    CHECK(contains(u.client_error, "unable to get local issuer certificate"));
    CHECK(contains(u.server_error, "alert"));

    s.client = {};
    s.client.insecure_skip_verify = true;
    const auto careless = tls_client_context::make(s.client, s.trust).value();
    CHECK_FALSE(careless->verifies());
    talk v = s.connect(*careless, *unknown);
    CHECK(v.handshake());
}

TEST_CASE("a certificate that is listed itself is trusted without its issuer") {
    site s;
    const auto id = s.ca.issue({.names = {"DNS:api.test"}});
    const auto server = s.serve({s.put("api", id)});
    s.client.ca_file = s.folder.write("pinned.pem", id.certificate);
    const auto client = tls_client_context::make(s.client, s.trust).value();
    talk t = s.connect(*client, *server);
    CHECK(t.handshake());
}

TEST_CASE("the name in the configuration stands in for the host of the URL") {
    site s;
    const auto server = s.serve({s.certify("other", {"DNS:other.test"}), s.certify("api", {"DNS:api.test"})});
    s.client.server_name = "api.test";
    const auto client = s.trusting();
    talk t = s.connect(*client, *server, "10.0.0.1");
    REQUIRE(t.handshake());
    CHECK(t.served() == "api");
}

TEST_CASE("the server's certificate is chosen by the name the client asks for") {
    site s;
    const auto server =
        s.serve({s.certify("first", {"DNS:first.test", "IP:127.0.0.1"}), s.certify("wild", {"DNS:*.wild.test"}),
                 s.certify("exact", {"DNS:exact.wild.test"}),
                 s.put("named", s.ca.issue({.names = {"DNS:x.test"}, .common_name = "named"}), {"Y.test"})});
    s.client.insecure_skip_verify = true;
    const auto client = tls_client_context::make(s.client, s.trust).value();
    const std::pair<const char*, const char*> table[] = {
        {"first.test", "first"},    {"a.wild.test", "wild"}, {"exact.wild.test", "exact"}, {"A.WILD.test", "wild"},
        {"b.a.wild.test", "first"}, {"wild.test", "first"},  {"nobody.test", "first"},     {"127.0.0.1", "first"},
        {"y.test", "named"},        {"x.test", "first"},
    };
    for (const auto& [host, served] : table) {
        INFO(host);
        talk t = s.connect(*client, *server, host);
        REQUIRE(t.handshake());
        CHECK(t.served() == served);
    }
}

TEST_CASE("sessions are resumed, those of TLS 1.3 once each") {
    site s;
    const auto server = s.serve({s.certify("first", {"DNS:first.test"}), s.certify("api", {"DNS:api.test"})});
    const auto client = s.trusting();
    {
        talk t = s.connect(*client, *server);
        REQUIRE(t.handshake());
        CHECK_FALSE(t.resumed());
    }  // ends without close_notify, as pools do
    for (int i = 0; i < 3; ++i) {
        talk t = s.connect(*client, *server);
        INFO(i);
        REQUIRE(t.handshake());
        CHECK(t.resumed());
        CHECK(t.served() == "api");
    }
    // Another host, another port or another context has sessions of its own.
    talk host = s.connect(*client, *server, "first.test");
    REQUIRE(host.handshake());
    CHECK_FALSE(host.resumed());
    talk port{client->new_session(s.sessions, "api.test", 8443).value(), server->new_session()};
    REQUIRE(port.handshake());
    CHECK_FALSE(port.resumed());
    const auto other = s.trusting();
    talk context = s.connect(*other, *server);
    REQUIRE(context.handshake());
    CHECK_FALSE(context.resumed());
}

TEST_CASE("sessions of TLS 1.2 are resumed again and again") {
    site s;
    const auto server = s.serve({s.certify("api", {"DNS:api.test"})});
    const auto client = s.trusting();
    const auto old_talk = [&] {
        talk t = s.connect(*client, *server);
        SSL_set_max_proto_version(t.server.get(), TLS1_2_VERSION);
        return t;
    };
    talk first = old_talk();
    REQUIRE(first.handshake());
    CHECK(SSL_version(first.client.get()) == TLS1_2_VERSION);
    first = old_talk();
    for (int i = 0; i < 3; ++i) {
        talk t = old_talk();
        INFO(i);
        REQUIRE(t.handshake());
        CHECK(t.resumed());
    }
}

TEST_CASE("the store of sessions is bounded and hands out no session that cannot be resumed") {
    const auto session = [](long lifetime) {
        ssl_session_ptr made{SSL_SESSION_new()};
        SSL_SESSION_set_protocol_version(made.get(), TLS1_3_VERSION);
        const unsigned char id[] = {1};
        SSL_SESSION_set1_id(made.get(), id, sizeof id);
        SSL_SESSION_set_time(made.get(), std::time(nullptr) - 1000);
        SSL_SESSION_set_timeout(made.get(), 1000 + lifetime);
        return made;
    };
    tls_session_store store{2};
    store.put("old", session(-10));
    CHECK(store.size() == 0);
    for (int i = 0; i < 20; ++i) store.put("a", session(100));
    store.put("b", session(100));
    int taken = 0;
    while (store.take("a")) ++taken;
    CHECK(taken == tls_session_store::sessions_per_upstream);
    store.put("c", session(100));
    CHECK(store.size() == 2);
    CHECK_FALSE(store.take("b"));  // least recently used
    CHECK(store.take("c"));
    CHECK_FALSE(store.take("nobody"));
}

TEST_CASE("a replaced certificate is served to new connections while old ones go on") {
    site s;
    const auto config = s.put("api", s.ca.issue({.names = {"DNS:api.test"}, .common_name = "one"}));
    const auto server = s.serve({config});
    const auto client = s.trusting();
    talk before = s.connect(*client, *server);
    REQUIRE(before.handshake());
    CHECK(before.served() == "one");
    talk between = s.connect(*client, *server);  // greets after the swap with what it began with

    CHECK_FALSE(server->refresh().changed);
    s.put("api", s.ca.issue({.names = {"DNS:api.test"}, .common_name = "two", .to_seconds = 7200}));
    const auto report = server->refresh();
    CHECK(report.changed);
    CHECK(report.problems.empty());
    CHECK_FALSE(server->refresh().changed);

    CHECK(before.exchange());
    REQUIRE(between.handshake());
    CHECK(between.served() == "one");
    s.sessions = std::make_shared<tls_session_store>();
    talk after = s.connect(*client, *server);
    REQUIRE(after.handshake());
    CHECK(after.served() == "two");
    CHECK(server->expiries().at(0).cert_file == config.cert_file);
    CHECK(server->expiries().at(0).not_after > std::chrono::system_clock::now() + 1h + 30min);
}

TEST_CASE("certificates are rotated from another thread without one failed handshake") {
    site s;
    const auto server = s.serve({s.put("api", s.ca.issue({.names = {"DNS:api.test"}}))});
    const auto client = s.trusting();
    std::atomic<bool> done{false};
    std::atomic<int> swaps{0};
    std::thread rotation([&] {
        while (!done) {
            // The pair changes in two steps: a refresh in between sees a mismatch and keeps what it has.
            const identity next = s.ca.issue({.names = {"DNS:api.test"}});
            s.folder.write("api.key", next.key);
            server->refresh();
            s.folder.write("api.pem", next.certificate);
            swaps += server->refresh().changed ? 1 : 0;
        }
    });
    int good = 0;
    for (int i = 0; i < 50 || (swaps < 3 && i < 5000); ++i) {
        talk t = s.connect(*client, *server);
        if (!t.handshake()) break;
        ++good;
    }
    done = true;
    rotation.join();
    CHECK(good >= 50);
    CHECK(swaps >= 3);
}

TEST_CASE("files that cannot be used never replace those in use, and are reported once") {
    site s;
    const auto id = s.ca.issue({.names = {"DNS:api.test"}, .common_name = "good"});
    const auto config = s.put("api", id);
    const auto second = s.certify("second", {"DNS:second.test"});
    const auto server = s.serve({config, second});
    const auto client = s.trusting();
    std::string expected;
    SECTION("a key of another certificate") {
        s.folder.write("api.key", s.ca.issue({}).key);
        expected = "cannot use the key " + config.key_file + ": key values mismatch";
    }
    SECTION("no PEM") {
        s.folder.write("api.pem", "hello");
        expected = "cannot use the certificate " + config.cert_file;
    }
    SECTION("no file") {
        std::filesystem::remove(config.cert_file);
        expected = "No such file or directory";
    }
    SECTION("one that has expired") {
        s.put("api", s.ca.issue({.names = {"DNS:api.test"}, .from_seconds = -7200, .to_seconds = -3600}));
        expected = "has expired: the old one stays";
    }
    const auto report = server->refresh();
    CHECK_FALSE(report.changed);
    REQUIRE(report.problems.size() == 1);
    INFO(report.problems[0].message);
    CHECK(contains(report.problems[0].message, expected));
    CHECK(server->refresh().problems.empty());
    talk t = s.connect(*client, *server);
    REQUIRE(t.handshake());
    CHECK(t.served() == "good");

    // The other certificate is not held back, and a repaired pair is taken.
    s.put("second", s.ca.issue({.names = {"DNS:second.test"}, .common_name = "newer"}));
    CHECK(server->refresh().changed);
    talk u = s.connect(*client, *server, "second.test");
    REQUIRE(u.handshake());
    CHECK(u.served() == "newer");
    s.put("api", s.ca.issue({.names = {"DNS:api.test"}, .common_name = "repaired"}));
    CHECK(server->refresh().changed);
}

TEST_CASE("what cannot be used at the start is an error that names the file") {
    site s;
    auto config = s.certify("api", {"DNS:api.test"});
    s.folder.write("api.key", s.ca.issue({}).key);
    s.server.certificates = {config};
    const auto made = tls_server_contexts::make(s.server);
    REQUIRE_FALSE(made.has_value());
    CHECK(contains(made.error().message, config.key_file));
    s.client.ca_file = "/nonexistent/ca.pem";
    const auto client = tls_client_context::make(s.client, s.trust);
    REQUIRE_FALSE(client.has_value());
    CHECK(contains(client.error().message, "/nonexistent/ca.pem"));
    CHECK(ERR_peek_error() == 0);
}

TEST_CASE("the ticket key is replaced with time; tickets of the one before still resume, older ones do not") {
    site s;
    s.server.certificates = {s.certify("api", {"DNS:api.test"})};
    s.server.ticket_rotation = 1h;
    const auto start = std::chrono::steady_clock::now();
    const auto server = tls_server_contexts::make(s.server, start).value();
    const auto client = s.trusting();
    const auto first = s.connect(*client, *server).handshake();
    REQUIRE(first);
    CHECK_FALSE(server->refresh(start + 59min).changed);
    CHECK(server->refresh(start + 1h).changed);
    talk resumed = s.connect(*client, *server);
    REQUIRE(resumed.handshake());
    CHECK(resumed.resumed());
    for (int hour = 2; hour <= 4; ++hour) CHECK(server->refresh(start + std::chrono::hours{hour}).changed);
    talk late = s.connect(*client, *server);
    REQUIRE(late.handshake());
    CHECK_FALSE(late.resumed());
}

TEST_CASE("with a client CA, only clients it vouches for get in, and a new CA shuts out the old ones' tickets") {
    site s;
    s.server.client_ca = s.folder.write("clients.pem", s.ca.pem());
    const auto server = s.serve({s.certify("api", {"DNS:api.test"})});
    const auto nobody = s.trusting();
    talk refused = s.connect(*nobody, *server);
    CHECK_FALSE(refused.handshake());
    CHECK(contains(refused.server_error, "peer did not return a certificate"));

    const auto me = s.certify("me", {"DNS:me.test"});
    s.client.cert_file = me.cert_file;
    s.client.key_file = me.key_file;
    const auto client = s.trusting();
    talk t = s.connect(*client, *server);
    REQUIRE(t.handshake());
    talk again = s.connect(*client, *server);
    REQUIRE(again.handshake());
    CHECK(again.resumed());

    const authority other{"other"};
    s.folder.write("clients.pem", other.pem());
    const auto report = server->refresh();
    CHECK(report.changed);
    talk after = s.connect(*client, *server);
    CHECK_FALSE(after.handshake());
    CHECK(contains(after.server_error, "the certificate is refused"));
}

TEST_CASE("old protocol versions, and clients that speak only HTTP/2, are turned away") {
    site s;
    s.server.min_version = tls_version::tls1_3;
    const auto server = s.serve({s.certify("api", {"DNS:api.test"})});
    const auto client = s.trusting();
    talk old = s.connect(*client, *server);
    SSL_set_max_proto_version(old.client.get(), TLS1_2_VERSION);
    CHECK_FALSE(old.handshake());
    CHECK(contains(old.client_error, "protocol version"));

    talk h2 = s.connect(*client, *server);
    const unsigned char only_h2[] = "\x02h2";
    SSL_set_alpn_protos(h2.client.get(), only_h2, sizeof only_h2 - 1);
    CHECK_FALSE(h2.handshake());
    CHECK(contains(h2.client_error, "no application protocol"));
}

TEST_CASE("a client context notices that its files changed") {
    site s;
    const auto client = s.trusting();
    CHECK_FALSE(client->outdated());
    s.folder.write("ca.pem", authority{}.pem());
    CHECK(client->outdated());
    // The old context goes on, and a new one reads the new file.
    const auto server = s.serve({s.certify("api", {"DNS:api.test"})});
    talk t = s.connect(*client, *server);
    CHECK(t.handshake());
    const auto renewed = tls_client_context::make(s.client, s.trust).value();
    talk u = s.connect(*renewed, *server);
    CHECK_FALSE(u.handshake());
}

TEST_CASE("the system's CAs are loaded once and do not trust ours") {
    site s;
    const auto client = tls_client_context::make({}, s.trust).value();
    CHECK(s.trust.get("").value() == s.trust.get("").value());
    const auto server = s.serve({s.certify("api", {"DNS:api.test"})});
    talk t = s.connect(*client, *server);
    CHECK_FALSE(t.handshake());
}

TEST_CASE("a name matches a wildcard for exactly one label") {
    CHECK(name_matches("a.test", "a.test"));
    CHECK(name_matches("*.a.test", "b.a.test"));
    CHECK_FALSE(name_matches("*.a.test", "a.test"));
    CHECK_FALSE(name_matches("*.a.test", ".a.test"));
    CHECK_FALSE(name_matches("*.a.test", "c.b.a.test"));
    CHECK(comparable("A.Test.") == "a.test");
}
