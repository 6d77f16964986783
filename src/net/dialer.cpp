#include "net/dialer.hpp"

#include "net/tls_error.hpp"

namespace sluice::net {

awaitable<result<std::unique_ptr<stream>>> tcp_dialer::dial(const upstream_endpoint& e) {
    const auto& how = *static_cast<const transport*>(e.connect_options.get());
    auto connected = co_await connector_.connect(how.connect, e.host, e.port, e.timeouts.connect);
    if (!connected) co_return connected.error();
    auto s = std::make_unique<stream>(loop_, std::move(connected->fd));
    if (e.tls) {
        auto ssl = how.tls->new_session(sessions_, e.host, e.port);
        if (!ssl) co_return ssl.error();
        auto shaken = co_await s->handshake(std::move(*ssl), e.timeouts.tls);
        if (!shaken) {
            error failed = shaken.error();
            if (failed.kind == error_kind::upstream_tls) failed.message = "TLS with " + e.host + " failed: " + describe_tls_error(s->ssl());
            co_return failed;
        }
    }
    co_return std::move(s);
}

}  // namespace sluice::net
