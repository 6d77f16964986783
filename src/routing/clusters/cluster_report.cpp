#include "routing/clusters/cluster_report.hpp"

#include "http/json_writer.hpp"

namespace sluice::clusters {
namespace {

result<void> read_count(const json_object& o, std::string_view key, std::int64_t& into, bool required = false) {
    const auto v = o.find(key);
    if (!v && !required) return {};
    const auto n = v ? v->integer() : std::nullopt;
    if (!n || *n < 0) return error{error_kind::bad_request, "is a number from 0 on", std::string(key)};
    into = *n;
    return {};
}

result<void> read_us(const json_object& o, std::string_view key, double& seconds) {
    constexpr double most_us = 1e9;
    const auto v = o.find(key);
    if (!v) return {};
    const auto n = v->number();
    if (!n || *n < 0 || *n > most_us)
        return error{error_kind::bad_request, "is a number of microseconds", std::string(key)};
    seconds = *n * 1e-6;
    return {};
}

}  // namespace

std::string write(const cluster_report& r) {
    std::string out;
    http::json_writer w(out);
    w.begin_object().key("servers").integer(r.servers).key("inflight").integer(r.inflight);
    w.key("queued").integer(r.queued).key("prefill_tokens").integer(r.prefill_tokens);
    w.key("context_tokens").integer(r.context_tokens).key("step_us").number(r.step_s * 1e6);
    w.key("prefill_token_us").number(r.prefill_token_s * 1e6).end_object();
    return out;
}

result<cluster_report> read_cluster_report(std::string_view json) {
    const auto o = json_object::parse(json);
    if (!o) return o.error();
    cluster_report r;
    for (const auto& done : {read_count(*o, "servers", r.servers, true), read_count(*o, "inflight", r.inflight),
                             read_count(*o, "queued", r.queued), read_count(*o, "prefill_tokens", r.prefill_tokens),
                             read_count(*o, "context_tokens", r.context_tokens), read_us(*o, "step_us", r.step_s),
                             read_us(*o, "prefill_token_us", r.prefill_token_s)}) {
        if (!done) return done.error();
    }
    return r;
}

}  // namespace sluice::clusters
