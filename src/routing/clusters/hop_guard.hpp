// Requests that gateways send on to each other must not go round in circles: each says how many have sent it on.
#pragma once

#include <sluice/message.hpp>
#include <sluice/result.hpp>

#include <string_view>

namespace sluice::clusters {

inline constexpr std::string_view hops_header = "sluice-hops";
inline constexpr int hops_most = 15;

// Takes the header out of a request. 0 without one. A client that sets it keeps its request from being sent on, and
// gains nothing. Error: bad_request for what is no number up to hops_most.
result<int> take_hops(header_list& headers);

}  // namespace sluice::clusters
