#include "http/sse_reader.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <vector>

using namespace sluice::http;

namespace {

struct seen {
    std::string raw, name, id, data;
    bool has_data = false;
    bool operator==(const seen&) const = default;
};

struct reading {
    std::vector<seen> events;
    std::string rest;
    std::vector<std::size_t> boundaries;  // places between two events, found by sse_boundary
    std::size_t counted = 0;
    bool too_large = false;
    bool operator==(const reading&) const = default;
};

// Feeds `text` in pieces that end at the given offsets. Each piece is a copy of its own, so that a view kept
// too long shows under the address sanitizer.
class replay {
public:
    explicit replay(std::size_t event_bytes_max = 1U << 20) : reader_(event_bytes_max) {}

    void feed(std::string_view bytes) {
        const std::vector<char> piece(bytes.begin(), bytes.end());
        reader_.feed({piece.data(), piece.size()});
        sse_event e;
        while (reader_.next(e)) {
            result_.events.push_back(
                {std::string{e.raw}, std::string{e.name}, std::string{e.id}, std::string{e.data}, e.has_data});
        }
        result_.counted += boundary_.feed({piece.data(), piece.size()});
        at_ += bytes.size();
        if (boundary_.between_events()) {
            result_.boundaries.push_back(at_);
            CHECK(reader_.held_bytes() == 0);
        }
        CHECK(boundary_.between_events() == reader_.rest().empty());
    }

