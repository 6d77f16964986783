#include "dialects/anthropic/base64.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <string_view>

using namespace sluice::chat::anthropic;

namespace {

std::string decoded(std::string_view chars) {
    std::string out = "<";  // what stands there stays
    return decode_base64(chars, out) ? out : "refused";
}

}  // namespace

TEST_CASE("base64 is read with and without padding, and with slashes that JSON escapes", "[dialects][anthropic]") {
    CHECK(decoded("") == "<");
    CHECK(decoded("Zg==") == "<f");
    CHECK(decoded("Zg") == "<f");
    CHECK(decoded("Zm8=") == "<fo");
    CHECK(decoded("Zm9v") == "<foo");
    CHECK(decoded("Zm9vYmFy") == "<foobar");
    CHECK(decoded("\\/\\/8=") == "<\xff\xff");
    CHECK(decoded("//8=") == "<\xff\xff");
}

TEST_CASE("what is not base64 is refused", "[dialects][anthropic]") {
    for (const std::string_view chars : {"Z", "Zm9vZ", "Zm 9v", "Zm9-", "Zg==Zg==", "Zg\\", "\\u0041AAA"}) {
        INFO(chars);
        CHECK(decoded(chars) == "refused");
    }
}
