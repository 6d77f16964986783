// Which header fields a processor is shown.
#pragma once

#include <sluice/config.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace sluice::ext_proc {

// By globs in lower case. What clients prove themselves with (Authorization, Cookie, x-api-key, ...) is for the gateway
// alone, and is shown only where `allow` has its very name.
struct shown_headers {
    std::vector<std::string> allow;  // only these; empty: all
    std::vector<std::string> deny;   // not these

    // Of pseudo headers always.
    bool shows(std::string_view name) const;
};
void read(config_reader& r, shown_headers& c);

}  // namespace sluice::ext_proc
