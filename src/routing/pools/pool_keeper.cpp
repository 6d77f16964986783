#include "routing/pools/pool_keeper.hpp"

#include "base/random.hpp"
#include "http/authority.hpp"
#include "routing/signals/model_list.hpp"
#include "routing/signals/server_report.hpp"
#include "telemetry/log.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace sluice::routing {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr auto round = 50ms;             // between two looks at what is due
constexpr auto tick = 500ms;             // between two steps of warming up, draining, giving up
constexpr int failed_checks_rarer = 10;  // of servers that have failed
constexpr std::size_t model_list_bytes = 1 << 20;
constexpr std::size_t metrics_bytes = 8 << 20;
constexpr std::size_t cluster_report_bytes = 16 << 10;

std::string what_failed(const result<fetch_reply>& r) {
    if (!r) return describe(r.error());
    return "status " + std::to_string(r->head.status);
}

}  // namespace

pool_keeper::pool_keeper(std::shared_ptr<endpoint_pool> pool, services& s, net::resolver& names)
    : pool_(std::move(pool)), services_(s), names_(names), timer_(s.executor()) {}

void pool_keeper::configure(const pool_config& config, const header_list& headers) {
    config_ = config;
    headers_ = headers;
    resolve_at_ = {};
    for (auto& [id, s] : schedules_) s.check_at = s.poll_at = {};
}

void pool_keeper::start() {
    asio::co_spawn(
        services_.executor(), [](std::shared_ptr<pool_keeper> k) { return k->run(); }(shared_from_this()),
        asio::detached);
}

void pool_keeper::stop() {
    stopped_ = true;
    timer_.cancel();
}

