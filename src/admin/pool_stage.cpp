#include "admin/pool_stage.hpp"

#include "admin/pool_json.hpp"
#include "http/path.hpp"

#include <array>
#include <charconv>
#include <chrono>

namespace sluice::admin {
namespace {

constexpr std::array<std::string_view, 3> actions{"drain", "offline", "online"};

std::chrono::steady_clock::time_point now() {
    return std::chrono::steady_clock::now();
}

// "250ms", "30s", "5m".
std::optional<std::chrono::milliseconds> duration_of(std::string_view text) {
    std::int64_t n = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
    const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    constexpr std::int64_t day_ms = 86'400'000;
    if (ec != std::errc{} || n < 0 || n > day_ms) return std::nullopt;
    const std::int64_t ms = unit == "ms" ? n : unit == "s" ? n * 1000 : unit == "m" ? n * 60'000 : -1;
    if (ms < 0 || ms > day_ms) return std::nullopt;
    return std::chrono::milliseconds(ms);
}

}  // namespace

// /pools[/{pool}[/endpoints[/{id}[:action]]]]
std::optional<pool_stage::request_path> pool_stage::parse(std::string_view path) {
    constexpr std::string_view root = "/pools";
    if (!path.starts_with(root)) return std::nullopt;
    path.remove_prefix(root.size());
    request_path p;
    if (path.empty()) return p;
    if (path.front() != '/') return std::nullopt;
    path.remove_prefix(1);
    const auto slash = path.find('/');
    p.pool = path.substr(0, slash);
    if (p.pool.empty()) return std::nullopt;
    if (slash == path.npos) return p;
    path.remove_prefix(slash + 1);
    const auto end = path.find('/');
    if (path.substr(0, end) != "endpoints") return std::nullopt;
    p.endpoints = true;
    if (end == path.npos) return p;
    const auto id = http::percent_decode(path.substr(end + 1));
    if (!id || id->empty()) return std::nullopt;
    p.id = *id;
    for (const std::string_view action : actions) {
        if (p.id.size() <= action.size() + 1 || !p.id.ends_with(action)) continue;
        const std::size_t colon = p.id.size() - action.size() - 1;
        if (p.id[colon] != ':') continue;
        p.action = action;
        p.id.resize(colon);
        break;
    }
    return p;
}

awaitable<void> pool_stage::serve(exchange& x, next_stage next) {
    const auto path = parse(x.request().path());
    if (!path) {
        co_await next(x);
        co_return;
    }
    const auto pools = sources_.pools();
    if (path->pool.empty()) {
        if (x.request().method != "GET") co_return x.fail(error{error_kind::method_not_allowed, "Only GET."});
        co_await x.respond_json(200, write_pools(pools));
        co_return;
    }
    for (const auto& pool : pools) {
        if (pool->name() != path->pool) continue;
        if (path->id.empty()) {
            co_await serve_pool(x, *pool, *path);
        } else {
            co_await serve_endpoint(x, *pool, *path);
        }
        co_return;
    }
    x.fail(error{error_kind::not_found, "There is no pool \"" + path->pool.substr(0, 64) + "\"."});
}

awaitable<void> pool_stage::serve_pool(exchange& x, routing::endpoint_pool& pool, const request_path& path) {
    const std::string& method = x.request().method;
    if (method == "GET") {
        co_await x.respond_json(200, write_endpoints(pool.list(now())));
        co_return;
    }
    if (method != "POST" || !path.endpoints)
        co_return x.fail(error{error_kind::method_not_allowed, "Only GET and, of endpoints, POST."});
    const auto body = co_await x.json();
    if (!body) co_return x.fail(body.error());
    routing::endpoint_config e;
    const auto read = read_endpoint(**body, e);
    if (!read) co_return x.fail(read.error());
    if (e.url.empty()) co_return x.fail(error{error_kind::bad_request, "`url` is missing.", "url"});
    const auto id = pool.add(e, now());
    if (!id) co_return x.fail(id.error());
    co_await answer_changed(x, pool, *id, 201);
}

awaitable<void> pool_stage::serve_endpoint(exchange& x, routing::endpoint_pool& pool, const request_path& path) {
    const std::string& method = x.request().method;
    const auto known = pool.find(path.id, now());
    if (!known)
        co_return x.fail(error{error_kind::not_found, "There is no endpoint \"" + path.id.substr(0, 128) + "\"."});
    result<void> done;
    if (!path.action.empty()) {
        if (method != "POST") co_return x.fail(error{error_kind::method_not_allowed, "Only POST."});
        if (path.action == "drain") {
            std::optional<std::chrono::milliseconds> timeout;
            if (const auto text = http::query_parameter(x.request().query(), "timeout")) {
                timeout = duration_of(*text);
                if (!timeout) {
                    co_return x.fail(
                        error{error_kind::bad_request, "`timeout` is a duration like 30s or 5m.", "timeout"});
                }
            }
            done = pool.drain(path.id, timeout, now());
        } else {
            done = path.action == "offline" ? pool.take_offline(path.id, now()) : pool.bring_online(path.id, now());
        }
    } else if (method == "GET") {
        co_await x.respond_json(200, write_endpoint(*known));
        co_return;
    } else if (method == "PATCH") {
        const auto body = co_await x.json();
        if (!body) co_return x.fail(body.error());
        routing::endpoint_config e = known->config;
        if ((*body)->find("id"))
            co_return x.fail(error{error_kind::bad_request, "The `id` of an endpoint stays.", "id"});
        const auto read = read_endpoint(**body, e);
        if (!read) co_return x.fail(read.error());
        done = pool.change(path.id, e, now());
    } else if (method == "DELETE") {
        done = pool.remove(path.id, now());
        if (!done) co_return x.fail(done.error());
        const bool kept = sources_.keep(pool);
        co_await x.respond_json(
            200, kept ? R"({"deleted":true,"persisted":true})" : R"({"deleted":true,"persisted":false})");
        co_return;
    } else {
        co_return x.fail(error{error_kind::method_not_allowed, "Only GET, PATCH and DELETE."});
    }
    if (!done) co_return x.fail(done.error());
    co_await answer_changed(x, pool, path.id, 200);
}

awaitable<void> pool_stage::answer_changed(exchange& x, routing::endpoint_pool& pool, std::string_view id, int status) {
    const bool kept = sources_.keep(pool);
    const auto e = pool.find(id, now());
    if (!e) co_return x.fail(error{error_kind::not_found, "The endpoint has gone meanwhile."});
    co_await x.respond_json(status, write_endpoint(*e, kept));
}

}  // namespace sluice::admin
