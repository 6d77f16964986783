#include "mcp/serve/session_book.hpp"

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

#include <string>

using namespace sluice::mcp;

namespace {

struct worker_book {
    boost::asio::io_context io;
    session_book book{io.get_executor(), 3};

    // A stream that holds one message of that many bytes, which was sent.
    local_name keep_sent(std::size_t bytes, const std::string& session) {
        const auto stream = book.new_kept_stream();
        stream->push(std::string(bytes, 'x'));
        stream->taken(1);
        return book.keep(stream, session);
    }
};

}  // namespace

TEST_CASE("a kept stream is found by its session alone") {
    worker_book w;
    const local_name name = w.keep_sent(10, "mine");
    CHECK(name.text() == "3-" + std::to_string(name.number));
    CHECK(w.book.stream(name, "mine") != nullptr);
    CHECK(w.book.stream(name, "yours") == nullptr);
}

TEST_CASE("the oldest kept streams make room when all of them hold too many bytes") {
    worker_book w;
    constexpr std::size_t each = 1 << 20;
    constexpr std::size_t fit = session_book::kept_bytes_max / each;
    const local_name first = w.keep_sent(each, "s");
    const local_name second = w.keep_sent(each, "s");
    for (std::size_t i = 2; i < fit; ++i) w.keep_sent(each, "s");
    CHECK(w.book.stream(first, "s") != nullptr);
    const local_name last = w.keep_sent(each, "s");
    CHECK(w.book.stream(first, "s") == nullptr);
    CHECK(w.book.stream(second, "s") != nullptr);
    CHECK(w.book.stream(last, "s") != nullptr);
}

TEST_CASE("the oldest kept streams make room when a later one grows") {
    worker_book w;
    const local_name first = w.keep_sent(10, "s");
    const auto growing = w.book.new_kept_stream();
    const local_name second = w.book.keep(growing, "s");
    growing->push(std::string(session_book::kept_bytes_max, 'x'));
    w.book.make_room();
    CHECK(w.book.stream(first, "s") == nullptr);
    CHECK(w.book.stream(second, "s") != nullptr);
}

TEST_CASE("a stream that ends gives its bytes back") {
    worker_book w;
    constexpr std::size_t each = 1 << 20;
    const local_name first = w.keep_sent(10, "stays");
    for (std::size_t i = 0; i < 2 * session_book::kept_bytes_max / each; ++i) {
        w.keep_sent(each, "goes");
        w.book.end("goes");
    }
    CHECK(w.book.stream(first, "stays") != nullptr);
}

TEST_CASE("a stream that made room loses what was sent and keeps what was not") {
    worker_book w;
    const auto stream = w.book.new_kept_stream();
    stream->push("sent");
    stream->push("waits");
    stream->taken(1);
    REQUIRE(stream->at(0) != nullptr);
    stream->keep_no_more();
    CHECK(stream->lost(0));
    REQUIRE(stream->at(1) != nullptr);
    CHECK(*stream->at(1) == "waits");
    stream->push("more");
    stream->taken(3);
    CHECK(stream->end() == 3);
    CHECK(stream->at(2) == nullptr);
}
