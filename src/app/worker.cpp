#include "app/worker.hpp"

#include "app/timed_stage.hpp"
#include "base/ids.hpp"
#include "base/version.hpp"
#include "telemetry/log.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <stdexcept>

namespace sluice::app {

namespace asio = boost::asio;
using namespace std::chrono_literals;

struct worker::entrance {
    worker& home;
    const net::session_limits& limits;
    net::tls_server_contexts* tls;
    telemetry::listener_metrics counts;
    net::listener socket;

    entrance(worker& w, door d)
        : home(w),
          limits(*d.limits),
          tls(d.tls),
          counts(w.metrics_, d.name),
          socket(
              w.loop_, std::move(d.socket),
              [this](net::unique_fd fd, std::string peer) { home.accept(*this, std::move(fd), std::move(peer)); },
              w.metrics_.get_counter("sluice_accept_paused_total",
                                     "Times a listener paused because descriptors ran out.")) {}
};

namespace {

std::unique_ptr<net::dns_resolver> make_resolver(asio::io_context& context, const clock& time,
                                                 const net::dns_config& config) {
    auto made = net::dns_resolver::make(context.get_executor(), time, config);
    if (!made) throw std::runtime_error(made.error().message);
    return std::move(*made);
}

}  // namespace

worker::worker(std::size_t index, const gateway_config& config, process_parts parts)
    : parts_(std::move(parts)),
      metrics_(parts_.metrics.worker(index)),
      random_(random_source::from_system()),
      loop_(context_),
      buffers_(parts_.memory),
      names_(make_resolver(context_, time_, config.dns)),
      connector_(context_.get_executor(), *names_),
      dialer_(loop_, connector_),
      http1_(loop_, buffers_, dialer_, config.upstream_pool),
      h2_(loop_, dialer_, config.upstream_pool),
      fetcher_(loop_, upstreams_, parts_.fetch_anywhere, parts_.fetch_public),
      log_(parts_.access_log != nullptr ? &parts_.access_log->worker(index) : nullptr),
      exporter_(config.tracing.endpoint.empty()
                    ? nullptr
                    : std::make_unique<telemetry::trace_exporter>(config.tracing, gateway_version,
                                                                  context_.get_executor(), fetcher_, metrics_)),
      recorder_(metrics_, time_, random_, log_, exporter_.get(),
                {.ratio = config.tracing.sample_ratio, .follow_parent = config.tracing.follow_parent}),
      site_{.loop = loop_,
            .buffers = buffers_,
            .recorder = recorder_,
            .routes = std::make_shared<route_table>(),
            .make_request_id = [this] { return new_request_id(random_); }},
      ticker_(context_) {}

worker::~worker() {
    join();
    // A coroutine that waits on a socket is owned by that socket, and the other way round: end those that are left,
    // while what they refer to still exists.
    // On the loop: from outside of it a cancellation is posted by its bare address, and what is queued before it may
    // end the session that holds it.
    context_.restart();
    for (int turns = 0; turns < 1000 && site_.sessions > 0; ++turns) {
        asio::post(context_, [this] { cut(abort_reason::shutdown); });
        context_.poll();
    }
    // What stages have started beside their exchanges ends with them, while the pools still exist.
    asio::post(context_, [this] { site_.routes = std::make_shared<route_table>(); });
    context_.poll();
}

void worker::open(door d) {
    entrances_.push_back(std::make_unique<entrance>(*this, std::move(d)));
}

void worker::start() {
    loop_.start();
    asio::co_spawn(context_, tick(), [](const std::exception_ptr&) {});
    if (exporter_) asio::co_spawn(context_, exporter_->run(), [](const std::exception_ptr&) {});
    thread_ = std::thread([this] {
        for (;;) {
            try {
                context_.run();
                return;
            } catch (const std::exception& e) {
                log::error("a worker's handler threw: {}", e.what());
            }
        }
    });
}

void worker::join() {
    if (thread_.joinable()) thread_.join();
}

std::shared_ptr<const route_table> worker::build(const generation& g) {
    auto table = std::make_shared<route_table>();
    table->generation = g.number;
    for (const route_config& from : g.config.routes) {
        route to;
        to.name = from.name;
        to.match = from.match;
        to.limits = from.limits;
        for (const std::string& path : from.match.paths) to.paths.emplace_back(path);
        stage_parts parts{*this, upstreams_, g.keys, g.models, g.catalogue, g.counters, g.config.tools, from.name, 0};
        for (const stage_maker& make : from.stages) {
            to.stages.push_back(std::make_unique<timed_stage>(make(parts), metrics_, time_, from.name));
            ++parts.position;
        }
        table->routes.push_back(std::move(to));
    }
    return table;
}

void worker::accept(entrance& e, net::unique_fd socket, std::string peer) {
    if (parts_.connections.fetch_add(1, std::memory_order_relaxed) >= parts_.connections_max) {
        parts_.connections.fetch_sub(1, std::memory_order_relaxed);
        e.counts.refused(telemetry::listener_metrics::refusal::limit);
        return;
    }
    e.counts.accepted();
    auto s = std::make_shared<net::session>(site_, e.limits, std::move(socket), std::move(peer));
    open_sessions_.store(site_.sessions, std::memory_order_relaxed);
    // The handler holds the session until its coroutine has ended, and the signal it is bound to with it.
    asio::co_spawn(context_, s->run(e.tls != nullptr ? e.tls->new_session() : net::ssl_ptr{}),
                   asio::bind_cancellation_slot(s->slot(), [this, s, &e](const std::exception_ptr& failed) mutable {
                       e.counts.closed();
                       parts_.connections.fetch_sub(1, std::memory_order_relaxed);
                       // Posted: what unwinds here may still stand on the session's stream.
                       asio::post(context_, [this, s = std::move(s)]() mutable {
                           s.reset();
                           open_sessions_.store(site_.sessions, std::memory_order_relaxed);
                       });
                       if (!failed) return;
                       try {
                           std::rethrow_exception(failed);
                       } catch (const boost::system::system_error& ended) {
                           if (ended.code() != asio::error::operation_aborted) recorder_.bug(ended.what());
                       } catch (const std::exception& bug) {
                           recorder_.bug(bug.what());
                       }
                   }));
}

// Small chores a few times a second.
awaitable<void> worker::tick() {
    for (;;) {
        ticker_.expires_after(200ms);
        boost::system::error_code ec;
        co_await ticker_.async_wait(asio::redirect_error(asio::use_awaitable, ec));
        if (ec) co_return;
        if (log_ != nullptr) log_->tick(loop_.now());
        if (buffers_.in_use() == 0) buffers_.trim();
    }
}

void worker::close_listeners() {
    for (auto& e : entrances_) e->socket.close();
}

void worker::drain() {
    site_.draining = true;
    for (net::session* s = site_.first; s != nullptr; s = s->next()) s->drain();
}

void worker::cut(abort_reason why) {
    for (net::session* s = site_.first; s != nullptr; s = s->next()) s->cut(why);
}

void worker::stop() {
    if (exporter_) exporter_->stop();
    ticker_.cancel();
    loop_.stop();
    context_.stop();
}

}  // namespace sluice::app
