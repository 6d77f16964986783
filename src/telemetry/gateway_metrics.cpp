#include "telemetry/gateway_metrics.hpp"

#include <algorithm>

namespace sluice::telemetry {

route_metrics::route_metrics(metrics& m, std::string_view route)
    : overhead_(m.get_histogram("sluice_overhead_seconds",
                                "Time an exchange spent in the gateway, waiting for upstreams excluded.",
                                overhead_buckets, {{"route", route}})),
      active_(m.get_gauge("sluice_active_exchanges", "Exchanges in progress.", {{"route", route}})),
      retries_(m.get_counter("sluice_retries_total", "Attempts after the first of an exchange.", {{"route", route}})),
      fallbacks_(
          m.get_counter("sluice_fallbacks_total", "Exchanges that went on to another model.", {{"route", route}})),
      received_(m.get_counter("sluice_received_bytes_total", "Bytes of request bodies received from clients.",
                              {{"route", route}})),
      sent_(m.get_counter("sluice_sent_bytes_total", "Bytes of response bodies sent to clients.", {{"route", route}})) {
    static constexpr std::string_view classes[] = {"aborted", "1xx", "2xx", "3xx", "4xx", "5xx"};
    std::transform(std::begin(classes), std::end(classes), by_class_.begin(), [&](std::string_view status_class) {
        return &m.get_counter("sluice_requests_total", "Requests by route and class of the status sent.",
                              {{"route", route}, {"status_class", status_class}});
    });
}

void route_metrics::finished(int status, std::chrono::nanoseconds duration, std::chrono::nanoseconds upstream) {
    const bool sent = status >= 100 && status <= 599 && status != 499;
    by_class_[sent ? static_cast<std::size_t>(status / 100) : 0]->add();
    const auto own = std::max(duration - upstream, std::chrono::nanoseconds{0});
    overhead_.observe(std::chrono::duration<double>(own).count());
    active_.add(-1);
}

void route_metrics::transferred(std::int64_t bytes_in, std::int64_t bytes_out) {
    received_.add(bytes_in);
    sent_.add(bytes_out);
}

listener_metrics::listener_metrics(metrics& m, std::string_view listener)
    : accepted_(
          m.get_counter("sluice_connections_accepted_total", "Client connections accepted.", {{"listener", listener}})),
      open_(m.get_gauge("sluice_connections_open", "Client connections open.", {{"listener", listener}})) {
    static constexpr std::string_view reasons[] = {"limit", "tls", "blocked"};
    std::transform(std::begin(reasons), std::end(reasons), refused_.begin(), [&](std::string_view reason) {
        return &m.get_counter("sluice_connections_refused_total",
                              "Client connections closed before a request, by reason.",
                              {{"listener", listener}, {"reason", reason}});
    });
}

void listener_metrics::accepted() {
    accepted_.add();
    open_.add(1);
}

void upstream_error_metrics::count(error_kind kind) {
    counter*& c = by_kind_[static_cast<std::size_t>(kind)];
    if (c == nullptr) {
        c = &metrics_.get_counter("sluice_upstream_errors_total", "Failed upstream attempts by provider and code.",
                                  {{"provider", provider_}, {"code", traits(kind).code}});
    }
    c->add();
}

histogram& stage_seconds(metrics& m, std::string_view route, std::string_view stage) {
    return m.get_histogram("sluice_stage_duration_seconds",
                           "Time one stage of a route took, the stages behind it excluded.", overhead_buckets,
                           {{"route", route}, {"stage", stage}});
}

void add_gateway_values(registry& r, gateway_values values, std::string_view version) {
    using enum metric_kind;
    r.computed("sluice_config_generation", "How many configurations were taken into use since the start.", gauge,
               std::move(values.config_generation));
    r.computed("sluice_buffered_bytes", "Bytes of bodies held in memory, out of the process-wide budget.", gauge,
               std::move(values.buffered_bytes));
    r.computed("sluice_build_info", "Always 1; the version is the label.", gauge, [] { return 1.0; },
               {{"version", version}});
}

}  // namespace sluice::telemetry
