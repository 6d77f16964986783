#include "http/websocket_frames.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace sluice::http;
using namespace std::string_literals;

namespace {

std::string frame(unsigned first, const std::string& payload, bool masked = false) {
    std::string f(1, static_cast<char>(first));
    const auto mask = masked ? 0x80u : 0u;
    const int size_bytes = payload.size() < 126 ? 0 : payload.size() < 65536 ? 2 : 8;
    f += static_cast<char>(mask | (size_bytes == 0 ? payload.size() : size_bytes == 2 ? 126u : 127u));
    for (int i = size_bytes; i-- > 0;) f += static_cast<char>(payload.size() >> (8 * i) & 0xff);
    if (masked) f += "mask";
    return f + payload;
}

// What one direction came to, as a line: "t" text, "b" begins, "e" ends, "c" closes, a number is a violation.
struct reading {
    std::string text, marks;
    bool between_frames = false, between_messages = false;
};

reading read(const std::string& wire, std::size_t piece, websocket_side from, std::uint64_t bytes_max) {
    websocket_scanner scanner(from, bytes_max);
    reading r;
    for (std::size_t at = 0; at < wire.size();) {
        const std::string part = wire.substr(at, piece);  // a block of its own: nothing may be read behind it
        std::size_t used = 0;
        while (used < part.size()) {
            const auto s = scanner.next(std::string_view{part}.substr(used));
            if (s.violation != 0) {
                r.marks += std::to_string(s.violation);
                return r;
            }
            REQUIRE(s.consumed > 0);
            r.text += s.text;
            if (s.message_begins) r.marks += 'b';
            if (s.message_ends) r.marks += 'e';
            if (s.closes) r.marks += 'c';
            used += s.consumed;
        }
        at += part.size();
    }
    r.between_frames = scanner.between_frames();
    r.between_messages = scanner.between_messages();
    return r;
}

// Cut into pieces of every size, the same comes out.
reading read(const std::string& wire, websocket_side from = websocket_side::server, std::uint64_t bytes_max = 1000) {
    const reading whole = read(wire, wire.size(), from, bytes_max);
    for (std::size_t piece = 1; piece < wire.size() && piece < 300; ++piece) {
        const reading cut = read(wire, piece, from, bytes_max);
        REQUIRE(cut.marks == whole.marks);
        REQUIRE(cut.text == whole.text);
        REQUIRE(cut.between_frames == whole.between_frames);
        REQUIRE(cut.between_messages == whole.between_messages);
    }
    return whole;
}

}  // namespace

TEST_CASE("a text message is told from its frame, whatever its size") {
    for (const std::size_t size : {0u, 1u, 125u, 126u, 900u}) {
        const reading r = read(frame(0x81, std::string(size, 'x')));
        CHECK(r.marks == "be");
        CHECK(r.text.size() == size);
        CHECK(r.between_messages);
    }
    const reading large = read(frame(0x81, std::string(70000, 'x')), 4096, websocket_side::server, 1 << 20);
    CHECK(large.text.size() == 70000);
}

TEST_CASE("fragments are one message, and a control frame may stand between them") {
    const reading r =
        read(frame(0x01, "hel") + frame(0x89, "ping") + frame(0x00, "l") + frame(0x8a, "") + frame(0x80, "o"));
    CHECK(r.text == "hello");
    CHECK(r.marks == "be");
    const reading open = read(frame(0x01, "hel") + frame(0x89, "ping"));
    CHECK(open.between_frames);
    CHECK_FALSE(open.between_messages);
}

TEST_CASE("the payload of a binary message is no text") {
    const reading r = read(frame(0x02, "ab") + frame(0x80, "cd"));
    CHECK(r.text.empty());
    CHECK(r.marks == "be");
}

TEST_CASE("a client's frames are masked and a server's are not") {
    CHECK(read(frame(0x81, "hi", true), websocket_side::client).marks == "be");
    CHECK(read(frame(0x81, "hi", false), websocket_side::client).marks == "1002");
    CHECK(read(frame(0x81, "hi", true), websocket_side::server).marks == "1002");
}

TEST_CASE("nothing follows a Close") {
    CHECK(read(frame(0x88, "\x03\xe8"s)).marks == "c");
    CHECK(read(frame(0x88, "")).marks == "c");
    CHECK(read(frame(0x88, "") + frame(0x81, "more")).marks == "c1002");
}

TEST_CASE("a frame that breaks the rules is refused") {
    const struct {
        const char* what;
        std::string wire;
    } table[] = {
        {"a reserved bit, which is a compressed message", frame(0xc1, "x")},
        {"a reserved opcode", frame(0x83, "x")},
        {"a reserved control opcode", frame(0x8b, "")},
        {"a continuation of nothing", frame(0x80, "x")},
        {"a message within a message", frame(0x01, "x") + frame(0x81, "y")},
        {"a fragmented ping", frame(0x09, "x")},
        {"a large ping", frame(0x89, std::string(126, 'x'))},
        {"half a close code", frame(0x88, "x")},
        {"a size in two bytes that fits in seven bits", "\x81\x7e\x00\x7d"s},
        {"a size in eight bytes that fits in two", "\x81\x7f\x00\x00\x00\x00\x00\x00\xff\xff"s},
        {"a size with its highest bit set", "\x81\x7f\x80\x00\x00\x00\x00\x00\x00\x00"s},
    };
    for (const auto& row : table) {
        INFO(row.what);
        const std::string marks = read(row.wire).marks;
        CHECK(marks.substr(marks.size() < 4 ? 0 : marks.size() - 4) == "1002");
    }
}

TEST_CASE("a message over the limit is refused by its header, over all its fragments") {
    CHECK(read(frame(0x81, std::string(1000, 'x'))).marks == "be");
    CHECK(read(frame(0x81, std::string(1001, 'x'))).marks == "1009");
    CHECK(read(frame(0x01, std::string(600, 'x')) + frame(0x80, std::string(400, 'x'))).marks == "be");
    CHECK(read(frame(0x01, std::string(600, 'x')) + frame(0x80, std::string(401, 'x'))).marks == "b1009");
    CHECK(read(frame(0x81, std::string(900, 'x')) + frame(0x81, std::string(900, 'x'))).marks == "bebe");
    CHECK(read("\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"s).marks == "1009");
}

TEST_CASE("frames of our own are what a scanner takes") {
    CHECK(write_websocket_close(websocket_side::server, 1008, "why") == "\x88\x05\x03\xf0why"s);
    const std::string masked = write_websocket_close(websocket_side::client, 1001, "", {1, 2, 3, 4});
    CHECK(masked == "\x88\x82\x01\x02\x03\x04\x02\xeb"s);
    CHECK(read(masked, websocket_side::client).marks == "c");
    CHECK(read(write_websocket_close(websocket_side::server, 1001, std::string(500, 'x'))).marks == "c");
    for (const std::size_t size : {0u, 125u, 126u, 999u}) {
        const std::string text(size, 'y');
        CHECK(read(write_websocket_text(text)).text == text);
    }
}
