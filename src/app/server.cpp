#include "app/server.hpp"

#include "admin/admin_stages.hpp"
#include "admin/arms_page.hpp"
#include "admin/pool_stage.hpp"
#include "base/version.hpp"
#include "routing/pools/endpoints_file.hpp"
#include "routing/pools/inference_pool.hpp"
#include "telemetry/gateway_metrics.hpp"
#include "telemetry/log.hpp"

#include <boost/asio/post.hpp>

#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <iterator>
#include <memory>
#include <semaphore>
#include <stdexcept>
#include <utility>

namespace sluice::app {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto reload_pause = 10ms;  // between what asks for a reload and the reload

std::size_t worker_count(const gateway_config& config) {
    const unsigned cores = std::thread::hardware_concurrency();
    return config.workers > 0 ? static_cast<std::size_t>(config.workers) : std::max(1u, cores);
}

// Every connection costs a descriptor, an upstream's another: take what the system allows.
void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::shared_ptr<const net::transport> fetch_transport(bool allow_private, net::tls_trust& trust) {
    net::connect_config config;
    config.addresses.allow_private = allow_private;
    auto options = net::endpoint_options::make(config);
    if (!options) throw std::runtime_error(options.error().message);
    auto tls = net::tls_client_context::make({}, trust);
    if (!tls) throw std::runtime_error(tls.error().message);
    return std::make_shared<net::transport>(net::transport{std::move(*options), std::move(*tls)});
}

// What manifests say of pools becomes part of the configuration before anything is built from it.
void import_pools(config_reader& r, generation& g, const std::filesystem::path& folder,
                  std::vector<config::load_report>& files) {
    auto& pools = g.config.routing.pools;
    for (std::size_t i = 0; i < pools.size(); ++i) {
        if (!pools[i].pool.from) continue;
        auto imported = routing::import_inference_pool(pools[i].pool, folder);
        for (const auto& m : imported.misfits)
            r.problem("pools[" + std::to_string(i) + "]." + m.key, m.message, m.hint);
        if (imported.h2c) pools[i].server.http = routing::http_version::two;
        g.endpoint_files[pools[i].server.name] = std::move(imported.endpoints);
        std::move(imported.reports.begin(), imported.reports.end(), std::back_inserter(files));
    }
}

}  // namespace

loaded load_generation(const std::string& path) {
    loaded out;
    auto made = std::make_shared<generation>();
    config::load_report models_file;
    std::vector<config::load_report> endpoint_files;
    const std::filesystem::path folder = std::filesystem::path(path).parent_path();
    out.report = config::load(path, [&](config_reader& r) {
        read(r, made->config);
        import_pools(r, *made, folder, endpoint_files);
        auto keys = key_table::build(made->config.governance);
        if (keys) {
            made->keys = std::move(*keys);
        } else {
            r.problem("keys", "key \"" + keys.error().param + "\": " + keys.error().message);
        }
        auto models = routing::model_table::build(made->config.routing);
        if (models) {
            made->models = std::move(*models);
        } else {
            r.problem(models.error().param, models.error().message);
        }
        for (const routing::pool_section& p : made->config.routing.pools) {
            if (p.pool.endpoints_file.empty()) continue;
            auto file = routing::load_endpoints(p.pool.endpoints_file, folder);
            auto& known = made->endpoint_files[p.server.name];
            std::move(file.endpoints.begin(), file.endpoints.end(), std::back_inserter(known));
            endpoint_files.push_back(std::move(file.report));
        }
        auto known = catalogue::load(made->config.catalogue, folder);
        made->catalogue = std::move(known.made);
        models_file = std::move(known.report);
        if (known.conflict) r.problem("catalogue." + known.conflict->param, known.conflict->message);
        if (const std::string& ranks = made->config.catalogue.token_ranks; !ranks.empty()) {
            auto counters = tokens::token_counters::load(folder / ranks);
            if (!counters) return r.problem("catalogue.token_ranks", counters.error().message);
            made->counters = std::move(*counters);
        }
    });
    endpoint_files.push_back(std::move(models_file));
    for (config::load_report& other : endpoint_files) {
        for (const std::string& file : other.seen.files()) out.report.seen.add_file(file);
        for (config::problem& p : other.problems) out.report.problems.push_back(std::move(p));
    }
    if (out.report.ok()) out.made = std::move(made);
    return out;
}

