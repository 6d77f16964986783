#include "routing/pools/picker_service.hpp"

#include <stdexcept>

namespace sluice::routing {
namespace {

constexpr double buckets[] = {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10};

counter& outcome(metrics& m, const std::string& pool, std::string_view which) {
    return m.get_counter("sluice_picker_service_requests_total",
                         "Requests about which a pool's outside picker was asked.",
                         {{"pool", pool}, {"outcome", which}});
}

net::dialer& dialer_of(services& s) {
    if (s.dialer() == nullptr) throw std::logic_error("this worker makes no connections");
    return *s.dialer();
}

net::grpc_options options_of(const picker_service_config& c) {
    net::grpc_options o;
    o.message_bytes_max = c.session.limits.message_bytes_max;
    return o;
}

std::optional<destination_guard> guard_of(const picker_service_config& c) {
    if (c.destinations == ext_proc::destination_mode::validated) return std::nullopt;
    auto made = destination_guard::make(c.destination_networks, c.destination_ports);
    if (!made) throw std::logic_error(made.error().message);  // was checked when it was read
    return std::move(*made);
}

}  // namespace

picker_service::picker_service(const std::string& pool, const picker_service_config& config,
                               const upstream_endpoint& address, std::shared_ptr<circuit_breaker> breaker, services& s)
    : picked(outcome(s.metrics(), pool, "picked")),
      denied(outcome(s.metrics(), pool, "denied")),
      failed(outcome(s.metrics(), pool, "failed")),
      skipped(outcome(s.metrics(), pool, "native")),
      agreed(outcome(s.metrics(), pool, "shadow_agreed")),
      differed(outcome(s.metrics(), pool, "shadow_differed")),
      unknown_endpoints(s.metrics().get_counter("sluice_picker_service_unknown_endpoints_total",
                                                "Endpoints that were picked and are none of the pool.",
                                                {{"pool", pool}})),
      passed(s.metrics().get_counter("sluice_picker_service_passthrough_total",
                                     "Attempts at endpoints that were picked, are none of the pool and are allowed.",
                                     {{"pool", pool}})),
      refused_headers(s.metrics().get_counter("sluice_picker_service_refused_headers_total",
                                              "Changes of headers that a picker may not make.", {{"pool", pool}})),
      seconds(s.metrics().get_histogram("sluice_picker_service_seconds", "Time until an outside picker had chosen.",
                                        buckets, {{"pool", pool}})),
      config_(config),
      passthrough_(guard_of(config)),
      breaker_(std::move(breaker)),
      channel_(net::make_grpc_channel(address, dialer_of(s), s, options_of(config))) {}

}  // namespace sluice::routing
