#include "http/hop_by_hop.hpp"

#include "base/ascii.hpp"
#include "http/field_list.hpp"

#include <optional>

namespace sluice::http {
namespace {

std::optional<std::string_view> connection_value(const header_list& headers, std::size_t index) {
    for (const auto field : headers) {
        if (ascii::token_equals(field.name, "connection") && index-- == 0) return field.value;
    }
    return std::nullopt;
}

void remove_named(header_list& headers) {
    // Removing moves the fields but not their text. Connection fields themselves stay until the end, so that
    // the i-th is still the i-th.
    for (std::size_t i = 0;; ++i) {
        const auto value = connection_value(headers, i);
        if (!value) return;
        std::string_view rest = *value;
        std::string_view name;
        while (next_element(rest, name)) {
            // "close" names no field, and the known ones go anyway.
            if (!equals_lower(name, "close") && !is_hop_by_hop(name)) headers.remove(name);
        }
    }
}

}  // namespace

bool is_hop_by_hop(std::string_view name) {
    if (name.size() > 6 && name[5] == '-' && equals_lower(name.substr(0, 6), "proxy-")) return true;
    switch (name.size()) {
        case 2:
            return ascii::token_equals(name, "te");
        case 6:
            return ascii::token_equals(name, "expect");
        case 7:
            return ascii::token_equals(name, "trailer") || ascii::token_equals(name, "upgrade");
        case 10:
            return ascii::token_equals(name, "connection") || ascii::token_equals(name, "keep-alive");
        case 14:
            return ascii::token_equals(name, "content-length") || ascii::token_equals(name, "http2-settings");
        case 17:
            return ascii::token_equals(name, "transfer-encoding");
        default:
            return false;
    }
}

void remove_hop_by_hop(header_list& headers) {
    remove_named(headers);
    headers.remove_if([](const header_list::field& f) { return is_hop_by_hop(f.name); });
}

void remove_nominated(header_list& headers) {
    remove_named(headers);
    headers.remove("connection");
}

}  // namespace sluice::http
