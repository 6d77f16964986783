// Names that gateways and endpoint pickers agree on, and who may say them.
//
// Sources: Gateway API inference extension, proposal 004 (endpoint picker protocol), and the request headers of its
// reference picker.
#pragma once

#include <sluice/message.hpp>

#include <string_view>

namespace sluice::ext_proc {

// The pick: an ordered comma list of "ip:port", as a header and as metadata of the namespace "envoy.lb".
inline constexpr std::string_view destination_name = "x-gateway-destination-endpoint";
// Which endpoint answered: metadata of "envoy.lb" on the headers of the response.
inline constexpr std::string_view served_name = "x-gateway-destination-endpoint-served";
// Which endpoints may be picked: metadata of "envoy.lb.subset_hint".
inline constexpr std::string_view subset_name = "x-gateway-destination-endpoint-subset";
inline constexpr std::string_view lb_namespace = "envoy.lb";
inline constexpr std::string_view subset_namespace = "envoy.lb.subset_hint";

// A header that steers a picker or its answer: from a client it would be a claim (it could pin an endpoint).
bool is_picker_header(std::string_view name);

// A picker header that is meant for the sidecar of a model server (where to prefill, encode or fetch the cache): the
// only ones that a processor may hand on to the endpoint.
bool is_sidecar_header(std::string_view name);

}  // namespace sluice::ext_proc
