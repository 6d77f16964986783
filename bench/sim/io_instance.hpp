#pragma once
// A model server with its listening socket. Everything of one instance runs on one thread's io_context.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <optional>

#include "sim/io_driver.hpp"
#include "sim/model_server.hpp"

namespace sluice::sim {

class instance {
public:
    // Listens at once. `tls` may be null; it and the context outlive the instance.
    instance(boost::asio::io_context& context, server_profile profile, const boost::asio::ip::tcp::endpoint& at,
             boost::asio::ssl::context* tls);

    void start() { accept(); }
    std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

    boost::asio::io_context& context() { return context_; }
    model_server& server() { return server_; }
    // Only when the instance has simulated time.
    engine_driver& driver() { return *driver_; }

private:
    void accept();

    boost::asio::io_context& context_;
    model_server server_;
    std::optional<engine_driver> driver_;
    boost::asio::ip::tcp::acceptor acceptor_;
    boost::asio::ssl::context* tls_;
    std::uint64_t connections_ = 0;
};

}  // namespace sluice::sim
