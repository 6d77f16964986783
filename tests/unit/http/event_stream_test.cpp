#include "http/event_stream.hpp"

#include <zlib.h>
#include <catch2/catch.hpp>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

using namespace sluice;
using namespace sluice::http;

namespace {

std::string bytes(std::initializer_list<int> values) {
    std::string out;
    for (const int v : values) out += static_cast<char>(v);
    return out;
}

std::string number(std::size_t n, std::size_t value) {
    std::string out;
    while (n-- > 0) out += static_cast<char>(value >> (8 * n) & 0xffU);
    return out;
}

std::size_t crc(const std::string& text) {
    return ::crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size()));
}

// A message around a header block that no writer would write.
std::string framed(const std::string& headers, const std::string& payload = {}) {
    std::string out = number(4, 16 + headers.size() + payload.size()) + number(4, headers.size());
    out += number(4, crc(out)) + headers + payload;
    return out + number(4, crc(out));
}

struct seen {
    std::vector<std::string> events;  // "name|content type|data"
    std::string problem;
    bool operator==(const seen&) const = default;
};

seen read(const std::vector<std::string_view>& pieces, std::size_t max = aws_event_reader::message_bytes_limit) {
    seen s;
    aws_event_reader reader(max);
    for (const std::string_view piece : pieces) {
        const std::string copy(piece);  // so that a view which outlives its piece is found out
        reader.feed(copy);
        aws_event e;
        for (;;) {
            const result<bool> got = reader.next(e);
            if (!got) {
                s.problem = describe(got.error());
                CHECK(describe(reader.next(e).error()) == s.problem);
                CHECK(reader.held_bytes() == 0);
                return s;
            }
            if (!*got) break;
            s.events.push_back(std::string(e.name) + "|" + std::string(e.content_type) + "|" + std::string(e.data));
        }
    }
    const result<void> end = reader.finish();
    if (!end) s.problem = describe(end.error());
    return s;
}

seen read(std::string_view text) {
    return read(std::vector<std::string_view>{text});
}

// The published vectors of AWS's own test suites.
const std::string empty_message = bytes({0, 0, 0, 16, 0, 0, 0, 0, 5, 194, 72, 235, 125, 152, 200, 255});
const std::string int32_header =
    bytes({0, 0, 0, 45,  0,  0,   0,  16,  65,  196, 36, 184, 10, 101, 118, 101, 110, 116, 45, 116, 121, 112, 101,
           4, 0, 0, 160, 12, 123, 39, 102, 111, 111, 39, 58,  39, 98,  97,  114, 39,  125, 54, 244, 128, 160});
const std::string payload_no_headers = bytes({0,   0,   0,  29, 0,  0,  0,  0,   253, 82,  140, 90,  123, 39, 102,
                                              111, 111, 39, 58, 39, 98, 97, 114, 39,  125, 195, 101, 57,  54});
const std::string payload_one_str_header =
    bytes({0,   0,   0,   61,  0,   0,   0,   32, 7,   253, 131, 150, 12,  99, 111, 110, 116, 101, 110, 116, 45,
           116, 121, 112, 101, 7,   0,   16,  97, 112, 112, 108, 105, 99,  97, 116, 105, 111, 110, 47,  106, 115,
           111, 110, 123, 39,  102, 111, 111, 39, 58,  39,  98,  97,  114, 39, 125, 141, 156, 8,   177});

}  // namespace

TEST_CASE("the published vectors are read", "[http][event_stream]") {
    CHECK(read(empty_message) == seen{{"||"}, ""});
    CHECK(read(int32_header) == seen{{"||{'foo':'bar'}"}, ""});
    CHECK(read(payload_no_headers) == seen{{"||{'foo':'bar'}"}, ""});
    CHECK(read(payload_one_str_header) == seen{{"||{'foo':'bar'}"}, ""});
    CHECK(read(empty_message + payload_no_headers + empty_message) == seen{{"||", "||{'foo':'bar'}", "||"}, ""});
}

TEST_CASE("the published vectors are written", "[http][event_stream]") {
    std::string out;
    append_aws_message(out, {}, {});
    CHECK(out == empty_message);
    out.clear();
    append_aws_message(out, {}, "{'foo':'bar'}");
    CHECK(out == payload_no_headers);
    out.clear();
    const aws_header one[] = {{"content-type", "application/json"}};
    append_aws_message(out, one, "{'foo':'bar'}");
    CHECK(out == payload_one_str_header);
}

TEST_CASE("events, exceptions and errors are told apart by their names", "[http][event_stream]") {
    std::string out;
    append_aws_event(out, "contentBlockDelta", R"({"x":1})");
    append_aws_exception(out, "throttlingException", R"({"message":"slow"})");
    const aws_header error_headers[] = {
        {":message-type", "error"}, {":error-code", "InternalError"}, {":error-message", "bad \"luck\""}};
    append_aws_message(out, error_headers, {});
    const seen want{{R"(contentBlockDelta|application/json|{"x":1})",
                     R"(exception:throttlingException|application/json|{"message":"slow"})",
                     R"(error:InternalError||{"message":"bad \"luck\""})"},
                    ""};
    CHECK(read(out) == want);
}