    reading done() {
        result_.rest = reader_.rest();
        result_.too_large = reader_.too_large();
        return result_;
    }

private:
    sse_reader reader_;
    sse_boundary boundary_;
    reading result_;
    std::size_t at_ = 0;
};

reading whole(std::string_view text) {
    replay r;
    r.feed(text);
    return r.done();
}

reading bytewise(std::string_view text) {
    replay r;
    for (std::size_t i = 0; i < text.size(); ++i) r.feed(text.substr(i, 1));
    return r.done();
}

std::vector<std::string> data_of(std::string_view text) {
    std::vector<std::string> data;
    for (const seen& e : whole(text).events) {
        if (e.has_data) data.push_back(e.data);
    }
    return data;
}

std::string fixture(const std::string& name) {
    std::ifstream in(std::filesystem::path(SLUICE_SOURCE_DIR) / "tests/golden/sse" / name, std::ios::binary);
    REQUIRE(in.good());
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

using strings = std::vector<std::string>;

}  // namespace

TEST_CASE("a stream reads the same however it is cut") {
    for (const auto& file :
         std::filesystem::directory_iterator(std::filesystem::path(SLUICE_SOURCE_DIR) / "tests/golden/sse")) {
        const std::string text = fixture(file.path().filename());
        INFO(file.path().filename());
        const reading expected = whole(text);
        CHECK_FALSE(expected.events.empty());

        std::string bytes;
        std::size_t counted = 0;
        for (const seen& e : expected.events) {
            bytes += e.raw;
            counted += e.has_data ? 1 : 0;
        }
        CHECK(bytes + expected.rest == text);  // nothing lost, nothing made up
        CHECK(expected.counted >= counted);

        const reading slow = bytewise(text);
        CHECK(slow.events == expected.events);
        CHECK(slow.rest == expected.rest);
        CHECK(slow.counted == expected.counted);
        // Between events means: at the end of each event, and at no other place. Ends that wait for the LF of a
        // CRLF are known one byte later, when the next event has begun.
        std::vector<std::size_t> ends;
        std::size_t at = 0;
        for (const seen& e : expected.events) ends.push_back(at += e.raw.size());
        for (const std::size_t boundary : slow.boundaries) {
            CHECK(std::find(ends.begin(), ends.end(), boundary) != ends.end());
        }
        for (std::size_t cut = 0; cut <= text.size(); ++cut) {
            replay r;
            r.feed(std::string_view{text}.substr(0, cut));
            r.feed(std::string_view{text}.substr(cut));
            const reading two = r.done();
            if (two.events != expected.events || two.rest != expected.rest || two.counted != expected.counted) {
                FAIL("cut at " << cut);
            }
        }
    }
}

TEST_CASE("lines end in CRLF, LF or CR") {
    CHECK(data_of(fixture("line_ends.sse")) ==
          strings{"lf", "crlf\ntwo", "cr\ntwo", "mixed", "cr then crlf", "lf then cr", "last"});
    CHECK(data_of("data: a\n\r\ndata: b\n\n") == strings{"a", "b"});
    CHECK(data_of("data: a\r\n\rdata: b\n\n") == strings{"a", "b"});
}

TEST_CASE("an event of a stream with bare CR is not held back") {
    sse_reader reader;
    sse_event e;
    reader.feed("data: 1\r\r");
    REQUIRE(reader.next(e));
    CHECK(e.data == "1");
    CHECK(data_of(fixture("cr_only.sse")) == strings{"1", "2", "3"});
}

TEST_CASE("fields are read as browsers read them") {
    const reading r = whole(fixture("fields.sse"));
    strings data;
    for (const seen& e : r.events) {
        if (e.has_data) data.push_back(e.data);
    }
    CHECK(data == strings{"after a mark", "", "\n", "no space\n two spaces", "y", "z", "a:b: c", "\xef\xbb\xbfinside"});
    CHECK(r.events[1].raw == ": a comment\n\n");
    CHECK_FALSE(r.events[1].has_data);
    CHECK(r.events[5].name == "named");
    CHECK(r.events[5].id == "7");
    CHECK(r.events[6].id.empty());  // an id with NUL is ignored
    CHECK(r.events[7].name == "no data");
    CHECK_FALSE(r.events[7].has_data);
}

TEST_CASE("characters survive every cut") {
    CHECK(data_of(fixture("cjk_emoji.sse")) ==
          strings{"{\"choices\":[{\"delta\":{\"content\":\"你好，世界 🌍👩‍💻\"}}]}", "多行\n第二行 🧵",
                  "é😀"});
    const reading r = bytewise(fixture("cjk_emoji.sse"));
    CHECK(r.events[0].name == "事件");
    CHECK(r.events[0].id == "你");
    CHECK(r.events[2].raw == ": 注释 🏓\n\n");
}

TEST_CASE("an event without its blank line is no event but its bytes remain") {
    const reading r = whole(fixture("unfinished.sse"));
    CHECK(r.events.size() == 1);
    CHECK(r.rest == "data: {\"half\":tr");
    CHECK(whole(fixture("unfinished_line.sse")).rest == "event: x\r\ndata: no blank line\r\n");
    CHECK(whole("data: a\n").events.empty());
    CHECK(whole("").rest.empty());
}

TEST_CASE("an event inside one piece is not copied") {
    const std::string piece = "data: one\n\nevent: e\ndata: two\n\ndata: thr";
    sse_reader reader;
    reader.feed(piece);
    sse_event e;
    REQUIRE(reader.next(e));
    CHECK(e.raw.data() == piece.data());
    CHECK(e.data.data() == piece.data() + 6);
    REQUIRE(reader.next(e));
    CHECK(e.raw.data() == piece.data() + 11);
    CHECK_FALSE(reader.next(e));
    CHECK(reader.rest() == "data: thr");
}

TEST_CASE("memory is given back between events") {
    const std::string text = "data: " + std::string(100'000, 'x') + "\ndata: y\n\n";
    sse_reader reader;
    sse_event e;
    reader.feed(std::string_view{text}.substr(0, 50'000));
    CHECK_FALSE(reader.next(e));
    CHECK(reader.held_bytes() >= 50'000);
    reader.feed(std::string_view{text}.substr(50'000));
    REQUIRE(reader.next(e));
    CHECK(e.raw == text);
    CHECK_FALSE(reader.next(e));
    CHECK(reader.held_bytes() == 0);
}

TEST_CASE("an event above the limit ends the reading, in one piece or many") {
    const std::string good = "data: ok\n\n";
    for (const std::size_t piece : {1UL, 7UL, 1000UL, 16384UL, 3000000UL}) {
        const std::string text = good + "data: " + std::string((1U << 20) + 1, 'x') + "\n\n" + good;
        sse_reader reader;
        sse_event e;
        std::size_t events = 0, held = 0;
        for (std::size_t at = 0; at < text.size() && !reader.too_large(); at += piece) {
            reader.feed(std::string_view{text}.substr(at, piece));
            while (reader.next(e)) ++events;
            held = std::max(held, reader.held_bytes());
        }
        CHECK(reader.too_large());
        CHECK(events == 1);
        CHECK(held <= 2U << 20);
        CHECK(reader.held_bytes() == 0);
        reader.feed(good);
        CHECK_FALSE(reader.next(e));
    }
    // The limit is of the raw bytes, to the byte.
    for (const std::size_t piece : {1UL, 100UL}) {
        sse_reader reader(12);
        sse_event e;
        std::size_t events = 0;
        const std::string text = "data: 1234\n\ndata: 12345\n\n";
        for (std::size_t at = 0; at < text.size(); at += piece) {
            reader.feed(std::string_view{text}.substr(at, piece));
            while (reader.next(e)) ++events;
        }
        CHECK(events == 1);
        CHECK(reader.too_large());
    }
}

TEST_CASE("only whole events with fields are counted") {
    sse_boundary b;
    CHECK(b.between_events());
    CHECK(b.feed(": ping\n\n") == 0);
    CHECK(b.between_events());
    CHECK(b.feed("\n\n\n") == 0);
    CHECK(b.feed("data: 1\n\ndata: 2\n\ndata") == 2);
    CHECK_FALSE(b.between_events());
    CHECK(b.feed(": 3\r\n") == 0);
    CHECK_FALSE(b.between_events());
    CHECK(b.feed("\r") == 0);
    CHECK_FALSE(b.between_events());  // an LF may follow
    CHECK(b.feed("\n") == 1);
    CHECK(b.between_events());
}

TEST_CASE("written events read back") {
    for (const std::string name : {"", "delta"}) {
        for (const std::string data : {"", "x", "a\nb", "\n", "a\n\n", " lead", "{\"a\":\"é\"}"}) {
            std::string text;
            append_sse(text, name, data);
            const reading r = whole(text);
            REQUIRE(r.events.size() == 1);
            CHECK(r.events[0].data == data);
            CHECK(r.events[0].name == name);
            CHECK(r.rest.empty());
        }
    }
    std::string text;
    append_sse(text, "a\r\ndata: forged\n\n", "x\ry\r\n\r\nz");
    const reading r = whole(text);
    REQUIRE(r.events.size() == 1);
    CHECK(r.events[0].data == "x\ny\n\nz");
    CHECK(r.events[0].name == "adata: forged");
}
