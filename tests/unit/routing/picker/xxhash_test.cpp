#include "routing/picker/xxhash.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace sluice::picker;

TEST_CASE("the hash gives the published values") {
    CHECK(xxh64("") == 0xef46db3751d8e999);
    CHECK(xxh64("a") == 0xd24ec4f1a98c6e5b);
    CHECK(xxh64("abc") == 0x44bc2cf5ad770999);
    CHECK(xxh64("Nobody inspects the spammish repetition") == 0xfbcea83c8a378bf1);
}

TEST_CASE("a text in two pieces, cut anywhere, has the hash of the whole") {
    std::string text;
    for (int i = 0; i < 700; ++i) text += static_cast<char>(i * 7);
    const auto whole = xxh3(text);
    xxh3_stream s;
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        s.add(std::string_view(text).substr(0, cut));
        s.add(std::string_view(text).substr(cut));
        REQUIRE(s.digest() == whole);
    }
}

TEST_CASE("the hash of texts gives the published values") {
    CHECK(xxh3("") == 0x2d06800538d394c2);
}

TEST_CASE("another seed gives another hash") {
    CHECK(xxh64("abc", 1) != xxh64("abc"));
}
