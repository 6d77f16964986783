#include "routing/ext_proc/shown_headers.hpp"

#include "base/glob.hpp"
#include "http/reserved_header.hpp"

#include <algorithm>

namespace sluice::ext_proc {
namespace {

bool any_matches(const std::vector<std::string>& globs, std::string_view name) {
    return std::ranges::any_of(globs, [&](const std::string& g) { return glob_match(g, name); });
}

void lower(std::string& text) {
    std::ranges::transform(text, text.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
}

}  // namespace

void read(config_reader& r, shown_headers& c) {
    r.field("allow", c.allow, "Only these, as globs; Authorization, Cookie and the like only by their very name.");
    r.field("deny", c.deny, "Not these, as globs.");
    for (std::string& name : c.allow) lower(name);
    for (std::string& name : c.deny) lower(name);
}

bool shown_headers::shows(std::string_view name) const {
    std::string plain{name};
    lower(plain);
    if (any_matches(deny, plain)) return false;
    if (http::credential_header(plain)) return std::ranges::find(allow, plain) != allow.end();
    return allow.empty() || any_matches(allow, plain);
}

}  // namespace sluice::ext_proc
