// What a gateway tells others of the load of one of its pools: sums over the servers that can take requests.
#pragma once

#include <sluice/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::clusters {

struct cluster_report {
    std::int64_t servers = 0;          // ready; 0: it can serve nothing
    std::int64_t inflight = 0;         // requests there
    std::int64_t queued = 0;           // requests that wait in the gateway
    std::int64_t prefill_tokens = 0;   // prompt tokens still to compute
    std::int64_t context_tokens = 0;   // prompt and half the expected answer, of all under way
    double step_s = 0.009;             // of one server, as it was learned: a step,
    double prefill_token_s = 6.28e-5;  // and a prompt token in it
};

// {"servers":8,"inflight":31,"queued":0,"prefill_tokens":12000,"context_tokens":410000,"step_us":9000,
//  "prefill_token_us":62.8}
std::string write(const cluster_report& r);
// Error: bad_request for anything else. Members that are not known are passed over.
result<cluster_report> read_cluster_report(std::string_view json);

}  // namespace sluice::clusters
