// A session with a route made of one function, and the client's end of its connection.
//
//   net_testing::served s;
//   s.stage = [](exchange& x) { return x.respond_json(200, "{}"); };
//   s.open();
//   s.client->send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
//   CHECK(s.reply().status == 200);
#pragma once

#include "net/session.hpp"
#include "support/loopback.hpp"

#include <sluice/exchange.hpp>
#include <sluice/stage.hpp>

#include <boost/asio/post.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sluice::net_testing {

struct function_stage final : stage {
    explicit function_stage(const std::function<awaitable<void>(exchange&)>& f) : serve_(f) {}
    std::string_view name() const override { return "function"; }
    awaitable<void> serve(exchange& x, next_stage) override { return serve_(x); }
    const std::function<awaitable<void>(exchange&)>& serve_;
};

struct noting_recorder final : net::exchange_recorder {
    struct note {
        int status = 0;
        bool complete = false;
        std::uint64_t bytes_in = 0, bytes_out = 0;
        std::string code;  // of the failure
    };
    int began_count = 0;
    std::vector<note> ends;
    std::vector<std::string> refusals, bugs;

    void began(exchange&) override { ++began_count; }
    void ended(const facts& f) override {
        ends.push_back({f.x.status, f.complete, f.bytes_in, f.bytes_out,
                        f.failure != nullptr ? std::string(traits(f.failure->kind).code) : std::string{}});
    }
    void refused(std::string_view reason) override { refusals.emplace_back(reason); }
    void bug(std::string_view what) override { bugs.emplace_back(what); }
};

struct served {
    explicit served(std::size_t budget = 64u << 20) : w(budget) {}
    ~served() {
        cut(abort_reason::shutdown);
        if (client) client->close();
        run_until(w.io, [&] { return !session; });
    }

    worker_loop w;
    noting_recorder recorder;
    net::session_limits limits;
    route_limits route;
    std::function<awaitable<void>(exchange&)> stage;
    net::session_site site{
        .loop = w.loop, .buffers = w.buffers, .recorder = recorder, .routes = nullptr, .make_request_id = [] {
            return std::string("request-1");
        }};
    std::unique_ptr<hand> client;
    std::shared_ptr<net::session> session;  // null once it has ended
    bool threw = false;

    void open() {
        auto table = std::make_shared<route_table>();
        sluice::route one;
        one.name = "test";
        one.limits = route;
        one.paths.emplace_back("/*");
        one.stages.push_back(std::make_unique<function_stage>(stage));
        table->routes.push_back(std::move(one));
        site.routes = table;
        auto [ours, theirs] = tcp_pair();
        client = std::make_unique<hand>(w.io, std::move(theirs));
        session = std::make_shared<net::session>(site, limits, std::move(ours), "192.0.2.1");
        boost::asio::co_spawn(w.io, session->run(net::ssl_ptr{}),
                              boost::asio::bind_cancellation_slot(session->slot(), [this](const std::exception_ptr& e) {
                                  threw = e != nullptr;
                                  boost::asio::post(w.io, [this] { session.reset(); });
                              }));
    }
    // On the loop, like a worker, and if the session is still there then.
    void cut(abort_reason why) {
        boost::asio::post(w.io, [s = std::weak_ptr(session), why] {
            if (const auto still = s.lock()) still->cut(why);
        });
    }
    void until_closed() {
        run_until(w.io, [&] { return !session; });
    }

    struct answer {
        int status = 0;
        std::string head, body;
        bool says(std::string_view field) const { return head.find(std::string(field) + "\r\n") != head.npos; }
    };
    // The next reply, which has a Content-Length or no body.
    answer reply(bool to_head_request = false) {
        answer a;
        a.head = client->receive_through("\r\n\r\n");
        if (a.head.size() > 12) a.status = std::stoi(a.head.substr(9, 3));
        const auto at = a.head.find("Content-Length: ");
        if (at != a.head.npos && !to_head_request) a.body = client->receive(std::stoul(a.head.substr(at + 16)));
        return a;
    }
};

}  // namespace sluice::net_testing
