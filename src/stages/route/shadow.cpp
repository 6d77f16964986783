#include "stages/route/shadow.hpp"

#include "http/usage_scanner.hpp"
#include "pipeline/relay.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <list>
#include <string>

namespace sluice::route {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr auto copy_timeout = 5min;                  // for all of one copy
constexpr std::size_t answer_bytes_max = 64u << 20;  // more is no answer worth measuring
constexpr double duration_bounds[] = {0.01, 0.02, 0.04, 0.08,  0.16,  0.32,  0.64,
                                      1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92};

counter& requests(metrics& m, std::string_view model, std::string_view outcome) {
    return m.get_counter("sluice_shadow_requests_total", "Copies sent to a model's shadow, by how they ended.",
                         {{"model", model}, {"outcome", outcome}});
}

counter& skipped(metrics& m, std::string_view model, std::string_view reason) {
    return m.get_counter("sluice_shadow_skipped_total", "Copies that were due but not sent.",
                         {{"model", model}, {"reason", reason}});
}

counter& tokens(metrics& m, std::string_view model, std::string_view type) {
    return m.get_counter("sluice_shadow_tokens_total", "Tokens that copies used.", {{"model", model}, {"type", type}});
}

counter& agreement(metrics& m, std::string_view model, std::string_view agrees) {
    return m.get_counter("sluice_shadow_agreement_total",
                         "Copies whose status was, or was not, of the class of the real answer's.",
                         {{"model", model}, {"agrees", agrees}});
}

}  // namespace

struct shadow_lane {
    shadow_lane(const routing::model& m, const routing::provider& p, std::size_t index, services& s)
        : of(m),
          at(p, s),
          budget(s.shared<shadow_budget>("shadow " + m.config.name, [] { return std::make_shared<shadow_budget>(); })),
          ok(requests(s.metrics(), m.config.name, "ok")),
          refused(requests(s.metrics(), m.config.name, "status")),
          failed(requests(s.metrics(), m.config.name, "failed")),
          cancelled(requests(s.metrics(), m.config.name, "cancelled")),
          over_budget(skipped(s.metrics(), m.config.name, "budget")),
          too_many(skipped(s.metrics(), m.config.name, "concurrent")),
          no_memory(skipped(s.metrics(), m.config.name, "memory")),
          unavailable(skipped(s.metrics(), m.config.name, "unavailable")),
          unsuited(skipped(s.metrics(), m.config.name, "unsuited")),
          duration(s.metrics().get_histogram("sluice_shadow_duration_seconds", "Duration of copies that went well.",
                                             duration_bounds, {{"model", m.config.name}})),
          input(tokens(s.metrics(), m.config.name, "input")),
          output(tokens(s.metrics(), m.config.name, "output")),
          agree(agreement(s.metrics(), m.config.name, "yes")),
          differ(agreement(s.metrics(), m.config.name, "no")) {
        const routing::shadow_config& c = *m.config.shadow;
        limits = {c.budget.requests_per_minute, c.budget.tokens_per_day, c.budget.max_concurrent};
        to.at = &p;
        to.provider_index = index;
        to.config.provider = c.target.provider;
        to.config.model = c.target.model;
        to.config.body = c.target.body;
    }

    const routing::model& of;
    routing::target to;
    routing::provider_runtime at;  // its own: it outlives the stage with the copies under way
    shadow_limits limits;
    std::shared_ptr<shadow_budget> budget;
    counter &ok, &refused, &failed, &cancelled;
    counter &over_budget, &too_many, &no_memory, &unavailable, &unsuited;
    histogram& duration;
    counter &input, &output;
    counter &agree, &differ;
};

struct shadow_crew {
    shadow_crew(std::shared_ptr<const routing::model_table> m, upstream_pool& p, services& s)
        : models(std::move(m)), pool(p), common(s) {}
    std::shared_ptr<const routing::model_table> models;  // lanes refer to it
    upstream_pool& pool;
    services& common;
    std::vector<std::unique_ptr<shadow_lane>> lanes;
    std::list<asio::cancellation_signal> running;
    bool closed = false;  // the stage is gone: no copy begins any more
};

