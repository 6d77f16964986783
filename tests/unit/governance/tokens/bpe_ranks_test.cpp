#include "governance/tokens/bpe_ranks.hpp"

#include "support/results.hpp"
#include "unit/governance/tokens/rank_files.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::tokens;

namespace {

std::string problem_of(const std::string& file) {
    const auto ranks = bpe_ranks::parse(file);
    return ranks ? "none" : ranks.error().message;
}

// What is wrong with one line more.
std::string problem_with(const std::string& line) {
    return problem_of(rank_file({}) + line);
}

}  // namespace

TEST_CASE("A rank file tells which bytes are a token") {
    const auto ranks = bpe_ranks::parse(rank_file({"he", "hello", " world, this is long"}));
    REQUIRE(ranks.has_value());
    const bpe_ranks& r = **ranks;
    CHECK(r.size() == 259);
    CHECK(r.rank_of("h") == 'h');
    CHECK(r.rank_of({"\0", 1}) == 0);
    CHECK(r.rank_of("he") == 256);
    CHECK(r.rank_of("hello") == 257);
    CHECK(r.rank_of(" world, this is long") == 258);
    for (const auto other :
         {"", "hel", "hello!", "ehllo", " world, this is lonG", "longer than any token that there is"})
        CHECK(r.rank_of(other) == bpe_ranks::none);
}

TEST_CASE("The last line of a rank file may lack its end") {
    std::string file = rank_file({"he"});
    file.pop_back();
    CHECK(problem_of(file) == "none");
}

TEST_CASE("A line that is no token and rank is an error with its number") {
    CHECK(problem_with("\n") == "line 257: expected BASE64, a space and a rank");
    CHECK(problem_with("aGU=") == "line 257: expected BASE64, a space and a rank");
    for (const auto line : {" 256", "aGU 256", "a=== 256", "aG=U 256", "aGV= 256", "a\xC3\xA9U= 256", "aGU=aGU= 256"})
        CHECK(problem_with(line) == "line 257: the token is not base64");
    for (const auto line :
         {"aGU= ", "aGU= x", "aGU= -1", "aGU=  256", "aGU= 256\r", "aGU= 4294967295", "aGU= 99999999999"})
        CHECK(problem_with(line) == "line 257: the rank is no number");
}

TEST_CASE("No token and no rank comes twice") {
    CHECK(problem_with("aGU= 256\naGU= 257\n") == "line 258: the token was there before");
    CHECK(problem_with("aGU= 65\n") == "line 257: the rank was there before");
}

TEST_CASE("Every single byte must be a token, so that every text has a count") {
    CHECK(problem_of("") == "byte 0x00 is no token");
    std::string file = rank_file({});
    file.resize(file.rfind('\n', file.size() - 2) + 1);
    CHECK(problem_of(file) == "byte 0xff is no token");
}

TEST_CASE("Rank files are bounded in tokens and in the length of each") {
    CHECK(problem_with(base64(std::string(1024, 'x')) + " 256\n") == "none");
    CHECK(problem_with(base64(std::string(1025, 'x')) + " 256\n") == "line 257: the token is longer than 1024 bytes");
    CHECK(problem_with(base64(std::string(5000, 'x')) + " 256\n") == "line 257: the token is longer than 1024 bytes");

    std::string file = rank_file({});
    for (std::size_t rank = 256; rank <= rank_entries_max; ++rank)
        file += base64("#" + std::to_string(rank)) + ' ' + std::to_string(rank) + '\n';
    CHECK(problem_of(file) == "line 400001: more than 400000 tokens");
}

TEST_CASE("A rank file that cannot be read is an error") {
    CHECK_FALSE(bpe_ranks::load("/nowhere/o200k_base.tiktoken").has_value());
    CHECK_FALSE(bpe_ranks::load("/").has_value());
}

TEST_CASE("The published rank files are read whole") {
    if (const auto ranks = published(encoding::o200k_base)) {
        CHECK(ranks->size() == 199'998);
        CHECK(ranks->rank_of("hello") == 24'912);
    }
    if (const auto ranks = published(encoding::cl100k_base)) CHECK(ranks->size() == 100'256);
}
