// Admission to a pool of model servers, as the configuration spells it.
#pragma once

#include "routing/admission/capacity.hpp"
#include "routing/admission/fair_queue.hpp"

#include <sluice/config.hpp>

#include <string>
#include <vector>

namespace sluice::admission {

// What some requests are to the pool. A rule matches when all that is given matches; the first that matches counts.
struct class_rule_config {
    std::vector<std::string> keys = {}, tenants = {};  // globs of the caller's key and tenant
    std::string objective = {};                        // name of an objective that a trusted client sets in a header
    int priority = 4;                                  // 0 to 7, higher first
    bool sheddable = false;                            // may be refused rather than come late
    std::chrono::milliseconds ttft_slo{0};             // first token within; 0: no such promise
    std::chrono::milliseconds tpot_slo{0};             // each further one within; 0: no such promise
};
void read(config_reader& r, class_rule_config& c);

struct capacity_config {
    bool learn = true;  // else an endpoint takes `max` requests
    capacity_options values;
    bool operator==(const capacity_config&) const = default;
};
void read(config_reader& r, capacity_config& c);

struct queue_config {
    bool enabled = true;  // else those that find every endpoint busy are refused
    queue_options values;
};
void read(config_reader& r, queue_config& c);

struct admission_config {
    // Believes x-llm-d-inference-fairness-id and x-llm-d-inference-objective of clients: with either a client chooses
    // its own share. Behind another gateway that sets them, not at the edge.
    bool trust_headers = false;
    std::vector<class_rule_config> classes;
    class_rule_config otherwise;  // of requests that no rule matches
    queue_config queue;
    capacity_config capacity;
};
// The section `admission` of a pool.
void read(config_reader& r, admission_config& c);

}  // namespace sluice::admission