namespace {

// One copy, with all that it holds.
struct copy {
    copy(std::shared_ptr<shadow_crew> c, shadow_lane& l) : crew(std::move(c)), lane(l), memory(crew->common) {}
    ~copy() {
        lane.budget->done();
        if (sent && !over) lane.cancelled.add();
        if (pair) pair->shadow(status);
    }
    copy(const copy&) = delete;
    copy& operator=(const copy&) = delete;

    const std::shared_ptr<shadow_crew> crew;
    shadow_lane& lane;
    memory_hold memory;
    std::string method, target, body;
    header_list headers;
    const upstream_endpoint* endpoint = nullptr;  // in the crew's models
    sluice::authorizer* authorizer = nullptr;     // of the lane
    std::shared_ptr<shadow_pair> pair;
    int status = 0;
    bool sent = false, over = false;
    http::usage_scanner usage;
};

std::string target_of(const exchange& x) {
    const upstream_target& t = *x.target;
    std::string target = t.endpoint->base_path + t.path;
    const bool own_query = t.translated || t.path.find('?') != std::string::npos;
    if (!own_query && !x.request().query().empty()) target.append("?").append(x.request().query());
    return target;
}

// One try on one connection, to the last byte of the answer.
awaitable<result<void>> ask(copy& c, upstream_connection& upstream, clock::time_point until) {
    const upstream_timeouts& limits = c.endpoint->timeouts;
    const outgoing_request request{c.method,  c.target,        c.endpoint->host_header,
                                   c.headers, framing::length, c.body.size()};
    std::array<std::string_view, 2> pieces{std::string_view{}, c.body};
    const auto sent = co_await upstream.send(request, pieces, true, limits.idle);
    if (!sent) co_return sent.error();
    const auto got = co_await upstream.receive_head(c.method, limits.first_byte);
    if (!got) co_return got.error();
    c.status = (*got)->status;
    for (std::size_t bytes = 0;;) {
        const auto piece = co_await upstream.receive(limits.idle);
        if (!piece) co_return piece.error();
        c.usage.feed(piece->data);
        bytes += piece->data.size();
        if (piece->last) break;
        if (bytes > answer_bytes_max || c.crew->common.time().recent() > until)
            co_return error{error_kind::upstream_idle_timeout, "The copy's answer took too long."};
    }
    co_return result<void>{};
}

awaitable<result<void>> call(copy& c, clock::time_point until) {
    if (c.authorizer != nullptr) {
        const std::vector<std::string_view> pieces{c.body};
        const auto authorized =
            co_await c.authorizer->authorize(c.method, c.endpoint->host_header, c.target, pieces, c.headers);
        if (!authorized) co_return authorized.error();
    }
    for (const reuse pooled : {reuse::allowed, reuse::never}) {
        auto opened = co_await c.crew->pool.open(*c.endpoint, pooled);
        if (!opened) co_return opened.error();
        const std::unique_ptr<upstream_connection> upstream = std::move(*opened);
        auto asked = co_await ask(c, *upstream, until);
        // A pooled connection may have been closed at the other side while the request was on its way.
        const bool stale =
            !asked && upstream->reused() && !upstream->got_bytes() && asked.error().kind == error_kind::upstream_reset;
        if (!stale) co_return asked;
    }
    co_return error{error_kind::upstream_reset, "The upstream closed the connection before it answered."};
}

awaitable<void> run(std::unique_ptr<copy> c) {
    const services& common = c->crew->common;
    const auto from = common.time().now();
    c->sent = true;
    const auto done = co_await call(*c, from + copy_timeout);
    c->over = true;
    shadow_lane& lane = c->lane;
    if (!done) {
        c->status = 0;
        lane.failed.add();
    } else if (c->status >= 400) {
        lane.refused.add();
    } else {
        lane.ok.add();
        lane.duration.observe(std::chrono::duration<double>(common.time().now() - from).count());
    }
    const token_usage used = c->usage.usage();
    const std::int64_t in = std::max<std::int64_t>(0, used.input), out = std::max<std::int64_t>(0, used.output);
    lane.input.add(in);
    lane.output.add(out);
    lane.budget->used(in + out, common.time().wall());
}

// In a later turn of the loop: the real request goes first.
void start(std::unique_ptr<copy> c) {
    const std::shared_ptr<shadow_crew> crew = c->crew;
    const auto place = crew->running.emplace(crew->running.end());
    const auto executor = crew->common.executor();
    asio::post(executor, [crew, place, executor, c = std::move(c)]() mutable {
        if (crew->closed) return;
        asio::co_spawn(executor, run(std::move(c)),
                       asio::bind_cancellation_slot(place->slot(), [crew, place, executor](const std::exception_ptr&) {
                           // Posted: this may run while the signal is being emitted.
                           asio::post(executor, [crew, place] { crew->running.erase(place); });
                       }));
    });
}

}  // namespace

