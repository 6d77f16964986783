#include "admin/admin_stages.hpp"

namespace sluice::admin {
namespace {

awaitable<void> answer(exchange& x, int status, std::string_view type, std::string_view body) {
    response_head head;
    head.status = status;
    head.headers.add("Content-Type", type);
    co_await x.respond(std::move(head), body);
}

}  // namespace

awaitable<void> status_stage::serve(exchange& x, next_stage next) {
    const request_head& request = x.request();
    const std::string_view path = request.path();
    if (path != "/healthz" && path != "/readyz" && path != "/metrics") {
        co_await next(x);
        co_return;
    }
    if (request.method != "GET" && request.method != "HEAD") {
        x.fail(error{error_kind::method_not_allowed, "Only GET and HEAD."});
    } else if (path == "/metrics") {
        const std::string text = sources_.scrape();
        co_await answer(x, 200, "text/plain; version=0.0.4; charset=utf-8", text);
    } else {
        const bool fine = path == "/healthz" || sources_.ready();
        co_await answer(x, fine ? 200 : 503, "text/plain", fine ? "ok\n" : "not ready\n");
    }
}

}  // namespace sluice::admin
