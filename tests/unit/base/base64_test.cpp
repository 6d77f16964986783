#include "base/base64.hpp"

#include <catch2/catch.hpp>

using namespace sluice;

TEST_CASE("base64 is written with + and / and padded to four") {
    CHECK(base64_encode("").empty());
    CHECK(base64_encode("f") == "Zg==");
    CHECK(base64_encode("fo") == "Zm8=");
    CHECK(base64_encode("foo") == "Zm9v");
    CHECK(base64_encode("foobar") == "Zm9vYmFy");
    CHECK(base64_encode("\xfb\xff") == "+/8=");
    CHECK(base64_encode({"\0\0\0", 3}) == "AAAA");
}

TEST_CASE("base64 without padding is written with - and _") {
    CHECK(base64url_encode("f") == "Zg");
    CHECK(base64url_encode("foob") == "Zm9vYg");
    CHECK(base64url_encode("\xfb\xff") == "-_8");
}

TEST_CASE("base64 with padding is read strictly") {
    CHECK(base64_decode("") == "");
    CHECK(base64_decode("Zg==") == "f");
    CHECK(base64_decode("Zm8=") == "fo");
    CHECK(base64_decode("Zm9vYmFy") == "foobar");
    CHECK(base64_decode("+/8=") == "\xfb\xff");
    for (const char* bad : {"Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Z===", "====", "-_8=", "Zm8= ", "Z m8", "Zg==Zg=="})
        CHECK_FALSE(base64_decode(bad).has_value());
}