TEST_CASE("a stream is the same wherever it is cut", "[http][event_stream]") {
    std::string stream;
    append_aws_event(stream, "messageStart", R"({"role":"assistant"})");
    stream += payload_one_str_header + empty_message;
    append_aws_exception(stream, "throttlingException", "{}");
    const std::string_view all = stream;
    const seen whole = read(all);
    REQUIRE(whole.events.size() == 4);
    REQUIRE(whole.problem.empty());
    std::vector<std::string_view> single;
    for (std::size_t i = 0; i < all.size(); ++i) single.push_back(all.substr(i, 1));
    CHECK(read(single) == whole);
    for (std::size_t i = 0; i <= all.size(); ++i) {
        INFO(i);
        CHECK(read({all.substr(0, i), all.substr(i)}) == whole);
        CHECK(read({all.substr(0, i), all.substr(i, 1), all.substr(std::min(i + 1, all.size()))}) == whole);
    }
}

TEST_CASE("a stream that ends inside a message is cut off, at every byte of it", "[http][event_stream]") {
    const std::string_view all = payload_one_str_header;
    for (std::size_t i = 1; i < all.size(); ++i) {
        INFO(i);
        CHECK(read(all.substr(0, i)).problem.starts_with("upstream_reset: event stream, byte "));
    }
}

TEST_CASE("any single byte that is not what was sent is noticed", "[http][event_stream]") {
    for (std::size_t i = 0; i < payload_one_str_header.size(); ++i) {
        for (const unsigned flip : {0x01U, 0x80U, 0xffU}) {
            std::string bad = payload_one_str_header;
            bad[i] = static_cast<char>(static_cast<unsigned char>(bad[i]) ^ flip);
            INFO(i);
            const seen s = read(bad);
            CHECK(s.events.empty());
            CHECK(s.problem.find(i < 12 ? "checksum of the prelude" : "checksum of the message") != std::string::npos);
        }
    }
    const seen later = read(empty_message + "corrupted bytes behind");
    CHECK(later.events.size() == 1);
    CHECK(later.problem == "upstream_protocol: event stream, byte 24: the checksum of the prelude is wrong");
}

TEST_CASE("lengths that lie are refused although their checksum is right", "[http][event_stream]") {
    const auto prelude = [](std::size_t total, std::size_t headers) {
        const std::string lengths = number(4, total) + number(4, headers);
        return read(lengths + number(4, crc(lengths))).problem;
    };
    CHECK(prelude(15, 0).ends_with("at least 16 bytes"));
    CHECK(prelude(0, 0).ends_with("at least 16 bytes"));
    CHECK(prelude(32, 17).ends_with("longer than the message"));
    CHECK(prelude(1U << 20, (128U << 10) + 1).ends_with("longer than 128 KiB"));
    CHECK(prelude((16U << 20) + 1, 0) ==
          "upstream_event_too_large: event stream, byte 0: a message of 16777217 bytes is above the limit of 16777216");
    CHECK(prelude(16U << 20, 128U << 10).starts_with("upstream_reset"));
    CHECK(read({payload_no_headers}, 28).problem.starts_with("upstream_event_too_large"));
    CHECK(read({payload_no_headers}, 29).problem.empty());
}

TEST_CASE("values of every type are stepped over", "[http][event_stream]") {
    std::string headers;
    int type = 0;
    for (const std::size_t size : {0U, 0U, 1U, 2U, 4U, 8U}) {
        headers +=
            std::string("\x01") + static_cast<char>('a' + type) + static_cast<char>(type) + std::string(size, 'v');
        ++type;
    }
    headers += std::string("\x01g\x06") + number(2, 3) + "xyz";
    headers += std::string("\x01h\x07") + number(2, 0);
    headers += std::string("\x01i\x08") + std::string(8, 't');
    headers += std::string("\x01j\x09") + std::string(16, 'u');
    headers += std::string("\x0b:event-type\x07") + number(2, 4) + "stop";
    CHECK(read(framed(headers, "body")) == seen{{"stop||body"}, ""});
    for (std::size_t cut = 1; cut < headers.size(); ++cut) {
        const seen s = read(framed(headers.substr(0, cut)));
        // A cut between two headers leaves fewer headers; any other is an error.
        if (s.events.empty()) CHECK(s.problem.ends_with("a header runs past the headers"));
    }
    CHECK(read(framed(headers.substr(0, headers.size() - 1))).events.empty());
}

TEST_CASE("headers that mean nothing are refused", "[http][event_stream]") {
    CHECK(read(framed(std::string("\x01x\x0a", 3))).problem.ends_with("unknown type"));
    CHECK(read(framed(std::string("\x00\x00", 2))).problem.ends_with("no name"));
    const std::string type = std::string("\x0b:event-type\x07") + number(2, 1) + "a";
    CHECK(read(framed(type)).problem.empty());
    CHECK(read(framed(type + type)).problem.ends_with("or it repeats"));
    CHECK(read(framed(std::string("\x0b:event-type") + '\0')).problem.ends_with("type is wrong, or it repeats"));
}
