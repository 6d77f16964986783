#include "routing/ext_proc/header_mutation.hpp"

#include "http/hop_by_hop.hpp"
#include "routing/ext_proc/picker_headers.hpp"

#include <external_processor.pb.h>

#include <algorithm>
#include <charconv>
#include <system_error>

namespace sluice::ext_proc {
namespace {

using action = wire::HeaderValueOption;

// What a picker tells about itself in a reply is for the client; in a request it would be for the next picker.
bool may_touch(std::string_view name, direction way) {
    return valid_header_name(name) && !iequals(name, "host") && !http::is_hop_by_hop(name) &&
           (way == direction::response || !is_picker_header(name) || is_sidecar_header(name));
}

// Newer processors write raw_value, older ones value.
std::string_view value_of(const wire::HeaderValue& h) {
    return h.raw_value().empty() ? std::string_view{h.value()} : std::string_view{h.raw_value()};
}

bool set_pseudo(std::string_view name, std::string_view value, direction way, const session_config& config,
                message_head& head) {
    if (name == ":status" && way == direction::response && config.allow_status) {
        int status = 0;
        const auto [end, bad] = std::from_chars(value.data(), value.data() + value.size(), status);
        if (bad != std::errc{} || end != value.data() + value.size() || status < 200 || status > 599) return false;
        head.status = status;
        return true;
    }
    // Visible ASCII: it is written into the first line of a request.
    const bool plain = std::ranges::all_of(value, [](char c) { return c > 0x20 && c < 0x7f && c != '#'; });
    if (way != direction::request || value.empty() || !plain) return false;
    if (name == ":path" && config.allow_path && value.front() == '/') {
        head.path = value;
        return true;
    }
    if (name == ":authority" && config.allow_authority) {
        head.authority = value;
        return true;
    }
    return false;
}

void set_field(const wire::HeaderValueOption& option, std::string_view name, std::string_view value,
               header_list& headers) {
    // On the wire "append" and "no action at all" look alike (0), so that only `append` tells them apart.
    const bool there = headers.contains(name);
    const auto how = option.append_action();
    if (how == action::ADD_IF_ABSENT && there) return;
    if (how == action::OVERWRITE_IF_EXISTS && !there) return;
    if (how == action::APPEND_IF_EXISTS_OR_ADD && option.has_append() && option.append().value()) {
        headers.add(name, value);
    } else if (value.empty() && !option.keep_empty_value()) {
        headers.remove(name);
    } else {
        headers.set(name, value);
    }
}

bool within_limits(const wire::HeaderMutation& m, const session_limits& limits) {
    const auto count =
        static_cast<std::size_t>(m.set_headers_size()) + static_cast<std::size_t>(m.remove_headers_size());
    if (count > limits.headers_max) return false;
    std::size_t bytes = 0;
    for (const auto& name : m.remove_headers()) bytes += name.size();
    for (const auto& option : m.set_headers()) bytes += option.header().key().size() + value_of(option.header()).size();
    return bytes <= limits.header_bytes_max;
}

}  // namespace

result<mutation_outcome> apply_mutation(const wire::HeaderMutation& mutation, direction way,
                                        const session_config& config, message_head& head) {
    if (!within_limits(mutation, config.limits)) {
        return error{error_kind::upstream_protocol, "The processor changed more headers than allowed."};
    }
    mutation_outcome outcome;
    for (const std::string& name : mutation.remove_headers()) {
        if (may_touch(name, way)) {
            head.headers.remove(name);
        } else {
            ++outcome.refused;
        }
    }
    for (const auto& option : mutation.set_headers()) {
        const std::string& name = option.header().key();
        const std::string_view value = value_of(option.header());
        if (!valid_header_value(value)) {
            ++outcome.refused;
        } else if (!name.empty() && name.front() == ':') {
            if (!set_pseudo(name, value, way, config, head)) ++outcome.refused;
        } else if (way == direction::request && iequals(name, destination_name)) {
            outcome.destination = std::string{value};
        } else if (!may_touch(name, way)) {
            ++outcome.refused;
        } else {
            set_field(option, name, value, head.headers);
        }
    }
    return outcome;
}

}  // namespace sluice::ext_proc
