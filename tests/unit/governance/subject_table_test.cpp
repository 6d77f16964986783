#include "governance/subject_table.hpp"

#include <catch2/catch.hpp>

#include <functional>

using namespace sluice;

namespace {

using word = subject_table::word;

// States below 10 are idle; a change writes what the test says.
struct policy {
    std::function<std::optional<word>(word)> next;

    bool idle(word w) const { return w < 10; }
    word fresh(word) const { return 0; }
    std::optional<word> change(word w) const { return next(w); }
};

// Subjects of one home: all want the same slot first.
constexpr std::uint64_t subject(std::uint64_t n) {
    return n << 32;
}

word state_of(subject_table& table, std::uint64_t who) {
    word seen = subject_table::busy;
    policy look{[&](word w) {
        seen = w;
        return std::optional<word>{};
    }};
    table.update(who, look);
    return seen;
}

void set(subject_table& table, std::uint64_t who, word state) {
    policy write{[=](word) { return std::optional(state); }};
    REQUIRE(table.update(who, write).what == subject_table::outcome::changed);
}

}  // namespace

TEST_CASE("subjects of one home keep their own states") {
    subject_table table(1);
    for (std::uint64_t i = 1; i <= subject_table::window; ++i) set(table, subject(i), 100 + i);
    for (std::uint64_t i = 1; i <= subject_table::window; ++i) CHECK(state_of(table, subject(i)) == 100 + i);
}

TEST_CASE("a subject whose change was declined is not entered") {
    subject_table table(1);
    policy never{[](word) { return std::optional<word>{}; }};
    for (std::uint64_t i = 1; i <= 1000; ++i) {
        CHECK(table.update(subject(i), never).what == subject_table::outcome::declined);
    }
    set(table, subject(1), 100);
}

TEST_CASE("who is taken over between looking and changing changes nothing of the other") {
    subject_table table(1);
    set(table, subject(1), 5);  // idle: its slot may go
    int calls = 0;
    policy late{[&](word w) {
        if (++calls == 1) set(table, subject(2), 100);  // takes the slot right now
        return std::optional<word>(w + 50);
    }};
    CHECK(table.update(subject(1), late).what == subject_table::outcome::changed);
    CHECK(calls > 1);
    CHECK(state_of(table, subject(2)) == 100);
    CHECK(state_of(table, subject(1)) == 50);  // a new start in another slot
}

TEST_CASE("a state that changes between looking and changing is looked at again") {
    subject_table table(1);
    set(table, subject(1), 100);
    int calls = 0;
    policy late{[&](word w) {
        if (++calls == 1) set(table, subject(1), 200);
        return std::optional<word>(w + 1);
    }};
    table.update(subject(1), late);
    CHECK(calls >= 2);
    CHECK(state_of(table, subject(1)) == 201);
}
