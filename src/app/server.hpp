// The gateway as a process: workers, listeners, the admin listener; start, reload, drain, stop.
//
// Lives on the control thread, which runs signals, file watch and timers; workers are told by post.
#pragma once

#include "app/generation.hpp"
#include "app/pool_service.hpp"
#include "app/worker.hpp"
#include "config/file_watch.hpp"
#include "config/load.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace sluice::app {

// Reads and cross-checks a configuration and compiles what workers share. Null with problems in the report.
struct loaded {
    config::load_report report;
    std::shared_ptr<generation> made;
};
loaded load_generation(const std::string& path);

class server {
public:
    // Throws std::runtime_error when an address cannot be bound.
    server(std::string config_path, loaded first);
    ~server();

    // Serves until SIGTERM or SIGINT and the drain after it. Returns the exit code.
    int run();

private:
    void open_listeners();
    void open_admin();
    void await_signal();
    // Soon, once for all that ask until then. `why` is a literal.
    void ask_for_reload(std::string_view why);
    void reload(std::string_view why);
    void install(std::shared_ptr<generation> next);
    void begin_drain();
    void close_and_wait();
    void wait_for_sessions(std::chrono::steady_clock::time_point until, bool cut_already);
    void stop();
    void refresh_certificates();
    std::size_t open_sessions() const;
    std::shared_ptr<const route_table> admin_routes();

    const std::string path_;
    std::shared_ptr<generation> current_;
    boost::asio::io_context context_{1};
    boost::asio::signal_set signals_;
    boost::asio::steady_timer timer_, certificates_, reload_timer_;
    telemetry::registry metrics_;
    net::byte_budget memory_;
    shared_objects objects_;
    std::atomic<std::size_t> connections_{0};
    std::atomic<bool> ready_{false};
    std::atomic<std::int64_t> generation_{1};
    counter* reloads_ok_ = nullptr;
    counter* reloads_failed_ = nullptr;
    std::unique_ptr<telemetry::access_log> access_log_;
    std::vector<std::unique_ptr<net::tls_server_contexts>> tls_;
    std::vector<std::unique_ptr<worker>> workers_;  // the last one serves the admin listener
    std::unique_ptr<pool_service> pools_;
    std::unique_ptr<config::file_watch> watch_;
    net::session_limits admin_limits_;
    bool draining_ = false, reload_due_ = false;
};

}  // namespace sluice::app
