#include "routing/ext_proc/request_messages.hpp"

#include "http/hop_by_hop.hpp"
#include "routing/ext_proc/picker_headers.hpp"

#include <external_processor.pb.h>

#include <algorithm>

namespace sluice::ext_proc {
namespace {

// Where Envoy puts the attributes of a request, under the name of its filter.
constexpr std::string_view attributes_namespace = "envoy.filters.http.ext_proc";

wire::BodySendMode wire_mode(body_mode m) {
    switch (m) {
        case body_mode::none:
            return wire::BODY_NONE;
        case body_mode::streamed:
            return wire::BODY_STREAMED;
        case body_mode::buffered:
            return wire::BODY_BUFFERED;
        case body_mode::full_duplex:
            return wire::BODY_FULL_DUPLEX_STREAMED;
    }
    return wire::BODY_NONE;
}

void add(wire::HeaderMap& map, std::string_view name, std::string_view value) {
    auto& h = *map.add_headers();
    std::string lower{name};
    std::ranges::transform(lower, lower.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
    h.set_key(std::move(lower));
    h.set_raw_value(value.data(), value.size());
}

void add_fields(wire::HeaderMap& map, const header_list& fields, const shown_headers& shown) {
    for (const auto f : fields) {
        // Content-Length tells a processor what to expect, and is the one field of the framing that it is shown.
        const bool passes = !http::is_hop_by_hop(f.name) || iequals(f.name, "content-length");
        if (passes && shown.shows(f.name)) add(map, f.name, f.value);
    }
}

void add_context(wire::ProcessingRequest& m, const message_context& c) {
    if (c.config.observe_only) m.set_observability_mode(true);
    if (!c.first) return;
    auto& protocol = *m.mutable_protocol_config();
    protocol.set_request_body_mode(wire_mode(c.config.request_body));
    protocol.set_response_body_mode(wire_mode(c.config.response_body));
}

void add_attributes(wire::ProcessingRequest& m, const message_head& head) {
    if (head.attributes.empty()) return;
    auto& fields = *(*m.mutable_attributes())[std::string{attributes_namespace}].mutable_fields();
    for (const auto& [name, value] : head.attributes) fields[name].set_string_value(value);
}

void add_subset(wire::ProcessingRequest& m, std::span<const std::string> subset) {
    if (subset.empty()) return;
    auto& hint = (*m.mutable_metadata_context()->mutable_filter_metadata())[std::string{subset_namespace}];
    auto& list = *(*hint.mutable_fields())[std::string{subset_name}].mutable_list_value();
    for (const std::string& endpoint : subset) list.add_values()->set_string_value(endpoint);
}

}  // namespace

std::string request_headers_message(const message_head& head, bool last, const message_context& c) {
    wire::ProcessingRequest m;
    auto& map = *m.mutable_request_headers()->mutable_headers();
    add(map, ":method", head.method);
    add(map, ":scheme", head.scheme);
    add(map, ":authority", head.authority);
    add(map, ":path", head.path);
    add_fields(map, head.headers, c.config.headers);
    m.mutable_request_headers()->set_end_of_stream(last);
    add_subset(m, c.subset);
    add_attributes(m, head);
    add_context(m, c);
    return m.SerializeAsString();
}

std::string request_body_message(std::string_view bytes, bool last, const message_context& c) {
    wire::ProcessingRequest m;
    m.mutable_request_body()->set_body(bytes.data(), bytes.size());
    m.mutable_request_body()->set_end_of_stream(last);
    if (last) add_subset(m, c.subset);
    add_context(m, c);
    return m.SerializeAsString();
}

std::string response_headers_message(const message_head& head, bool last, std::string_view served,
                                     const message_context& c) {
    wire::ProcessingRequest m;
    auto& map = *m.mutable_response_headers()->mutable_headers();
    add(map, ":status", std::to_string(head.status));
    add_fields(map, head.headers, c.config.headers);
    m.mutable_response_headers()->set_end_of_stream(last);
    if (!served.empty()) {
        auto& lb = (*m.mutable_metadata_context()->mutable_filter_metadata())[std::string{lb_namespace}];
        (*lb.mutable_fields())[std::string{served_name}].set_string_value(served.data(), served.size());
    }
    add_context(m, c);
    return m.SerializeAsString();
}

std::string response_body_message(std::string_view bytes, bool last, const message_context& c) {
    wire::ProcessingRequest m;
    m.mutable_response_body()->set_body(bytes.data(), bytes.size());
    m.mutable_response_body()->set_end_of_stream(last);
    add_context(m, c);
    return m.SerializeAsString();
}

}  // namespace sluice::ext_proc
