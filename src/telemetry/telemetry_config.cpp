#include "telemetry/telemetry_config.hpp"

#include <sluice/message.hpp>

namespace sluice::telemetry {

void read(config_reader& r, access_log_config& c) {
    r.field("enabled", c.enabled, "Write one JSON line per exchange.");
    r.field("path", c.path, "File or FIFO the lines are appended to; \"-\" is the standard output.");
    r.field("query", c.query, "Log the query string of the request too. It may hold credentials.");
    r.field("buffer", c.buffer, "Lines are handed to the writing thread in pieces of this size.",
            {.min = 4 << 10, .max = 16 << 20});
    r.field("buffers", c.buffers, "Pieces per worker that may wait to be written; past them lines are dropped.",
            {.min = 2, .max = 1024});
    r.field("flush_interval", c.flush_interval, "How long a line may wait in its worker's buffer.",
            {.min = 0.01, .max = 60});
    if (c.path.empty()) r.problem("path", "is empty", "use \"-\" for the standard output, or enabled: false");
}

void read(config_reader& r, export_header& h) {
    r.field("name", h.name, "Name of the header.", required);
    r.field("value", h.value, "Its value, usually a credential.", required);
    if (r.has("name") && !h.name.empty() && !valid_header_name(h.name)) r.problem("name", "is not a header name");
    if (!valid_header_value(h.value.reveal())) r.problem("value", "holds a character no header may hold");
}

void read(config_reader& r, tracing_config& c) {
    r.field("endpoint", c.endpoint,
            "URL of the collector's OTLP/HTTP traces endpoint, such as http://127.0.0.1:4318/v1/traces. Without it "
            "trace context is passed on and nothing is exported.");
    r.field("sample_ratio", c.sample_ratio, "Share of the traces beginning here that are recorded.",
            {.min = 0, .max = 1});
    r.field("follow_parent", c.follow_parent,
            "Keep the caller's decision for traces that began elsewhere. Off: the ratio decides for every trace.");
    r.field("service_name", c.service_name, "The resource attribute service.name.");
    r.list("headers", c.headers, "Headers of the calls to the collector.", {.min = 0, .max = 32});
    r.field("batch_max", c.batch_max, "Spans sent in one call.", {.min = 1, .max = 10000});
    r.field("interval", c.interval, "How long a span may wait before it is sent.", {.min = 0.01, .max = 300});
    r.field("queue", c.queue, "Memory for spans that wait, per worker; past it spans are dropped and counted.",
            {.min = 64 << 10, .max = 1 << 30});
    r.field("timeout", c.timeout, "Time for one call to the collector.", {.min = 0.1, .max = 60});
    const bool url = c.endpoint.starts_with("http://") || c.endpoint.starts_with("https://");
    if (!c.endpoint.empty() && !url) r.problem("endpoint", "is not an http or https URL");
}

void read(config_reader& r, log_config& c) {
    using enum log_level;
    r.one_of("level", c.level,
             {{"trace", trace}, {"debug", debug}, {"info", info}, {"warn", warn}, {"error", error}, {"off", off}},
             "The least severe messages that are written.");
    r.one_of("format", c.format, {{"json", log_format::json}, {"text", log_format::text}},
             "JSON lines, or text for a terminal.");
    r.field("queue", c.queue, "Messages that may wait to be written; past it the oldest are dropped and counted.",
            {.min = 64, .max = 1 << 20});
}

}  // namespace sluice::telemetry