server::server(std::string config_path, loaded first)
    : path_(std::move(config_path)),
      current_(std::move(first.made)),
      signals_(context_, SIGTERM, SIGINT, SIGHUP),
      timer_(context_),
      certificates_(context_),
      reload_timer_(context_),
      metrics_(worker_count(current_->config) + 1),
      memory_(current_->config.limits.buffered_bytes.value) {
    std::signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    current_->number = 1;
    const gateway_config& config = current_->config;
    const std::size_t workers = worker_count(config);
    if (config.access_log.enabled)
        access_log_ = std::make_unique<telemetry::access_log>(config.access_log, workers + 1);

    telemetry::add_process_metrics(metrics_);
    telemetry::add_gateway_values(metrics_,
                                  {.config_generation = [this] { return static_cast<double>(generation_.load()); },
                                   .buffered_bytes = [this] { return static_cast<double>(memory_.used()); }},
                                  gateway_version);
    if (access_log_) telemetry::add_access_log_metrics(metrics_, *access_log_);
    reloads_ok_ = &metrics_.shared().get_counter("sluice_config_reloads_total", "Reloads of the configuration.",
                                                 {{"result", "ok"}});
    reloads_failed_ = &metrics_.shared().get_counter("sluice_config_reloads_total", "Reloads of the configuration.",
                                                     {{"result", "failed"}});

    net::tls_trust trust;
    process_parts parts{metrics_,
                        access_log_.get(),
                        memory_,
                        objects_,
                        connections_,
                        config.limits.connections,
                        fetch_transport(true, trust),
                        fetch_transport(false, trust)};
    for (std::size_t i = 0; i < workers; ++i) workers_.push_back(std::make_unique<worker>(i, config, parts));
    parts.access_log = nullptr;  // scrapes are not exchanges of clients
    workers_.push_back(std::make_unique<worker>(workers, config, parts));
    pools_ = std::make_unique<pool_service>(*workers_.back());
    open_listeners();
    open_admin();
    pools_->install(*current_);
    for (auto& w : workers_) {
        if (w == workers_.back()) continue;
        w->serve(w->build(*current_));  // not running yet: no post needed
    }
    workers_.back()->serve(admin_routes());

    watch_ = std::make_unique<config::file_watch>(
        [this] { asio::post(context_, [this] { ask_for_reload("a file changed"); }); });
    watch_->watch(std::move(first.report.seen));
}

server::~server() = default;

void server::open_listeners() {
    for (const listener_config& l : current_->config.listeners) {
        net::tls_server_contexts* tls = nullptr;
        if (l.tls) {
            auto made = net::tls_server_contexts::make(*l.tls);
            if (!made) throw std::runtime_error(made.error().message);
            tls_.push_back(std::move(*made));
            tls = tls_.back().get();
        }
        std::string address = l.address;
        if (const auto free = net::check_free(address); !free) throw std::runtime_error(free.error().message);
        for (std::size_t i = 0; i + 1 < workers_.size(); ++i) {
            auto socket = net::listen_on(address, l.backlog);
            if (!socket) throw std::runtime_error(socket.error().message);
            const int port = net::port_of(socket->get());
            // Port 0 means any: the other workers must share the one the kernel chose.
            address = address.substr(0, address.rfind(':') + 1) + std::to_string(port);
            workers_[i]->open({std::move(*socket), &l.limits, tls, l.address});
        }
        log::info("listening on {}{}", address, tls != nullptr ? " (TLS)" : "");
    }
}

void server::open_admin() {
    const std::string& address = current_->config.admin.address;
    if (const auto free = net::check_free(address); !free) throw std::runtime_error(free.error().message);
    auto socket = net::listen_on(address, 128);
    if (!socket) throw std::runtime_error(socket.error().message);
    log::info("admin on {}{}", address.substr(0, address.rfind(':') + 1), net::port_of(socket->get()));
    workers_.back()->open({std::move(*socket), &admin_limits_, nullptr, "admin"});
}

std::shared_ptr<const route_table> server::admin_routes() {
    auto table = std::make_shared<route_table>();
    route all;
    all.name = "admin";
    // The object that stages ask for by services::shared().
    const auto arms = std::static_pointer_cast<arm_board>(
        objects_.get(arm_board::shared_key, typeid(arm_board), [] { return std::make_shared<arm_board>(); }));
    all.stages.push_back(std::make_unique<admin::status_stage>(admin::status_sources{
        .ready = [this] { return ready_.load(std::memory_order_relaxed); },
        .scrape = [this] { return metrics_.scrape(); },
        .arms = [arms](std::string_view model) { return admin::arms_page(model, arms->results(model)); },
    }));
    all.stages.push_back(std::make_unique<admin::pool_stage>(admin::pool_sources{
        .pools = [this] { return pools_->pools(); },
        .keep = [this](const routing::endpoint_pool& pool) { return pools_->keep(pool); },
    }));
    table->routes.push_back(std::move(all));
    return table;
}

int server::run() {
    for (auto& w : workers_) w->start();
    watch_->start();
    await_signal();
    if (!tls_.empty()) refresh_certificates();
    ready_.store(true);
    log::info("ready: {} workers, {} routes", workers_.size() - 1, current_->config.routes.size());
    context_.run();
    return 0;
}

void server::await_signal() {
    signals_.async_wait([this](const boost::system::error_code& ec, int which) {
        if (ec) return;
        if (which == SIGHUP) {
            ask_for_reload("SIGHUP");
            if (access_log_) access_log_->reopen();
        } else if (!draining_) {
            begin_drain();
        } else {
            log::warn("second signal: ending now");
            for (auto& w : workers_) w->post([&w] { w->cut(abort_reason::shutdown); });
            wait_for_sessions(std::chrono::steady_clock::now() + 1s, true);
        }
        await_signal();
    });
}

