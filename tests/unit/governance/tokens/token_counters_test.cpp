#include "governance/tokens/token_counters.hpp"

#include "unit/config/support.hpp"
#include "unit/governance/tokens/rank_files.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::tokens;
using config::testing::temporary_folder;

TEST_CASE("The encodings whose rank files are there can be counted") {
    const temporary_folder folder;
    folder.write("cl100k_base.tiktoken", rank_file({"ab"}));
    const auto counters = token_counters::load(folder.path(""));
    REQUIRE(counters.has_value());
    CHECK((*counters)->find(encoding::o200k_base) == nullptr);
    REQUIRE((*counters)->find(encoding::cl100k_base) != nullptr);
    CHECK((*counters)->find(encoding::cl100k_base)->count("abc") == 2);
}

TEST_CASE("A folder without rank files, and one with a file that is none, are errors that say where") {
    const temporary_folder folder;
    const auto none = token_counters::load(folder.path(""));
    REQUIRE_FALSE(none.has_value());
    CHECK(none.error().message.find(folder.path("")) != std::string::npos);
    folder.write("o200k_base.tiktoken", "IQ== 0\nIg== one\n");
    const auto bad = token_counters::load(folder.path(""));
    REQUIRE_FALSE(bad.has_value());
    CHECK(bad.error().message.find("o200k_base.tiktoken: line 2: ") != std::string::npos);
}
