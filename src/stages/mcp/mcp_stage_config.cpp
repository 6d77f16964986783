#include "stages/mcp/mcp_stage_config.hpp"

namespace sluice::mcp_endpoint {

void read(config_reader& r, mcp_stage_config& c) {
    r.field("view", c.view, "The view that is served.", required);
    r.field("title", c.title, "Name of the endpoint as people read it.");
    r.field("instructions", c.instructions, "What clients are told about the whole; if absent, what the sources say.");
    r.field("hosts", c.hosts,
            "Hosts that requests may name, without ports; \"*\" for any. If absent: requests that come over loopback "
            "must name a loopback host, others any.");
    r.field("origins", c.origins,
            "Hosts of web pages that may call, without ports; \"*\" for any. If absent: loopback and `hosts`.");
    r.field("session_key", c.session_key,
            "Seals session ids and states of requests. Replicas that share it serve each other's sessions.");
    r.field("session_time", c.session_time, "How long a session may last.", {.min = 60});
    r.field("keep_alive", c.keep_alive, "Between signs of life on a stream.", {.min = 0.1, .max = 3600});
    r.field("answer_timeout", c.answer_timeout, "For a client's answer to a question of a tool.", {.min = 1});
    r.field("list_ttl", c.list_ttl, "How long clients may keep lists (2026-07-28).", {.min = 0, .max = 86400});
    r.field("page_size", c.page_size, "Entries of a list in one answer.", {.min = 1, .max = 10000});
}

}  // namespace sluice::mcp_endpoint
