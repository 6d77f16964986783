// The life of a model's name: from a draft that few may see to a name that leads elsewhere or nowhere.
//
//   draft     only callers that `preview` names may use it; for all others it does not exist
//   active    everybody who may use it
//   draining  who stays with it keeps it, everybody else gets the successor
//   retired   the successor under its old name, or 410
#pragma once

#include <sluice/config.hpp>
#include <sluice/exchange.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::routing {

enum class model_state : std::uint8_t { draft, active, draining, retired };

struct life_config {
    model_state state = model_state::active;
    std::vector<std::string> preview;  // of a draft: globs of key ids and tenants that may use it
    std::string successor;             // the model that serves instead; empty: none
    // The days (UTC) from which the model is deprecated, and from which it will not be served. Told to clients.
    std::optional<std::chrono::sys_days> deprecated, sunset;
};
// Reads its keys from the model's own section.
void read(config_reader& r, life_config& c);

// "2027-01-31"; nothing for any other form, and for a day that does not exist.
std::optional<std::chrono::sys_days> parse_day(std::string_view text);
std::string day_text(std::chrono::sys_days day);

// Does the model exist for this caller? All but drafts do for everybody.
bool may_see(const life_config& life, const identity& caller);
// How the file spells a state.
std::string_view name_of(model_state s);

// The values of two response headers for a time.
std::string deprecation_value(std::chrono::sys_days since);  // RFC 9745: "@1785542400"
std::string sunset_value(std::chrono::sys_days from);        // RFC 8594: "Sun, 31 Jan 2027 00:00:00 GMT"

}  // namespace sluice::routing
