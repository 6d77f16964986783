#include "sim/io_instance.hpp"

#include "sim/io_connection.hpp"

namespace sluice::sim {

using boost::asio::ip::tcp;

instance::instance(boost::asio::io_context& context, server_profile profile, const tcp::endpoint& at,
                   boost::asio::ssl::context* tls)
    : context_(context), server_(std::move(profile)), acceptor_(context, at, true), tls_(tls) {
    if (!server_.instant()) driver_.emplace(context_, server_.engine(), server_.profile().time_scale);
}

void instance::accept() {
    acceptor_.async_accept([this](boost::system::error_code ec, tcp::socket socket) {
        if (ec == boost::asio::error::operation_aborted) return;
        if (!ec) {
            if (server_.faults().dies_at_accept()) {
                socket.set_option(boost::asio::socket_base::linger(true, 0), ec);
                socket.close(ec);
            } else {
                std::make_shared<connection>(*this, std::move(socket), tls_, ++connections_)->start();
            }
        }
        accept();
    });
}

}  // namespace sluice::sim
