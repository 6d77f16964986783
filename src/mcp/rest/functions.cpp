#include "mcp/rest/functions.hpp"

#include "base/nearest.hpp"

#include <array>
#include <vector>

namespace sluice::mcp::rest {

namespace {

std::array<std::span<const function>, 4> all() {
    return {logic_functions(), data_functions(), text_functions(), other_functions()};
}

}  // namespace

const function* find_function(std::string_view name) {
    for (const auto part : all()) {
        for (const function& f : part) {
            if (f.name == name) return &f;
        }
    }
    return nullptr;
}

std::string function_hint(std::string_view name) {
    std::vector<std::string_view> names;
    for (const auto part : all()) {
        for (const function& f : part) names.push_back(f.name);
    }
    return did_you_mean(name, names);
}

}  // namespace sluice::mcp::rest
