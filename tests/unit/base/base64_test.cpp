#include "base/base64.hpp"

#include <catch2/catch.hpp>

using namespace sluice;

TEST_CASE("base64 with padding is read strictly") {
    CHECK(base64_decode("") == "");
    CHECK(base64_decode("Zg==") == "f");
    CHECK(base64_decode("Zm8=") == "fo");
    CHECK(base64_decode("Zm9vYmFy") == "foobar");
    CHECK(base64_decode("+/8=") == "\xfb\xff");
    for (const char* bad : {"Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Z===", "====", "-_8=", "Zm8= ", "Z m8", "Zg==Zg=="})
        CHECK_FALSE(base64_decode(bad).has_value());
}
