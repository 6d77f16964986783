#include "http/hop_by_hop.hpp"

#include "http/field_list.hpp"

#include <optional>

namespace sluice::http {
namespace {

std::optional<std::string_view> connection_value(const header_list& headers, std::size_t index) {
    for (const auto field : headers) {
        if (equals_lower(field.name, "connection") && index-- == 0) return field.value;
    }
    return std::nullopt;
}

void remove_nominated(header_list& headers) {
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
    switch (name.size()) {
        case 2:
            return equals_lower(name, "te");
        case 6:
            return equals_lower(name, "expect");
        case 7:
            return equals_lower(name, "trailer") || equals_lower(name, "upgrade");
        case 10:
            return equals_lower(name, "connection") || equals_lower(name, "keep-alive");
        case 14:
            if (equals_lower(name, "content-length") || equals_lower(name, "http2-settings")) return true;
            break;
        case 17:
            if (equals_lower(name, "transfer-encoding")) return true;
            break;
        default:
            break;
    }
    return name.size() > 6 && equals_lower(name.substr(0, 6), "proxy-");
}

void remove_hop_by_hop(header_list& headers) {
    remove_nominated(headers);
    headers.remove_if([](const header_list::field& f) { return is_hop_by_hop(f.name); });
}

}  // namespace sluice::http
