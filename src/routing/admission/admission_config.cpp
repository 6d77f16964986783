#include "routing/admission/admission_config.hpp"

#include <cmath>

namespace sluice::admission {
namespace {

constexpr std::size_t rules_max = 64;
constexpr double slo_max_s = 3'600;

void read_size(config_reader& r, std::string_view key, std::uint64_t& v, std::string_view doc) {
    byte_size size{v};
    r.field(key, size, doc, {.min = 1'024});
    v = size.value;
}

void read_class(config_reader& r, class_rule_config& c) {
    r.field("priority", c.priority, "0 to 7; higher goes first.", {.min = 0, .max = priorities - 1});
    r.field("sheddable", c.sheddable, "May be refused, rather than come later than its promise.");
    r.field("ttft_slo", c.ttft_slo, "Promise: the first token within this time. 0s: none.",
            {.min = 0, .max = slo_max_s});
    r.field("tpot_slo", c.tpot_slo, "Promise: each further token within this time. 0s: none.",
            {.min = 0, .max = slo_max_s});
}

// The defaults of requests that no rule matches: they have no conditions.
struct otherwise_section {
    class_rule_config& to;
};
void read(config_reader& r, otherwise_section& s) {
    read_class(r, s.to);
}

}  // namespace

void read(config_reader& r, class_rule_config& c) {
    r.field("keys", c.keys, "Globs of key ids.", {.max = rules_max});
    r.field("tenants", c.tenants, "Globs of tenants.", {.max = rules_max});
    r.field("objective", c.objective, "Name in the header x-llm-d-inference-objective, of clients that are trusted.");
    if (c.keys.empty() && c.tenants.empty() && c.objective.empty())
        r.problem("", "a class needs keys, tenants or an objective", "defaults for all others belong into `otherwise`");
    read_class(r, c);
}

void read(config_reader& r, queue_config& c) {
    queue_options& o = c.values;
    r.field("enabled", c.enabled, "Requests that find every endpoint busy wait. If not, they are refused.");
    r.field("requests", o.all.requests, "That wait at the same time.", {.min = 1, .max = 1'000'000});
    read_size(r, "bytes", o.all.bytes, "Of the bodies of all that wait.");
    r.field("requests_per_priority", o.per_priority.requests, "Of one class.", {.min = 1, .max = 1'000'000});
    read_size(r, "bytes_per_priority", o.per_priority.bytes, "Of one class.");
    r.field("requests_per_tenant", o.per_tenant.requests, "Of one tenant in one class.", {.min = 1, .max = 1'000'000});
    read_size(r, "bytes_per_tenant", o.per_tenant.bytes, "Of one tenant in one class.");
    r.field("ttl", o.ttl, "A request waits no longer.", {.min = 0.1, .max = 3'600});
    r.field("age_after", o.age_after,
            "A class whose oldest request waited so long gets a share, whatever comes above it.",
            {.min = 0, .max = 3'600});
    r.field("aged_every", o.aged_every, "That share: one of so many requests.", {.min = 2, .max = 1'000});
    r.field("hold_back", o.hold_back, "Part of the pool that priority 0 does not get in its turn; others less of it.",
            {.min = 0, .max = 0.9});
    r.field("quantum_tokens", o.quantum_tokens, "Tokens that a tenant gets before the next one's turn.",
            {.min = 64, .max = 1'000'000});
    r.field("earliest_deadline_first", o.earliest_deadline_first,
            "Among the requests of a tenant those whose promise ends first, rather than those that came first.");
    if (o.per_priority.requests > o.all.requests) r.problem("requests_per_priority", "more than `requests` in all");
    if (o.per_tenant.requests > o.per_priority.requests)
        r.problem("requests_per_tenant", "more than `requests_per_priority`");
    if (o.per_priority.bytes > o.all.bytes) r.problem("bytes_per_priority", "more than `bytes` in all");
    if (o.per_tenant.bytes > o.per_priority.bytes) r.problem("bytes_per_tenant", "more than `bytes_per_priority`");
}

void read(config_reader& r, capacity_config& c) {
    capacity_options& o = c.values;
    r.field("learn", c.learn, "Learn how many requests an endpoint can have under way; else it is `max`.");
    r.field("floor", o.floor, "Never fewer requests per endpoint.", {.min = 1, .max = 100'000});
    r.field("initial", o.initial, "Before anything was learned.", {.min = 1, .max = 100'000});
    r.field("max", o.max, "Never more: sequences that the model server runs at once.", {.min = 1, .max = 100'000});
    r.field("knee", o.knee, "Time to first token over that of an idle endpoint, up to which more requests are let in.",
            {.min = 1.1, .max = 100});
    if (o.floor > o.max) r.problem("floor", "more than `max`");
    if (o.initial < o.floor || o.initial > o.max) {
        if (r.has("initial")) r.problem("initial", "not between `floor` and `max`");
        o.initial = std::clamp(o.initial, std::min(o.floor, o.max), o.max);
    }
}

void read(config_reader& r, admission_config& c) {
    r.field("trust_headers", c.trust_headers,
            "Believe the headers in which clients name their tenant and objective. Not at the edge.");
    r.list("classes", c.classes, "What requests are to the pool; the first that matches counts.", {.max = rules_max});
    otherwise_section otherwise{c.otherwise};
    r.section("otherwise", otherwise, "Requests that match no class.");
    r.section("queue", c.queue, "Those that wait.");
    r.section("capacity", c.capacity, "How much an endpoint gets.");
    if (c.trust_headers) return;
    for (std::size_t i = 0; i < c.classes.size(); ++i) {
        if (!c.classes[i].objective.empty())
            r.problem("classes[" + std::to_string(i) + "].objective", "never matches without trust_headers");
    }
}

}  // namespace sluice::admission