awaitable<void> pool_keeper::run() {
    const auto alive = shared_from_this();
    while (!stopped_) {
        const auto now = services_.time().now();
        look_round(now);
        pool_->expire(now);
        if (now >= tick_at_) {
            tick_at_ = now + tick;
            pool_->tick(now);
            show();
        }
        timer_.expires_after(round);
        [[maybe_unused]] const auto ended = co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
}

// With a jitter of a tenth, so that a fleet is not asked in step.
pool_keeper::time_point pool_keeper::after(std::chrono::milliseconds d, time_point now) {
    const auto jitter = static_cast<double>(d.count()) * 0.2 * (thread_random().unit() - 0.5);
    return now + d + std::chrono::milliseconds(static_cast<std::int64_t>(jitter));
}

void pool_keeper::look_round(time_point now) {
    if (config_.dns && !resolving_ && now >= resolve_at_) {
        resolving_ = true;
        resolve_at_ = now + config_.dns->interval;
        asio::co_spawn(services_.executor(), resolve(), asio::detached);
    }
    for (auto& [id, s] : schedules_) s.seen = false;
    for (const endpoint_pool::watched& w : pool_->watch_list()) {
        schedule& s = schedules_[w.member->id];
        s.seen = true;
        const bool withdrawn = w.phase == endpoint_phase::draining;
        if (!config_.check.path.empty() && !s.checking && now >= s.check_at && !withdrawn) {
            s.checking = true;
            const int rarer = w.phase == endpoint_phase::failed ? failed_checks_rarer : 1;
            s.check_at = after(config_.check.interval * rarer, now);
            asio::co_spawn(services_.executor(), check(w.member), asio::detached);
        }
        // A cluster's report is wanted when it is not ready, too: it says whether there is any server.
        const bool cluster = w.member->cluster;
        const bool polled = cluster ? !w.member->load_path.empty() && !withdrawn
                                    : !config_.load.path.empty() && w.phase == endpoint_phase::ready;
        if (polled && !s.polling && now >= s.poll_at) {
            s.polling = true;
            s.poll_at = after(cluster ? config_.spill.load_interval : config_.load.interval, now);
            asio::co_spawn(services_.executor(), cluster ? poll_cluster(w.member) : poll(w.member), asio::detached);
        }
    }
    std::erase_if(schedules_, [](const auto& s) { return !s.second.seen && !s.second.checking && !s.second.polling; });
}

fetch_request pool_keeper::request(const pool_member& m, std::string path, std::chrono::milliseconds timeout) const {
    fetch_request r;
    r.url = m.url + std::move(path);
    r.headers = headers_;
    r.timeout = timeout;
    r.at = &m.address;
    return r;
}

awaitable<void> pool_keeper::check(member_ptr m) {
    const auto alive = shared_from_this();
    // A gateway is asked for its models, which every one can tell.
    fetch_request health =
        request(*m, m->cluster ? config_.api_path + "/models" : config_.check.path, config_.check.timeout);
    if (m->cluster) health.body_bytes_max = model_list_bytes;
    const auto began = services_.time().now();
    const auto answer = co_await services_.fetcher().fetch(std::move(health));
    bool well = answer && answer->head.status / 100 == 2;
    if (m->cluster && well) m->state->cluster.saw_round_trip(picker::seconds_between(began, services_.time().now()));
    std::string problem = well ? "" : what_failed(answer);
    std::optional<signals::served_models> models;
    // Its servers may all be gone while it is well itself.
    if (m->cluster && well && m->state->cluster.report_age_s(services_.time().now()) >= 0 &&
        m->state->cluster.servers() == 0) {
        well = false;
        problem = "has no server that is ready";
    }
    if (well && config_.check.model_list && !m->cluster) {
        fetch_request list = request(*m, config_.api_path + "/models", config_.check.timeout);
        list.body_bytes_max = model_list_bytes;
        const auto listed = co_await services_.fetcher().fetch(std::move(list));
        if (listed && listed->head.status == 200) {
            if (auto read = signals::read_model_list(listed->body)) models = std::move(*read);
        }
        const std::string& wanted = config_.check.model;
        if (!wanted.empty()) {
            const auto has = [&](const std::vector<std::string>& names) {
                return std::find(names.begin(), names.end(), wanted) != names.end();
            };
            well = models && (has(models->base) || has(models->adapters));
            if (!well) problem = "does not list the model " + wanted;
        }
    }
    pool_->checked(m->id, well, std::move(problem), std::move(models), services_.time().now());
    schedules_[m->id].checking = false;
}

awaitable<void> pool_keeper::poll(member_ptr m) {
    const auto alive = shared_from_this();
    fetch_request metrics = request(*m, config_.load.path, config_.load.timeout);
    metrics.body_bytes_max = metrics_bytes;
    const auto answer = co_await services_.fetcher().fetch(std::move(metrics));
    if (answer && answer->head.status == 200) {
        const auto report = signals::read_metrics(answer->body, config_.load.names);
        if (report) pool_->reported(m->id, *report, services_.time().now());
    }
    schedules_[m->id].polling = false;
}

awaitable<void> pool_keeper::poll_cluster(member_ptr m) {
    const auto alive = shared_from_this();
    fetch_request load = request(*m, m->load_path, config_.load.timeout);
    load.body_bytes_max = cluster_report_bytes;
    const auto began = services_.time().now();
    const auto answer = co_await services_.fetcher().fetch(std::move(load));
    const auto now = services_.time().now();
    if (answer && answer->head.status == 200) {
        if (const auto report = clusters::read_cluster_report(answer->body)) {
            m->state->cluster.saw_round_trip(picker::seconds_between(began, now));
            m->state->cluster.reported(*report, pool_->picker().load(m->slot).prefill_tokens, now);
        }
    }
    schedules_[m->id].polling = false;
}

awaitable<void> pool_keeper::resolve() {
    const auto alive = shared_from_this();
    const dns_source_config dns = *config_.dns;
    const auto found = co_await names_.resolve(dns.name);
    resolving_ = false;
    if (!found) {
        // The last good ones stay.
        log::warn("pool {}: {}", pool_->name(), found.error().message);
        co_return;
    }
    std::vector<endpoint_config> all;
    for (const auto& a : **found) {
        for (const std::uint16_t port : dns.ports) {
            all.emplace_back().url = (dns.tls ? "https://" : "http://") + http::write_authority(a.to_string(), port);
        }
    }
    const auto problems = pool_->set_source(endpoint_source::dns, all, services_.time().now());
    for (const std::string& p : problems) log::warn("pool {}: {}", pool_->name(), p);
}

void pool_keeper::show() {
    const pool_totals t = pool_->totals();
    for (std::size_t i = 0; i < endpoint_phases; ++i) {
        services_.metrics()
            .get_gauge("sluice_pool_endpoints", "Endpoints by state.",
                       {{"pool", pool_->name()}, {"state", to_string(static_cast<endpoint_phase>(i))}})
            .set(static_cast<std::int64_t>(t.by_phase[i]));
    }
    services_.metrics()
        .get_gauge("sluice_pool_panic", "1: so few endpoints are ready that all are used.", {{"pool", pool_->name()}})
        .set(t.panic ? 1 : 0);
    services_.metrics()
        .get_gauge("sluice_pool_queued", "Requests that wait for an endpoint.", {{"pool", pool_->name()}})
        .set(static_cast<std::int64_t>(t.queued));
    if (config_.service && config_.service->destinations == ext_proc::destination_mode::passthrough) {
        services_.metrics()
            .get_gauge("sluice_pool_picked_endpoints", "Endpoints that only an outside picker knows.",
                       {{"pool", pool_->name()}})
            .set(static_cast<std::int64_t>(t.named));
    }
    for (const endpoint_pool::watched& w : pool_->watch_list()) {
        services_.metrics()
            .get_gauge("sluice_pool_endpoint_inflight", "Requests under way at an endpoint.",
                       {{"pool", pool_->name()}, {"endpoint", w.member->id}})
            .set(pool_->picker().load(w.member->slot).inflight);
    }
}

}  // namespace sluice::routing