// --- reload ---------------------------------------------------------------------------------------------

// Each reload reads the newest files, so that a row of requests needs one: reloads one behind the other would hold up
// the signal that ends the gateway.
void server::ask_for_reload(std::string_view why) {
    if (std::exchange(reload_due_, true)) return;
    reload_timer_.expires_after(reload_pause);
    reload_timer_.async_wait([this, why](const boost::system::error_code& ec) {
        reload_due_ = false;
        if (!ec) reload(why);
    });
}

void server::reload(std::string_view why) {
    if (draining_) return;
    loaded fresh = load_generation(path_);
    watch_->watch(fresh.report.seen);
    if (!fresh.made) {
        reloads_failed_->add();
        log::error("reload ({}) refused, the last good configuration stays:", why);
        for (const auto& p : fresh.report.problems) log::error("  {}", config::to_string(p));
        return;
    }
    fresh.made->number = current_->number + 1;
    try {
        install(std::move(fresh.made));
    } catch (const std::exception& e) {
        reloads_failed_->add();
        log::error("reload ({}) refused, the last good configuration stays: {}", why, e.what());
        return;
    }
    reloads_ok_->add();
    log::info("reloaded ({}): generation {}", why, current_->number);
}

// All workers' stages are built before any of them serves the new ones: a reload is whole or not at all.
void server::install(std::shared_ptr<generation> next) {
    std::vector<std::shared_ptr<const route_table>> tables;
    for (std::size_t i = 0; i + 1 < workers_.size(); ++i) tables.push_back(workers_[i]->build(*next));
    // Limits of listeners are read by sessions that are open: what they point to must stay.
    next->config.listeners.swap(current_->config.listeners);
    if (next->config.listeners.size() != current_->config.listeners.size()) {
        log::warn("a change of listeners needs a restart; the old ones stay");
    }
    pools_->install(*next);
    // "Reloaded" is said, and a key that was taken away is gone, once every worker has switched over.
    const auto switched = std::make_shared<std::counting_semaphore<>>(0);
    const std::size_t workers = tables.size();
    for (std::size_t i = 0; i < workers; ++i) {
        workers_[i]->post([w = workers_[i].get(), table = std::move(tables[i]), switched]() mutable {
            w->serve(std::move(table));
            switched->release();
        });
    }
    const auto until = std::chrono::steady_clock::now() + 2s;
    for (std::size_t i = 0; i < workers; ++i) {
        if (!switched->try_acquire_until(until)) log::warn("a worker is late to take the new configuration over");
    }
    memory_.set_limit(next->config.limits.buffered_bytes.value);
    current_ = std::move(next);
    generation_.store(static_cast<std::int64_t>(current_->number));
}

void server::refresh_certificates() {
    certificates_.expires_after(5s);
    certificates_.async_wait([this](const boost::system::error_code& ec) {
        if (ec) return;
        for (auto& t : tls_) {
            const net::tls_refresh done = t->refresh();
            if (done.changed) log::info("certificates reloaded");
            for (const error& e : done.problems) log::error("certificate kept out: {}", e.message);
        }
        refresh_certificates();
    });
}

// --- drain ----------------------------------------------------------------------------------------------

void server::begin_drain() {
    draining_ = true;
    ready_.store(false);
    log::info("draining: {} connections open", open_sessions());
    timer_.expires_after(current_->config.drain.delay);
    timer_.async_wait([this](const boost::system::error_code& ec) {
        if (!ec) close_and_wait();
    });
}

void server::close_and_wait() {
    for (std::size_t i = 0; i + 1 < workers_.size(); ++i) {
        workers_[i]->post([w = workers_[i].get()] {
            w->close_listeners();
            w->drain();
        });
    }
    wait_for_sessions(std::chrono::steady_clock::now() + current_->config.drain.timeout, false);
}

void server::wait_for_sessions(std::chrono::steady_clock::time_point until, bool cut_already) {
    timer_.expires_after(20ms);
    timer_.async_wait([this, until, cut_already](const boost::system::error_code& ec) {
        if (ec) return;
        const bool late = std::chrono::steady_clock::now() >= until;
        if (open_sessions() == 0 || (late && cut_already)) return stop();
        if (late) {
            log::warn("drain timeout: cutting {} connections", open_sessions());
            for (std::size_t i = 0; i + 1 < workers_.size(); ++i) {
                workers_[i]->post([w = workers_[i].get()] { w->cut(abort_reason::drain); });
            }
        }
        wait_for_sessions(late ? std::chrono::steady_clock::now() + 2s : until, late);
    });
}

std::size_t server::open_sessions() const {
    std::size_t n = 0;
    for (std::size_t i = 0; i + 1 < workers_.size(); ++i) n += workers_[i]->sessions();
    return n;
}

void server::stop() {
    watch_->stop();
    pools_->stop();
    for (auto& w : workers_) w->post([w = w.get()] { w->stop(); });
    for (auto& w : workers_) w->join();
    if (access_log_) access_log_->stop();
    context_.stop();
    log::info("stopped");
}

}  // namespace sluice::app