void shadow_pair::compare(std::optional<int>& own, int status, const std::optional<int>& other) {
    if (own) return;
    own = status;
    if (!other || status == 0 || *other == 0) return;
    (status / 100 == *other / 100 ? agree_ : differ_).add();
}

shadow_watch::~shadow_watch() {
    if (!pair) return;
    const bool whole = x_.aborted() == abort_reason::none;
    pair->real(!whole ? 0 : x_.failure() ? status_of(*x_.failure()) : x_.upstream_status);
}

shadows::shadows(std::shared_ptr<const routing::model_table> models, upstream_pool* pool, services& s) {
    if (pool == nullptr) return;
    for (const auto& m : models->models()) {
        if (!m->config.shadow) continue;
        if (!crew_) crew_ = std::make_shared<shadow_crew>(models, *pool, s);
        for (std::size_t i = 0; i < models->providers().size(); ++i) {
            const routing::provider& p = *models->providers()[i];
            if (p.config.name == m->config.shadow->target.provider)
                crew_->lanes.push_back(std::make_unique<shadow_lane>(*m, p, i, s));
        }
    }
}

shadows::~shadows() {
    if (!crew_) return;
    crew_->closed = true;
    for (auto& signal : crew_->running) signal.emit(asio::cancellation_type::terminal);
}

std::optional<shadows::turn> shadows::draw(const exchange& x, const routing::model& m, random_source& random) {
    if (!crew_ || !m.config.shadow) return std::nullopt;
    // A body that streams past is seen once, and only JSON can be written anew for another target.
    if (!x.replayable() || x.parsed_json() == nullptr) return std::nullopt;
    const auto found =
        std::find_if(crew_->lanes.begin(), crew_->lanes.end(), [&](const auto& l) { return &l->of == &m; });
    if (found == crew_->lanes.end() || random.unit() >= m.config.shadow->share) return std::nullopt;
    shadow_lane& lane = **found;
    const auto now = crew_->common.time().recent();
    const auto any = [](std::size_t) { return true; };
    const auto endpoint = lane.at.pick_endpoint(now, true, any);
    const auto credential = lane.at.pick_credential(now, any);
    if (!endpoint || !credential) {
        lane.unavailable.add();
        return std::nullopt;
    }
    switch (lane.budget->begin(lane.limits, crew_->common.time().wall())) {
        case shadow_budget::answer::yes:
            return turn{&lane, routing::candidate{&lane.to, &lane.of, &lane.at, *endpoint, *credential}};
        case shadow_budget::answer::concurrent:
            lane.too_many.add();
            break;
        case shadow_budget::answer::requests:
        case shadow_budget::answer::tokens:
            lane.over_budget.add();
            break;
    }
    return std::nullopt;
}

std::shared_ptr<shadow_pair> shadows::send(const turn& t, exchange& x) {
    auto c = std::make_unique<copy>(crew_, *t.lane);
    const std::size_t bytes = x.outgoing_body ? x.outgoing_body->size() : x.edits().size(x.collected_body());
    if (!c->memory.reach(bytes)) {
        t.lane->no_memory.add();
        return nullptr;
    }
    c->body = x.outgoing_body ? std::move(*x.outgoing_body) : x.edits().apply(x.collected_body());
    c->method = x.request().method;
    c->target = target_of(x);
    filter_request_headers(x, c->headers);
    c->endpoint = x.target->endpoint;
    c->authorizer = x.target->authorizer;
    c->pair = std::make_shared<shadow_pair>(t.lane->agree, t.lane->differ);
    std::shared_ptr<shadow_pair> pair = c->pair;
    start(std::move(c));
    return pair;
}

void shadows::drop(const turn& t) {
    t.lane->unsuited.add();
    t.lane->budget->done();
}

}  // namespace sluice::route
