#include "stages/route/outside_pick.hpp"

#include "http/authority.hpp"
#include "http/reserved_header.hpp"
#include "routing/admission/request_class.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <algorithm>

namespace sluice::route {

std::string endpoint_key(const upstream_endpoint& e) {
    return http::write_authority(e.host, e.port);
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

ext_proc::message_head head_of(exchange& x, const header_list& more) {
    ext_proc::message_head h;
    h.method = x.request().method;
    h.scheme = "http";
    h.authority = x.request().host;
    h.path = x.target->endpoint->base_path + x.target->path;
    // What clients prove themselves with is for us alone.
    h.headers.add_from(x.request().headers,
                       [](const header_list::field& f) { return !http::credential_header(f.name); });
    h.headers.add_from(more, [](const header_list::field&) { return true; });
    h.headers.set("x-request-id", x.request_id());
    return h;
}

std::string body_of(exchange& x) {
    return x.outgoing_body ? *x.outgoing_body : x.edits().apply(x.collected_body());
}

// What a callout is asked: the pool's own choices come first.
std::string question_of(exchange& x, routing::pool_client& pool, const picker::request_features& f,
                        std::string_view model) {
    const routing::pool_view& v = pool.current();
    picker::endpoint_picker& p = pool.pool().picker();
    const auto choice = p.pick(f, v.picks, pool.common().time().recent());
    std::vector<std::string> addresses = keys_of(v);
    callout::question q;
    q.request_id = x.request_id();
    q.route = x.route_name();
    q.pool = pool.pool().name();
    q.model = model;
    if (f.adapter != 0) q.adapter = model;
    q.session = x.request().headers.find(pool.config().session_header).value_or("");
    q.prompt_tokens = choice.prompt_tokens;
    std::vector<std::uint64_t> prefix;
    for (const picker::prefix_block& b : f.blocks) {
        if (prefix.size() < callout::prefix_max) prefix.push_back(b.hash);
    }
    q.prefix = prefix;
    for (const std::string& name : pool.config().callout->headers) {
        if (const auto value = x.request().headers.find(name)) q.headers.emplace_back(name, *value);
    }
    const auto add = [&](std::size_t at, const picker::candidate_endpoint* best) {
        const routing::pool_member& m = *v.members[at];
        callout::candidate& c = q.candidates.emplace_back();
        c.id = m.id;
        c.address = addresses[at];
        c.labels = &m.labels;
        c.inflight = p.load(m.slot).inflight;
        if (best == nullptr) return;
        c.expected_ttft_s = best->expected.ttft_s;
        c.cached_tokens = best->cached_tokens;
    };
    for (std::size_t i = 0; i < choice.count; ++i) add(choice.best[i].at, &choice.best[i]);
    for (std::size_t at = 0; at < v.members.size(); ++at) {
        const bool there =
            std::any_of(choice.best.begin(), choice.best.begin() + static_cast<std::ptrdiff_t>(choice.count),
                        [&](const auto& b) { return b.at == at; });
        if (!there) add(at, nullptr);
    }
    return callout::write(q);
}

// May a picker name it? `passthrough` outlives what is returned.
auto known_in(std::vector<std::string> keys, const routing::destination_guard* passthrough) {
    return [keys = std::move(keys), passthrough](std::string_view e) {
        if (std::find(keys.begin(), keys.end(), e) != keys.end()) return true;
        return passthrough != nullptr && passthrough->admit(e).has_value();
    };
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
    client_.emplace(service.config().session, known_in(keys_of(pool_.current()), service.passthrough()),
                    service.channel(), time);
    const std::string body = body_of(x_);
    auto verdict = co_await client_->ask(head_of(x_, more_), body, {});
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

// Those of the pool, in their order.
void outside_pick::take_list(std::vector<std::string> names) {
    const routing::pool_view& v = pool_.current();
    const auto unknown = std::erase_if(names, [&](const std::string& name) {
        return std::none_of(v.members.begin(), v.members.end(),
                            [&](const auto& m) { return m->id == name || endpoint_key(m->address) == name; });
    });
    pool_.callout()->unknown_endpoints.add(static_cast<std::int64_t>(unknown));
    go_.endpoints = std::move(names);
    decided_ = go_.endpoints.empty() ? outcome::native : outcome::listed;
}

awaitable<outside_pick::outcome> outside_pick::ask_callout(const picker::request_features& f, std::string_view model) {
    const routing::picker_callout_config& config = *pool_.config().callout;
    auto& state = *pool_.callout();
    const clock& time = pool_.common().time();
    const header_list& headers = x_.request().headers;
    std::string key;
    if (const auto shared = headers.find(config.cache_header); shared && !config.cache_header.empty()) {
        key.append(model).append("\n").append(x_.caller.tenant).append("\n").append(*shared);
        if (const auto* const kept = state.kept.find(key, time.recent())) {
            state.cached.add();
            take_list(*kept);
            co_return *decided_;
        }
    }
    decided_ = outcome::native;
    if (!state.breaker->allow(time.now())) {
        state.native.add();
        co_return *decided_;
    }
    fetch_request r;
    r.method = "POST";
    r.url = config.url;
    r.headers.add("content-type", "application/json");
    r.body = question_of(x_, pool_, f, model);
    r.timeout = config.timeout;
    r.body_bytes_max = callout::answer_bytes_max;
    auto reply = co_await pool_.common().fetcher().fetch(std::move(r));
    auto said = reply ? callout::read(reply->head.status, reply->body) : result<callout::verdict>(reply.error());
    if (!said) {
        state.breaker->failed(time.now());
        state.failed.add();
        co_return *decided_;
    }
    state.breaker->succeeded();
    if (said->status != 0) {
        state.denied.add();
        ext_proc::fail_with(x_, {said->status, std::move(said->headers), std::move(said->body), {}});
        decided_ = outcome::denied;
        co_return *decided_;
    }
    if (!key.empty()) state.kept.keep(key, said->endpoints, said->ttl, time.recent());
    (said->endpoints.empty() ? state.native : state.picked).add();
    take_list(std::move(said->endpoints));
    co_return *decided_;
}

std::shared_ptr<const routing::pool_member> outside_pick::next(const picker::slot_set& tried) const {
    const routing::pool_view& v = pool_.current();
    for (const std::string& wanted : go_.endpoints) {
        bool known = false;
        for (const auto& m : v.members) {
            if (endpoint_key(m->address) != wanted && m->id != wanted) continue;
            if (!tried.test(m->slot)) return m;
            known = true;
        }
        if (known) continue;
        if (auto m = passed_through(v, wanted); m != nullptr && !tried.test(m->slot)) {
            pool_.service()->passed.add();
            return m;
        }
    }
    return nullptr;
}

std::shared_ptr<const routing::pool_member> outside_pick::passed_through(const routing::pool_view& v,
                                                                         std::string_view wanted) const {
    if (advises() || pool_.service()->passthrough() == nullptr) return nullptr;
    const auto address = pool_.service()->passthrough()->admit(wanted);
    if (!address) return nullptr;
    const auto now = pool_.common().time().recent();
    for (const auto& m : v.named) {
        if (m->id != *address) continue;
        m->state->named_at.store(routing::ticks(now), std::memory_order_relaxed);
        return m;
    }
    return pool_.pool().admit(*address, now);
}

void outside_pick::apply() {
    if (advises()) return;
    x_.request_to_change().headers = go_.head.headers;
    [[maybe_unused]] const header_list for_the_picker = admission::take_class_headers(x_.request_to_change().headers);
    if (go_.body) x_.outgoing_body = *go_.body;
}

namespace {

struct shadow_request {
    ext_proc::message_head head;
    std::string body, chosen;
    std::vector<std::string> known;
};

awaitable<void> compare(const clock& time, std::shared_ptr<routing::picker_service> service, shadow_request asked) {
    ext_proc::processor_client client(service->config().session, known_in(asked.known, service->passthrough()),
                                      service->channel(), time);
    const auto verdict = co_await client.ask(std::move(asked.head), asked.body, {});
    const auto* const go = std::get_if<dispatch>(&verdict);
    if (client.session().failed() != failure::none || go == nullptr || go->endpoints.empty()) {
        service->failed.add();
    } else {
        (go->endpoints.front() == asked.chosen ? service->agreed : service->differed).add();
    }
}

}  // namespace

void shadow_pick(exchange& x, routing::pool_client& pool, const header_list& more, const routing::pool_member& chosen) {
    const auto service = pool.service();
    if (!service->breaker().allow(pool.common().time().now())) return;
    shadow_request asked{head_of(x, more), body_of(x), endpoint_key(chosen.address), keys_of(pool.current())};
    boost::asio::co_spawn(pool.common().executor(), compare(pool.common().time(), service, std::move(asked)),
                          boost::asio::detached);
}

}  // namespace sluice::route
