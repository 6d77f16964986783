#include "net/dialer.hpp"

#include <cassert>

namespace sluice::net {

awaitable<result<std::unique_ptr<stream>>> tcp_dialer::dial(const upstream_endpoint& e) {
    assert(e.connect_options != nullptr);
    const auto& how = *static_cast<const transport*>(e.connect_options.get());
    auto connected = co_await connector_.connect(how.connect, e.host, e.port, e.timeouts.connect);
    if (!connected) co_return connected.error();
    auto s = std::make_unique<stream>(loop_, std::move(connected->fd));
    if (e.tls) {
        assert(how.tls != nullptr);
        auto ssl = how.tls->new_session(sessions_, e.host, e.port);
        if (!ssl) co_return ssl.error();
        // One protocol is offered, so that no other can come about.
        constexpr unsigned char h2[] = {2, 'h', '2'};
        if (e.h2 && SSL_set_alpn_protos(ssl->get(), h2, sizeof h2) != 0)
            co_return error{error_kind::upstream_tls, "TLS cannot ask for HTTP/2."};
        auto shaken = co_await s->handshake(std::move(*ssl), e.host, e.timeouts.tls);
        if (!shaken) co_return shaken.error();
        const unsigned char* chosen = nullptr;
        unsigned length = 0;
        SSL_get0_alpn_selected(s->ssl(), &chosen, &length);
        if (e.h2 && length == 0) co_return error{error_kind::upstream_tls, "The upstream does not speak HTTP/2."};
    }
    co_return std::move(s);
}

}  // namespace sluice::net
