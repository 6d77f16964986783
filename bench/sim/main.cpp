// sluice-sim: simulated model servers for tests and benchmarks. docs/sim.md tells how to use it.

#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <csignal>
#include <iostream>
#include <list>
#include <thread>

#include "sim/io_instance.hpp"
#include "sim/io_options.hpp"

namespace asio = boost::asio;
using namespace sluice::sim;

namespace {

// One more descriptor per connection than most shells allow.
void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

void run(const options& o) {
    std::optional<asio::ssl::context> tls;
    if (!o.certificate.empty()) {
        tls.emplace(asio::ssl::context::tls_server);
        tls->use_certificate_chain_file(o.certificate);
        tls->use_private_key_file(o.key, asio::ssl::context::pem);
    }
    std::list<asio::io_context> contexts;
    for (unsigned i = 0; i < o.threads; ++i) contexts.emplace_back(1);
    std::list<instance> instances;
    auto context = contexts.begin();
    for (const instance_options& i : o.instances) {
        const asio::ip::tcp::endpoint at(asio::ip::make_address(i.host), i.port);
        instances.emplace_back(*context, i.profile, at, tls ? &*tls : nullptr).start();
        std::cout << "listening " << i.profile.name << ' ' << i.host << ':' << instances.back().port() << std::endl;
        if (++context == contexts.end()) context = contexts.begin();
    }
    std::list<std::jthread> threads;
    for (auto c = std::next(contexts.begin()); c != contexts.end(); ++c) threads.emplace_back([&c = *c] { c.run(); });
    contexts.front().run();
}

}  // namespace

int main(int argc, char** argv) {
    int exit_code = 0;
    const auto o = read_options(argc, argv, exit_code);
    if (!o) return exit_code;
    raise_descriptor_limit();
    std::signal(SIGPIPE, SIG_IGN);
    // Nothing is worth saving: a test double ends at once.
    for (const int s : {SIGTERM, SIGINT}) std::signal(s, [](int) { _exit(0); });
    try {
        run(*o);
    } catch (const std::exception& e) {
        std::cerr << "sluice-sim: " << e.what() << '\n';
        return 1;
    }
}
