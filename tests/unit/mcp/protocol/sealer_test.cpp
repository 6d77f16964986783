#include "mcp/protocol/sealer.hpp"

#include <catch2/catch.hpp>

namespace sluice::mcp {
namespace {
const std::chrono::system_clock::time_point now{std::chrono::hours(500'000)};
const auto later = now + std::chrono::hours(1);
}  // namespace

TEST_CASE("a sealed text opens with the same key, purpose and binding") {
    const sealer key(secret("shared")), replica(secret("shared")), other(secret("another"));
    const std::string sealed = key.seal("state", "tenant", "a text", later);
    CHECK(sealed.find("a text") == std::string::npos);
    CHECK(replica.open("state", "tenant", sealed, now) == "a text");
    CHECK_FALSE(other.open("state", "tenant", sealed, now).has_value());
    CHECK_FALSE(key.open("session", "tenant", sealed, now).has_value());
    CHECK_FALSE(key.open("state", "somebody else", sealed, now).has_value());
}

TEST_CASE("a sealed text expires") {
    const sealer key(secret{});
    const std::string sealed = key.seal("state", "", "", later);
    CHECK(key.open("state", "", sealed, later) == "");
    CHECK_FALSE(key.open("state", "", sealed, later + std::chrono::seconds(1)).has_value());
}

TEST_CASE("no changed byte of a sealed text passes") {
    const sealer key(secret{});
    const std::string sealed = key.seal("state", "x", "hello", later);
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        std::string changed = sealed;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        INFO(i);
        CHECK_FALSE(key.open("state", "x", changed, now).has_value());
        CHECK_FALSE(key.open("state", "x", std::string_view(sealed).substr(0, i), now).has_value());
    }
}

TEST_CASE("two seals of one text differ") {
    const sealer key(secret{});
    CHECK(key.seal("state", "", "x", later) != key.seal("state", "", "x", later));
}

}  // namespace sluice::mcp
