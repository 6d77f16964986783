#include <catch2/catch.hpp>

#include "base/nearest.hpp"

#include <vector>

using namespace sluice;

TEST_CASE("a misspelt name finds the one that was meant") {
    const std::vector<std::string> names{"openai", "azure", "anthropic"};
    CHECK(nearest("opnai", names) == "openai");
    CHECK(nearest("OpenAI", names) == "openai");
    CHECK(nearest("antropic", names) == "anthropic");
    CHECK(nearest("auzre", names) == "azure");  // a swap is one mistake
    CHECK_FALSE(nearest("gemini", names));
    CHECK_FALSE(nearest("", names));
    CHECK_FALSE(nearest("openai", std::vector<std::string>{}));
}

TEST_CASE("short names do not match whatever is short") {
    const std::vector<std::string> names{"on", "url", "key"};
    CHECK(nearest("uri", names) == "url");
    CHECK_FALSE(nearest("abc", names));
    CHECK_FALSE(nearest("xy", names));
}

TEST_CASE("the closest candidate wins, the first of equals") {
    const std::vector<std::string> names{"timeouts", "timeout", "time_out"};
    CHECK(nearest("timeot", names) == "timeout");
    CHECK(nearest("adres", std::vector<std::string>{"address", "adress", "adrest"}) == "adress");
}

TEST_CASE("the distance counts inserted, removed, replaced and swapped letters") {
    CHECK(edit_distance("kitten", "sitting", 9) == 3);
    CHECK(edit_distance("ab", "ba", 9) == 1);
    CHECK(edit_distance("", "abc", 9) == 3);
    CHECK(edit_distance("abc", "abc", 0) == 0);
    CHECK(edit_distance("abc", "xyz", 1) == 2);  // limit + 1: too far
}

TEST_CASE("names of hostile length are not compared") {
    const std::string huge(1'000'000, 'a');
    CHECK_FALSE(nearest(huge, std::vector<std::string>{huge}));
    CHECK_FALSE(nearest("aaaa", std::vector<std::string>{huge}));
    CHECK(did_you_mean("opnai", std::vector<std::string>{"openai"}) == "; did you mean \"openai\"?");
    CHECK(did_you_mean("x", std::vector<std::string>{"openai"}).empty());
}
