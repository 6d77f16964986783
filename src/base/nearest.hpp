// The name somebody probably meant: for messages about keys, providers and models that do not exist.
//
//   fmt::format("provider \"{}\" does not exist{}", name, did_you_mean(name, names));
//   -> provider "opnai" does not exist; did you mean "openai"?
//
// Offer candidates the reader of the message may know of: a client must not learn by a typo which models
// other tenants have.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sluice {

// Optimal string alignment distance: inserted, removed, replaced and swapped neighbouring bytes, letters
// compared without case. Returns limit + 1 for anything farther than `limit`, which bounds the work.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit);

// How far a name may be from what was meant: a third of its length, at least 1 and at most 4. Names longer
// than 128 bytes have no neighbours: 0, and nobody pays for comparing them.
std::size_t nearest_limit(std::string_view name);

// The candidate closest to `name`, the first of several; nothing when none is close. `candidates` is any range
// of what converts to string_view.
template <class Range>
std::optional<std::string> nearest(std::string_view name, const Range& candidates) {
    std::size_t limit = nearest_limit(name);
    std::optional<std::string> best;
    for (std::string_view candidate : candidates) {
        if (limit == 0) break;
        if (edit_distance(name, candidate, limit) > limit) continue;
        best = std::string{candidate};
        limit = edit_distance(name, candidate, limit);
        if (limit > 0) --limit;  // only closer ones from here on
    }
    return best;
}

// `; did you mean "openai"?`, or nothing.
template <class Range>
std::string did_you_mean(std::string_view name, const Range& candidates) {
    const auto best = nearest(name, candidates);
    return best ? "; did you mean \"" + *best + "\"?" : std::string{};
}

}  // namespace sluice
