// One thread of the gateway: its event loop, its listeners and sessions, its upstream connections and its stages.
//
// Nothing a worker owns is touched by another thread; others post to it. Made and destroyed on the control
// thread, while its own thread does not run.
#pragma once

#include "app/generation.hpp"
#include "app/recorder.hpp"
#include "app/shared_objects.hpp"
#include "base/random.hpp"
#include "net/buffer_pool.hpp"
#include "net/connector.hpp"
#include "net/dialer.hpp"
#include "net/dns_resolver.hpp"
#include "net/h2/h2_pool.hpp"
#include "net/http_fetcher.hpp"
#include "net/listener.hpp"
#include "net/reactor.hpp"
#include "net/session.hpp"
#include "net/tls_server.hpp"
#include "telemetry/access_log.hpp"
#include "telemetry/registry.hpp"

#include <sluice/services.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace sluice::app {

class system_clock final : public clock {
public:
    explicit system_clock(const net::reactor& loop) : loop_(loop) {}
    time_point recent() const override { return loop_.now(); }
    time_point now() const override { return std::chrono::steady_clock::now(); }
    std::chrono::system_clock::time_point wall() const override { return std::chrono::system_clock::now(); }

private:
    const net::reactor& loop_;
};

// What all workers share; outlives them.
struct process_parts {
    telemetry::registry& metrics;
    telemetry::access_log* access_log = nullptr;  // null: off
    net::byte_budget& memory;
    shared_objects& objects;
    std::atomic<std::size_t>& connections;  // of clients, now
    std::size_t connections_max = 0;
    std::shared_ptr<const net::transport> fetch_anywhere, fetch_public;
};

class worker final : private services {
public:
    // A listener as one worker sees it.
    struct door {
        net::unique_fd socket;
        const net::session_limits* limits;        // outlives the worker
        net::tls_server_contexts* tls = nullptr;  // null: plain
        std::string name;                         // label: its address
    };

    worker(std::size_t index, const gateway_config& config, process_parts parts);
    ~worker();

    void open(door d);
    void start();
    void join();
    template <class F>
    void post(F f) {
        boost::asio::post(context_, std::move(f));
    }

    // Control thread: builds the stages of a configuration for this worker. Throws when a stage refuses.
    std::shared_ptr<const route_table> build(const generation& g);
    // The rest runs on the worker; use post().
    void serve(std::shared_ptr<const route_table> routes) { site_.routes = std::move(routes); }
    void close_listeners();
    void drain();
    void cut(abort_reason why);
    void stop();

    services& common() { return *this; }
    net::resolver& names() { return *names_; }
    std::size_t sessions() const { return open_sessions_.load(std::memory_order_relaxed); }  // any thread

private:
    struct entrance;
    void accept(entrance& e, net::unique_fd socket, std::string peer);
    awaitable<void> tick();

    // services
    boost::asio::any_io_executor executor() override { return context_.get_executor(); }
    const clock& time() const override { return time_; }
    sluice::metrics& metrics() override { return metrics_; }
    sluice::fetcher& fetcher() override { return fetcher_; }
    net::dialer* dialer() override { return &dialer_; }
    bool take_memory(std::int64_t bytes) override { return parts_.memory.take(bytes); }
    void give_memory(std::int64_t bytes) override { parts_.memory.give(bytes); }
    std::shared_ptr<void> shared_object(std::string_view key, const std::type_info& type,
                                        const std::function<std::shared_ptr<void>()>& make) override {
        return parts_.objects.get(key, type, make);
    }

    process_parts parts_;
    sluice::metrics& metrics_;
    random_source random_;
    boost::asio::io_context context_{1};
    net::reactor loop_;
    system_clock time_{loop_};
    net::buffer_pool buffers_;
    std::unique_ptr<net::dns_resolver> names_;
    net::connector connector_;
    net::tcp_dialer dialer_;
    net::http1_pool http1_;
    net::h2_pool h2_;
    net::versioned_pool upstreams_{http1_, h2_};
    net::http_fetcher fetcher_;
    telemetry::access_log::writer* log_;
    std::unique_ptr<telemetry::trace_exporter> exporter_;
    recorder recorder_;
    net::session_site site_;
    std::vector<std::unique_ptr<entrance>> entrances_;
    boost::asio::steady_timer ticker_;
    std::atomic<std::size_t> open_sessions_{0};
    std::thread thread_;
};

}  // namespace sluice::app
