#include "net/bell.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

#include <exception>
#include <optional>

using namespace sluice;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

// Somebody who waits for a bell.
struct waiter {
    asio::io_context io;
    net::bell bell{io.get_executor()};
    asio::cancellation_signal cancel;
    std::optional<std::exception_ptr> ended;  // null: without an exception

    explicit waiter(std::chrono::steady_clock::duration patience) {
        asio::co_spawn(io, bell.wait(std::chrono::steady_clock::now() + patience),
                       asio::bind_cancellation_slot(cancel.slot(), [this](std::exception_ptr how) { ended = how; }));
        io.poll();
    }
};

}  // namespace

TEST_CASE("who waits for a bell goes on when it rings", "[bell]") {
    waiter w(1h);
    REQUIRE_FALSE(w.ended);
    w.bell.ring();
    w.io.poll();
    REQUIRE(w.ended);
    CHECK(*w.ended == nullptr);
}

TEST_CASE("who waits for a bell goes on when the time has come", "[bell]") {
    waiter w(-1s);
    w.io.run();
    REQUIRE(w.ended);
    CHECK(*w.ended == nullptr);
}

TEST_CASE("a bell that rings for nobody is not heard later", "[bell]") {
    asio::io_context io;
    net::bell bell{io.get_executor()};
    bell.ring();
    bool ended = false;
    asio::co_spawn(io, bell.wait(std::chrono::steady_clock::now() + 1h), [&](std::exception_ptr) { ended = true; });
    io.poll();
    CHECK_FALSE(ended);
    bell.ring();
    io.poll();
    CHECK(ended);
}

TEST_CASE("who is cancelled while waiting for a bell is thrown out", "[bell]") {
    waiter w(1h);
    w.cancel.emit(asio::cancellation_type::terminal);
    w.io.poll();
    REQUIRE(w.ended);
    CHECK_THROWS_AS(std::rethrow_exception(*w.ended), boost::system::system_error);
}
