#include "admin/admin_stages.hpp"

#include "http/path.hpp"

namespace sluice::admin {
namespace {

awaitable<void> answer(exchange& x, int status, std::string_view type, std::string_view body) {
    response_head head;
    head.status = status;
    head.headers.add("Content-Type", type);
    co_await x.respond(std::move(head), body);
}

// The model of /models/{name}/arms, as it stands there; nothing for another path.
std::optional<std::string_view> model_of(std::string_view path) {
    constexpr std::string_view before = "/models/", behind = "/arms";
    if (path.size() <= before.size() + behind.size() || !path.starts_with(before) || !path.ends_with(behind))
        return std::nullopt;
    return path.substr(before.size(), path.size() - before.size() - behind.size());
}

}  // namespace

awaitable<void> status_stage::serve(exchange& x, next_stage next) {
    const request_head& request = x.request();
    const std::string_view path = request.path();
    const auto model = sources_.arms ? model_of(path) : std::nullopt;
    if (path != "/healthz" && path != "/readyz" && path != "/metrics" && !model) {
        co_await next(x);
        co_return;
    }
    if (request.method != "GET" && request.method != "HEAD") {
        x.fail(error{error_kind::method_not_allowed, "Only GET and HEAD."});
    } else if (model) {
        const auto name = http::percent_decode(*model);
        const auto text = name ? sources_.arms(*name) : std::nullopt;
        if (!text) {
            x.fail(error{error_kind::not_found, "No arms of such a model are measured."});
        } else {
            co_await x.respond_json(200, *text);
        }
    } else if (path == "/metrics") {
        const std::string text = sources_.scrape();
        co_await answer(x, 200, "text/plain; version=0.0.4; charset=utf-8", text);
    } else {
        const bool fine = path == "/healthz" || sources_.ready();
        co_await answer(x, fine ? 200 : 503, "text/plain", fine ? "ok\n" : "not ready\n");
    }
}

}  // namespace sluice::admin
