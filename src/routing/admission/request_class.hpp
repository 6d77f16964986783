// What a request is to the pool: how urgent, on whose account, and what was promised.
#pragma once

#include "routing/admission/admission_config.hpp"
#include "routing/picker/request_features.hpp"

#include <sluice/exchange.hpp>

namespace sluice::admission {

struct request_class {
    int priority = 0;         // 0 to 7, higher first
    std::string tenant = {};  // whose share it is taken from; empty: that of all who have no name
    bool sheddable = false;
    double ttft_slo_s = 0, tpot_slo_s = 0;  // 0: no such promise
};

// From headers and configuration. Of each pair of names the first one is taken when both are there:
//   x-llm-d-slo-ttft-ms, x-slo-ttft-ms                                    milliseconds, fractions allowed
//   x-llm-d-slo-tpot-ms, x-slo-tpot-ms
//   x-llm-d-inference-fairness-id, x-gateway-inference-fairness-id        only with trust_headers
//   x-llm-d-inference-objective, x-gateway-inference-objective            likewise
// A client's promise replaces the class's: it binds nobody but the client's own request. Error: bad_request, with the
// header as `param`, for a header that is there twice, a number that is none or out of range, a name that is too long.
result<request_class> classify(const header_list& headers, const identity& caller, const admission_config& c);

// The class's promises, for the picker.
void promise(const request_class& c, picker::request_features& f);

// What a fair share is counted in: prompt tokens to compute, and those of the answer twice, as each takes a step of
// its own (the weights of VTC: Sheng et al., "Fairness in Serving Large Language Models", OSDI 2024).
std::int64_t fair_tokens(double uncached_tokens, double output_tokens);

// Takes the above headers out of a request: they are for us, and would steer what stands behind us.
header_list take_class_headers(header_list& headers);
// Of those taken, what a picker outside may see: promises, and with trust_headers the rest.
header_list class_headers_for_picker(const header_list& taken, bool trusted);

}  // namespace sluice::admission
