// What an unquoted YAML scalar means, and the values that are written as text.
//
// YAML 1.1 and 1.2 disagree about `on`, `012`, `1:30` and more, and tools disagree with both. Here true and
// false are booleans, JSON's numbers are numbers, and whatever another YAML reader could take for something
// else than the text it shows is refused with a hint.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::config {

enum class plain_kind : std::uint8_t {
    text,
    boolean,  // true, false
    integer,  // 0, -12, 4096
    number,   // 1.5, -2e3
    // Traps: what some YAML reader takes for a boolean, a number or null.
    old_boolean,  // on off yes no y n in three spellings, True, TRUE
    old_number,   // 012 0o14 0x1f 0b1 1:30 1_000 +5 .5 5. .inf .nan
};

struct plain_meaning {
    plain_kind kind = plain_kind::text;
    std::string hint;  // of a trap: what to write where its own type is expected
};
plain_meaning classify(std::string_view plain);

// "250ms", "30s", "5m", "2h", "1d", also "1.5s"; at most 100 years. Nothing for anything else.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
// "8MiB", "64KiB", "500MB", "1.5GB", "100B", "4096". Nothing for anything else.
std::optional<std::uint64_t> parse_size(std::string_view text);

// The shortest exact spelling: 1500 -> "1500ms", 60000 -> "1m".
std::string spell_duration(std::chrono::milliseconds d);
std::string spell_size(std::uint64_t bytes);

}  // namespace sluice::config
