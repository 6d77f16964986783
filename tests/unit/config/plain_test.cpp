#include <catch2/catch.hpp>

#include "config/plain.hpp"

using namespace sluice::config;
using std::chrono::milliseconds;

TEST_CASE("plain scalars are what JSON says, traps are what some YAML reader makes of them") {
    const auto kind = [](std::string_view s) { return classify(s).kind; };
    for (const char* s : {"true", "false"}) CHECK(kind(s) == plain_kind::boolean);
    for (const char* s : {"0", "-0", "12", "-7"}) CHECK(kind(s) == plain_kind::integer);
    for (const char* s : {"0.5", "-1.25", "1e3", "1E-3", "2.5e+10"}) CHECK(kind(s) == plain_kind::number);
    for (const char* s : {"yes", "No", "ON", "off", "y", "Y", "n", "True", "FALSE"}) {
        INFO(s);
        CHECK(kind(s) == plain_kind::old_boolean);
    }
    for (const char* s : {"012",  "00",    "-07",   "0o14",  "0x1f", "0XFF", "0b101", "1:30",        "1:30:00",
                          "-1:5", "1_000", "+5",    "+1.5",  ".5",   "5.",   "-.5",   "1_0.5",       "08",
                          "09.5", ".inf",  "-.INF", "+.inf", ".nan", ".NaN", "1.e3",  "190:20:30.15"}) {
        INFO(s);
        CHECK(kind(s) == plain_kind::old_number);
        CHECK_FALSE(classify(s).hint.empty());
    }
    for (const char* s :
         {"",    "a",    "-",          "+",    ".",   "..",    "-.",  "gpt-4o", "127.0.0.1", "127.0.0.1:8080",
          "30s", "8MiB", "2024-01-31", "1:75", "12:", "0x",    "0o",  "yess",   "12a",       "e5",
          ".e5", "1e",   "1:2:x",      "_1",   "+a",  "-.nan", "::1", "1.2.3",  "0.1.2",     "12 34",
          "*",   "1-2"}) {
        INFO(s);
        CHECK(kind(s) == plain_kind::text);
    }
    CHECK(kind("1" + std::string(10'000, '0')) == plain_kind::integer);
}

TEST_CASE("the hint of a trap is what one would write instead") {
    CHECK(classify("on").hint == "write true");
    CHECK(classify("NO").hint == "write false");
    CHECK(classify("1_000").hint == "write 1000");
    CHECK(classify("-1_000").hint == "write -1000");
    CHECK(classify("+1_0").hint == "write 10");
    CHECK(classify("-.5").hint == "write -0.5");
    CHECK(classify("5.").hint == "write 5.0");
    CHECK(classify("+7").hint == "write 7");
    CHECK(classify("09.5").hint == "write 9.5");
    CHECK(classify("00.5").hint == "write 0.5");
}

TEST_CASE("durations need their unit") {
    CHECK(parse_duration("250ms") == milliseconds{250});
    CHECK(parse_duration("30s") == milliseconds{30'000});
    CHECK(parse_duration("5m") == milliseconds{300'000});
    CHECK(parse_duration("2h") == milliseconds{7'200'000});
    CHECK(parse_duration("1d") == milliseconds{86'400'000});
    CHECK(parse_duration("1.1s") == milliseconds{1100});
    CHECK(parse_duration("0s") == milliseconds{0});
    CHECK(parse_duration("36525d").has_value());
    for (const char* s : {"", "s", "30", "-1s", "+1s", "1 s", "1S", "1min", "0.5ms", "1.s", ".5s", "01s", "1e3s",
                          "36526d", "99999999999999999999s", "1s ", "1m30s"}) {
        INFO(s);
        CHECK_FALSE(parse_duration(s));
    }
}

TEST_CASE("sizes are bytes, with decimal or binary units") {
    CHECK(parse_size("0") == 0u);
    CHECK(parse_size("4096") == 4096u);
    CHECK(parse_size("100B") == 100u);
    CHECK(parse_size("64KiB") == 65'536u);
    CHECK(parse_size("8MiB") == 8u << 20);
    CHECK(parse_size("500MB") == 500'000'000u);
    CHECK(parse_size("1.5GB") == 1'500'000'000u);
    CHECK(parse_size("2TiB") == 2ull << 40);
    for (const char* s : {"", "MiB", "8mb", "8M", "8 MiB", "-1", "1.5", "1.5B", "010", "8MiBs", "999999999TiB"}) {
        INFO(s);
        CHECK_FALSE(parse_size(s));
    }
}

TEST_CASE("durations and sizes are spelled as short as they are exact") {
    CHECK(spell_duration(milliseconds{1500}) == "1500ms");
    CHECK(spell_duration(milliseconds{60'000}) == "1m");
    CHECK(spell_duration(milliseconds{0}) == "0s");
    CHECK(spell_duration(milliseconds{172'800'000}) == "2d");
    CHECK(spell_size(0) == "0");
    CHECK(spell_size(1000) == "1000");
    CHECK(spell_size(1536) == "1536");
    CHECK(spell_size(8u << 20) == "8MiB");
}
