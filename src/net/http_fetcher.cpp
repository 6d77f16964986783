#include "net/http_fetcher.hpp"

#include "http/url.hpp"

#include <algorithm>
#include <array>

namespace sluice::net {
namespace {

using std::chrono::milliseconds;

awaitable<result<fetch_reply>> ask(upstream_connection& upstream, const fetch_request& request, const http::url& url,
                                   reactor& loop, std::chrono::steady_clock::time_point deadline) {
    const auto left = [&] {
        return std::max(milliseconds(1), std::chrono::duration_cast<milliseconds>(deadline - loop.now()));
    };
    const std::string host = url.authority();
    const outgoing_request head{request.method,
                                url.path_and_query,
                                host,
                                request.headers,
                                request.body.empty() ? framing::none : framing::length,
                                request.body.size()};
    std::array<std::string_view, 2> pieces{std::string_view{}, request.body};
    auto sent = co_await upstream.send(head, pieces, true, left());
    if (!sent) co_return sent.error();
    auto got = co_await upstream.receive_head(request.method, left());
    if (!got) co_return got.error();
    fetch_reply reply;
    reply.head = **got;
    for (;;) {
        auto piece = co_await upstream.receive(left());
        if (!piece) co_return piece.error();
        if (reply.body.size() + piece->data.size() > request.body_bytes_max) {
            co_return error{error_kind::upstream_protocol, "The reply of " + url.host + " is larger than allowed."};
        }
        reply.body.append(piece->data);
        if (piece->last) break;
        if (loop.now() >= deadline)
            co_return error{error_kind::upstream_idle_timeout, url.host + " answered too slowly."};
    }
    co_return std::move(reply);
}

}  // namespace

awaitable<result<fetch_reply>> http_fetcher::fetch(fetch_request request) {
    const auto url = http::parse_url(request.url);
    if (!url) co_return url.error();
    const auto deadline = loop_.now() + request.timeout;
    upstream_endpoint e;
    e.provider = e.name = url->host;
    e.tls = url->tls;
    e.host = url->host;
    e.port = url->port;
    e.host_header = url->authority();
    e.connect_options = request.allow_private ? anywhere_ : public_only_;
    e.pool_key = url->scheme + "://" + e.host_header + (request.allow_private ? " any" : " public");
    if (request.at != nullptr) e = *request.at;
    e.timeouts.connect = std::min(e.timeouts.connect, request.timeout);
    e.timeouts.tls = std::min(e.timeouts.tls, request.timeout);
    for (const reuse pooled : {reuse::allowed, reuse::never}) {
        auto opened = co_await pool_.open(e, pooled);
        if (!opened) co_return opened.error();
        const std::unique_ptr<upstream_connection> upstream = std::move(*opened);
        auto reply = co_await ask(*upstream, request, *url, loop_, deadline);
        if (reply) co_return std::move(reply);
        const bool stale =
            upstream->reused() && !upstream->got_bytes() && reply.error().kind == error_kind::upstream_reset;
        if (!stale) co_return reply.error();
    }
    co_return error{error_kind::upstream_reset, url->host + " closed the connection."};
}

}  // namespace sluice::net
