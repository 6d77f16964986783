#include "picker/generators.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

using namespace sluice::picker_bench;

namespace {

std::size_t shared(const request& a, const request& b) {
    std::size_t n = 0;
    while (n < a.blocks.size() && n < b.blocks.size() && a.blocks[n] == b.blocks[n]) ++n;
    return n;
}

// A file that goes with the test.
struct temporary_file {
    explicit temporary_file(const std::string& text)
        : path(std::filesystem::temp_directory_path() / ("sluice-trace-" + std::to_string(::getpid()))) {
        std::ofstream(path) << text;
    }
    ~temporary_file() { std::filesystem::remove(path); }
    std::filesystem::path path;
};

}  // namespace

TEST_CASE("requests of a group share the system prompt's blocks, questions asked again the whole prompt's") {
    const workload w = shared_prefix({.groups = 3, .questions = 2, .seconds = 2}, 1);
    std::set<std::size_t> lengths;
    for (const request& a : w.requests)
        for (const request& b : w.requests)
            if (&a != &b) lengths.insert(shared(a, b));
    CHECK(lengths == std::set<std::size_t>{0, 6'000 / 64, 7'200 / 64});
    // Each prompt once, before anything is measured.
    for (std::size_t i = 0; i < w.requests.size(); ++i) CHECK(w.requests[i].measured == (i >= 6));
}

TEST_CASE("arrivals come at the rate that was asked for") {
    const workload w = no_reuse({.rate = 50, .seconds = 100}, 1);
    CHECK(w.requests.size() > 4'700);
    CHECK(w.requests.size() < 5'300);
    CHECK(w.requests.back().at_s < 100);
    CHECK(shared(w.requests[0], w.requests[1]) == 0);
}

TEST_CASE("the first group of Zipf's law is asked for as often as it says") {
    const workload w = zipf_groups({.groups = 50, .exponent = 1, .rate = 100, .seconds = 50}, 1);
    std::map<std::uint64_t, double> asked;
    for (const request& r : w.requests) asked[r.blocks.front()] += 1;
    double most = 0, harmonic = 0;
    for (const auto& [name, n] : asked) most = std::max(most, n);
    for (int i = 1; i <= 50; ++i) harmonic += 1.0 / i;
    CHECK(most / static_cast<double>(w.requests.size()) == Approx(1 / harmonic).epsilon(0.1));
}

TEST_CASE("a turn's prompt begins with all of the turn before, its answer included") {
    const workload w = chat({.rate = 2, .seconds = 20, .turns = 4}, 1);
    std::size_t turns = 0;
    for (const request& r : w.requests) {
        if (r.follows == request::nothing) continue;
        const request& before = w.requests.at(static_cast<std::size_t>(r.follows));
        CHECK(shared(before, r) == before.blocks.size());
        CHECK(r.session == before.session);
        CHECK(r.prompt_tokens > before.prompt_tokens + before.output_tokens);
        CHECK(r.blocks.size() == (r.prompt_tokens + r.output_tokens) / block_tokens);
        ++turns;
    }
    CHECK(turns > 0);
}

TEST_CASE("traffic follows from its seed") {
    const auto times = [](std::uint64_t seed) {
        std::vector<double> t;
        for (const request& r : chat({.seconds = 10}, seed).requests) t.push_back(r.at_s);
        return t;
    };
    CHECK(times(1) == times(1));
    CHECK(times(1) != times(2));
}

TEST_CASE("a trace's blocks of 512 tokens become 8 of ours, and what shared them shares them still") {
    const temporary_file file(R"({"timestamp": 0, "input_length": 1100, "output_length": 100, "hash_ids": [0, 1, 2]}
{"timestamp": 6000, "input_length": 1030, "output_length": 5, "hash_ids": [0, 7, 8]}
)");
    const auto w = trace(file.path, {.speed = 2}, 1);
    REQUIRE(w);
    REQUIRE(w->requests.size() == 2);
    CHECK(w->requests[0].blocks.size() == 1'200 / 64);
    CHECK(shared(w->requests[0], w->requests[1]) == 8);
    CHECK(w->requests[1].at_s >= 3);
    CHECK(w->requests[1].at_s < 4.5);
    CHECK(w->requests[1].output_tokens == 5);
}

TEST_CASE("a trace that is not there is nothing, and one that is no trace is an error") {
    CHECK(!trace("/nowhere/trace.jsonl", {}, 1));
    const temporary_file short_of_ids(
        R"({"timestamp": 0, "input_length": 1100, "output_length": 100, "hash_ids": [0]})");
    CHECK_THROWS(trace(short_of_ids.path, {}, 1));
    const temporary_file no_json("timestamp,input_length\n0,1\n");
    CHECK_THROWS(trace(no_json.path, {}, 1));
    const temporary_file empty("");
    CHECK_THROWS(trace(empty.path, {}, 1));
}
