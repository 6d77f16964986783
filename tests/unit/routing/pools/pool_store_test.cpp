#include "routing/pools/pool_store.hpp"

#include <catch2/catch.hpp>

#include <unistd.h>
#include <filesystem>
#include <fstream>

using sluice::routing::pool_store;

TEST_CASE("what was kept of a pool is read back, and replaced whole") {
    const auto folder = std::filesystem::temp_directory_path() / ("sluice-store-" + std::to_string(::getpid()));
    std::filesystem::remove_all(folder);
    const pool_store store((folder / "new").string());
    const auto none = store.load("fleet");
    REQUIRE(none.has_value());
    CHECK_FALSE(none->has_value());
    REQUIRE(store.save("fleet", "first").has_value());
    REQUIRE(store.save("fleet", "second").has_value());
    CHECK(**store.load("fleet") == "second");
    CHECK_FALSE(**store.load("fleet") == "first");
    std::size_t files = 0;
    for ([[maybe_unused]] const auto& f : std::filesystem::directory_iterator(folder / "new")) ++files;
    CHECK(files == 1);
    std::filesystem::remove_all(folder);
    CHECK_FALSE(pool_store("/proc/nowhere").save("fleet", "x").has_value());
}
