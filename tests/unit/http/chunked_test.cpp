#include "http/chunked.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <string>
#include <string_view>

using namespace sluice::http;
using namespace std::literals;

namespace {

struct outcome {
    progress state = progress::need_more;
    std::string body;
    std::string reason;
    std::size_t consumed = 0;
    friend bool operator==(const outcome&, const outcome&) = default;
};

// Feeds `wire` in pieces of `piece` bytes, the first one of `first`.
outcome decode(std::string_view wire, std::size_t first, std::size_t piece) {
    chunked_decoder decoder;
    outcome out;
    std::size_t received = 0;
    while (out.state == progress::need_more && received < wire.size()) {
        received = std::min(wire.size(), received == 0 && first > 0 ? first : received + piece);
        std::string_view rest = wire.substr(out.consumed, received - out.consumed);
        while (out.state == progress::need_more && !rest.empty()) {
            const auto s = decoder.feed(rest);
            // The data is a view into what was eaten.
            if (!s.data.empty()) {
                CHECK(s.state == progress::need_more);
                CHECK(s.data.data() >= rest.data());
                CHECK(s.data.data() + s.data.size() <= rest.data() + s.consumed);
            }
            out.body += s.data;
            out.consumed += s.consumed;
            rest.remove_prefix(s.consumed);
            out.state = s.state;
            if (s.state == progress::bad) out.reason = s.reason;
            if (s.state == progress::need_more && s.consumed == 0) FAIL("the decoder stands still");
        }
    }
    // Where a bad body was given up is nobody's business.
    if (out.state == progress::bad) out.consumed = 0;
    return out;
}

std::string encode(const std::vector<std::string>& chunks) {
    std::string wire;
    for (const std::string& c : chunks) {
        char line[18];
        wire.append(line, write_chunk_size(line, c.size())).append(c).append(chunk_end);
    }
    return wire.append(last_chunk);
}

}  // namespace

TEST_CASE("a chunked body comes out whole at every cut") {
    const std::vector<std::string> wires{
        "5\r\nhello\r\n0\r\n\r\n",
        "1\r\na\r\n00A;x=y\r\n0123456789\r\n000\r\nT: v\r\nU:\r\n\r\n",
        "0\r\n\r\n",
        "3\r\n\r\n\r\r\n4\r\n0\r\n\r\r\n0\r\n\r\nnext message",
        "5\r\nhelloX",
        "5\r\nhello\r\n5\r\nhell",
        "g\r\n",
    };
    for (const std::string& wire : wires) {
        INFO(wire);
        const outcome whole = decode(wire, wire.size(), wire.size());
        for (std::size_t at = 1; at < wire.size(); ++at) {
            if (!(decode(wire, at, wire.size()) == whole)) FAIL_CHECK("cut at " << at);
        }
        for (std::size_t piece = 1; piece < 5; ++piece) CHECK(decode(wire, piece, piece) == whole);
    }
    CHECK(decode(wires[1], 0, 100).body == "a0123456789");
    CHECK(decode(wires[3], 0, 100).body == "\r\n\r0\r\n\r");
    CHECK(decode(wires[3], 0, 100).consumed == wires[3].size() - "next message"sv.size());
}

TEST_CASE("data is handed out without being copied, one run at a time") {
    const auto wire = "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nrest"sv;
    chunked_decoder decoder;
    const auto first = decoder.feed(wire);
    CHECK(first.data.data() == wire.data() + 3);
    CHECK(first.data == "abc");
    const auto second = decoder.feed(wire.substr(first.consumed));
    CHECK(second.data == "de");
    const auto last = decoder.feed(wire.substr(first.consumed + second.consumed));
    CHECK(last.state == progress::done);
    CHECK(first.consumed + second.consumed + last.consumed == wire.size() - 4);
}

TEST_CASE("after its end a body eats nothing until it is reset") {
    chunked_decoder decoder;
    REQUIRE(decoder.feed("0\r\n\r\n").state == progress::done);
    CHECK(decoder.feed("0\r\n\r\n").consumed == 0);
    CHECK(decoder.feed("x").state == progress::done);
    decoder.reset();
    const auto bad = decoder.feed("x");
    CHECK(bad.state == progress::bad);
    CHECK(bad.reason == "chunk_size");
    const auto still = decoder.feed("0\r\n\r\n");
    CHECK(still.state == progress::bad);
    CHECK(still.reason == "chunk_size");
    decoder.reset();
    CHECK(decoder.feed("0\r\n\r\n").state == progress::done);
}

TEST_CASE("nothing fed is nothing done") {
    chunked_decoder decoder;
    const auto s = decoder.feed("");
    CHECK(s.state == progress::need_more);
    CHECK(s.consumed == 0);
}

TEST_CASE("a chunk may be as large as 2^63 - 1") {
    chunked_decoder decoder;
    CHECK(decoder.feed("7fffffffffffffff\r\nabc").data == "abc");
    decoder.reset();
    CHECK(decoder.feed("8000000000000000\r\nabc").reason == "chunk_size_too_large");
}

TEST_CASE("chunk sizes are written in hexadecimal") {
    const auto line = [](std::size_t n) {
        char out[18];
        return std::string(out, write_chunk_size(out, n));
    };
    CHECK(line(1) == "1\r\n");
    CHECK(line(15) == "f\r\n");
    CHECK(line(16) == "10\r\n");
    CHECK(line(0x1a2) == "1a2\r\n");
    CHECK(line(SIZE_MAX) == "ffffffffffffffff\r\n");
}

TEST_CASE("what is encoded is decoded, for random chunks and cuts") {
    std::mt19937 random{20240611};
    for (int round = 0; round < 300; ++round) {
        std::vector<std::string> chunks(random() % 6);
        std::string body;
        for (std::string& c : chunks) {
            c.resize(1 + random() % 40);
            for (char& byte : c) byte = "\r\n0a"[random() % 4];
            body += c;
        }
        const outcome out = decode(encode(chunks), random() % 30, 1 + random() % 50);
        CHECK(out.state == progress::done);
        CHECK(out.body == body);
    }
}
