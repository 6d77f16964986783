#pragma once
// Appends JSON to a string: the whole of the simulator's JSON output goes through put().

#include <charconv>
#include <concepts>
#include <string>
#include <string_view>

namespace sluice::sim {

// Wraps text that is to be written as a JSON string, quotes and escapes included.
struct quoted {
    std::string_view text;
};

// Bytes that are not UTF-8 pass as they are: the simulator repeats what it was given.
void put_one(std::string& out, quoted q);
void put_one(std::string& out, double number);
inline void put_one(std::string& out, std::string_view raw) {
    out += raw;
}

// Constrained, because a string literal would rather become a bool than a string_view.
template <std::same_as<bool> B>
void put_one(std::string& out, B value) {
    out += value ? "true" : "false";
}

template <std::integral I>
    requires(!std::same_as<I, bool> && !std::same_as<I, char>)
void put_one(std::string& out, I number) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    out.append(digits, end);
}

// put(out, R"({"id":)", quoted{id}, R"(,"n":)", 3, "}"): text is copied raw, quoted text escaped.
template <class... Parts>
void put(std::string& out, const Parts&... parts) {
    (put_one(out, parts), ...);
}

}  // namespace sluice::sim
