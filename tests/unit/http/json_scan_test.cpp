#include "http/json_scan.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <string>

using namespace sluice::http;

namespace {

bool short_escape(char c) {
    return std::string_view{"\"\\/bfnrt"}.find(c) != std::string_view::npos;
}

// What skip_string_text() says of itself, byte by byte.
json_text_run plainly(std::string_view t) {
    json_text_run run{t.data(), true, false};
    std::size_t i = 0;
    while (i < t.size() && t[i] != '"' && static_cast<unsigned char>(t[i]) >= 0x20) {
        if (t[i] == '\\') {
            if (i + 1 == t.size() || !short_escape(t[i + 1])) break;
            run.escaped = true;
            ++i;
        }
        run.ascii = run.ascii && static_cast<unsigned char>(t[i]) < 0x80;
        ++i;
    }
    run.stop = t.data() + i;
    return run;
}

void check_same(const std::string& text) {
    const json_text_run want = plainly(text), got = skip_string_text(text.data(), text.data() + text.size());
    CAPTURE(text);
    REQUIRE(got.stop - text.data() == want.stop - text.data());
    REQUIRE(got.ascii == want.ascii);
    REQUIRE(got.escaped == want.escaped);
    if (const char* const quote = short_string_end(text.data(), text.data() + text.size())) {
        REQUIRE(quote == want.stop);
        REQUIRE(*quote == '"');
        REQUIRE((want.ascii && !want.escaped));
    } else {
        const bool is_short = text.size() >= 16 && want.stop - text.data() < 16 && *want.stop == '"';
        REQUIRE_FALSE((is_short && want.ascii && !want.escaped));
    }
}

}  // namespace

TEST_CASE("the end of a string is found wherever it stands") {
    for (const char* const end :
         {"\"", "\x01", "\\u0041", "\\x", "\\", "\\\"\"", "\\\\\"", "\xc3\xa9\"", "\"\xc3\xa9"}) {
        for (std::size_t before = 0; before < 200; ++before) {
            check_same(std::string(before, 'a') + end);
            check_same(std::string(before, 'a') + end + std::string(150, 'b'));
        }
    }
}

TEST_CASE("escapes that straddle blocks are passed, backslashes in pairs") {
    for (std::size_t before = 0; before < 70; ++before) {
        for (std::size_t slashes = 1; slashes < 140; ++slashes) {
            check_same(std::string(before, 'a') + std::string(slashes, '\\') + "n" + std::string(80, 'b') + '"');
            check_same(std::string(before, 'a') + std::string(slashes, '\\') + '"' + std::string(80, 'b') + '"');
        }
    }
}

TEST_CASE("random text is scanned as byte by byte") {
    std::mt19937 random(7);
    const std::string_view alphabet = "abcdefgh\\\\\\nnt\"u\xc3\x1f";
    for (int round = 0; round < 20'000; ++round) {
        std::string text(random() % 400, 'x');
        const unsigned rarity = 1 + random() % 60;
        for (char& c : text) {
            if (random() % rarity == 0) c = alphabet[random() % alphabet.size()];
        }
        check_same(text);
    }
}
