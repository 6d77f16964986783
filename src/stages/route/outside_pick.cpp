#include "stages/route/outside_pick.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <algorithm>

namespace sluice::route {

std::string endpoint_key(const upstream_endpoint& e) {
    const bool v6 = e.host.find(':') != std::string::npos;
    return (v6 ? '[' + e.host + ']' : e.host) + ':' + std::to_string(e.port);
}

namespace {

using ext_proc::dispatch;
using ext_proc::failure;
using ext_proc::immediate_reply;

std::vector<std::string> keys_of(const routing::pool_view& v) {
    std::vector<std::string> all;
    for (const auto& m : v.members) all.push_back(endpoint_key(m->address));
    return all;
}

ext_proc::message_head head_of(exchange& x) {
    ext_proc::message_head h;
    h.method = x.request().method;
    h.scheme = "http";
    h.authority = x.request().host;
    h.path = x.target->endpoint->base_path + x.target->path;
    h.headers = x.request().headers;
    return h;
}

std::string body_of(exchange& x) {
    return x.outgoing_body ? *x.outgoing_body : x.edits().apply(x.collected_body());
}

auto known_in(std::vector<std::string> keys) {
    return
        [keys = std::move(keys)](std::string_view e) { return std::find(keys.begin(), keys.end(), e) != keys.end(); };
}

}  // namespace

awaitable<outside_pick::outcome> outside_pick::ask() {
    const clock& time = pool_.common().time();
    routing::picker_service& service = *pool_.service();
    const auto began = time.now();
    if (!service.breaker().allow(began)) {
        service.skipped.add();
        if (service.config().session.on_failure == ext_proc::failure_mode::open) {
            decided_ = outcome::native;
        } else {
            error e{error_kind::no_target, "The picker of this model's servers is not available."};
            e.retry_after = std::chrono::seconds(service.config().session.retry_after);
            x_.fail(std::move(e));
            decided_ = outcome::denied;
        }
        co_return *decided_;
    }
    client_.emplace(service.config().session, known_in(keys_of(pool_.current())), service.channel(), time);
    const std::string body = body_of(x_);
    auto verdict = co_await client_->ask(head_of(x_), body, {});
    service.seconds.observe(std::chrono::duration<double>(time.now() - began).count());
    service.unknown_endpoints.add(static_cast<std::int64_t>(client_->session().unknown_endpoints()));
    service.refused_headers.add(static_cast<std::int64_t>(client_->session().refused_headers()));
    const failure why = client_->session().failed();
    if (why == failure::none) {
        service.breaker().succeeded();
    } else {
        service.breaker().failed(time.now());
        service.failed.add();
    }
    if (const auto* const reply = std::get_if<immediate_reply>(&verdict)) {
        if (why == failure::none) {
            service.denied.add();
            ext_proc::fail_with(x_, *reply);
        } else {
            error e{error_kind::no_target, "The picker of this model's servers failed: " + reply->details};
            e.retry_after = std::chrono::seconds(service.config().session.retry_after);
            x_.fail(std::move(e));
        }
        decided_ = outcome::denied;
    } else {
        go_ = std::move(std::get<dispatch>(verdict));
        (go_.native ? service.skipped : service.picked).add();
        decided_ = go_.native ? outcome::native : outcome::listed;
    }
    co_return *decided_;
}

std::shared_ptr<const routing::pool_member> outside_pick::next(const picker::slot_set& tried) const {
    const routing::pool_view& v = pool_.current();
    for (const std::string& wanted : go_.endpoints) {
        for (const auto& m : v.members) {
            if (endpoint_key(m->address) == wanted && !tried.test(m->slot)) return m;
        }
    }
    return nullptr;
}

void outside_pick::apply() {
    x_.request_to_change().headers = go_.head.headers;
    if (go_.body) x_.outgoing_body = *go_.body;
}

namespace {

struct shadow_request {
    ext_proc::message_head head;
    std::string body, chosen;
    std::vector<std::string> known;
};

awaitable<void> compare(const clock& time, std::shared_ptr<routing::picker_service> service, shadow_request asked) {
    ext_proc::processor_client client(service->config().session, known_in(asked.known), service->channel(), time);
    const auto verdict = co_await client.ask(std::move(asked.head), asked.body, {});
    const auto* const go = std::get_if<dispatch>(&verdict);
    if (client.session().failed() != failure::none || go == nullptr || go->endpoints.empty()) {
        service->failed.add();
    } else {
        (go->endpoints.front() == asked.chosen ? service->agreed : service->differed).add();
    }
}

}  // namespace

void shadow_pick(exchange& x, routing::pool_client& pool, const routing::pool_member& chosen) {
    const auto service = pool.service();
    if (!service->breaker().allow(pool.common().time().now())) return;
    shadow_request asked{head_of(x), body_of(x), endpoint_key(chosen.address), keys_of(pool.current())};
    boost::asio::co_spawn(pool.common().executor(), compare(pool.common().time(), service, std::move(asked)),
                          boost::asio::detached);
}

}  // namespace sluice::route
