#include "picker/fleet.hpp"

#include <algorithm>
#include <memory>
#include <queue>
#include <stdexcept>
#include <tuple>
#include <unordered_map>

namespace sluice::picker_bench {
namespace {

using sim::sim_time;

double seconds(sim_time t) {
    return std::chrono::duration<double>(t).count();
}

sim_time at(double s) {
    return std::chrono::round<sim_time>(std::chrono::duration<double>(s));
}

enum class what : std::uint8_t { poll, ready, drain, kill, send };

struct event {
    sim_time time{};
    what kind{};
    std::uint32_t index = 0;  // of the request or the endpoint
    std::uint64_t order = 0;  // what was planned first comes first
};

struct later {
    bool operator()(const event& a, const event& b) const {
        return std::tie(a.time, a.order) > std::tie(b.time, b.order);
    }
};

struct server {
    explicit server(const sim::engine_profile& p) : engine(p) {}
    sim::engine engine;
    std::unordered_map<std::uint64_t, std::uint32_t> requests;  // engine's number -> index of the request
};

class simulation {
public:
    simulation(const workload& w, const fleet_plan& fleet, policy& p);
    run_result serve();

private:
    void plan(double time_s, what kind, std::size_t index) { plan(at(time_s), kind, index); }
    void plan(sim_time time, what kind, std::size_t index) {
        planned_.push({time, kind, static_cast<std::uint32_t>(index), planned_count_++});
    }
    void handle(const event& e);
    void send(std::uint32_t index);
    void submit(std::uint32_t index, std::size_t endpoint);
    void drop(std::uint32_t index);
    void send_late();
    void step(std::size_t endpoint);
    void finished(std::uint32_t index, std::size_t endpoint);
    void poll();
    void drain(std::size_t endpoint);
    void kill(std::size_t endpoint);
    void go_down(std::size_t endpoint);

    const workload& workload_;
    const fleet_plan& fleet_;
    policy& policy_;
    std::vector<std::vector<std::uint32_t>> followers_;
    std::vector<std::unique_ptr<server>> servers_;  // a new one after each restart
    std::vector<endpoint_info> infos_;
    std::vector<bool> draining_;
    std::priority_queue<event, std::vector<event>, later> planned_;
    std::uint64_t planned_count_ = 0;
    sim_time now_{};
    std::size_t left_;
    std::vector<sim::progress> progress_;
    std::vector<late_choice> late_;
    run_result result_;
};

simulation::simulation(const workload& w, const fleet_plan& fleet, policy& p)
    : workload_(w),
      fleet_(fleet),
      policy_(p),
      followers_(w.requests.size()),
      draining_(fleet.endpoints.size()),
      left_(w.requests.size()) {
    result_.outcomes.resize(w.requests.size());
    for (std::size_t e = 0; e < fleet.endpoints.size(); ++e) {
        const endpoint_plan& endpoint = fleet.endpoints[e];
        servers_.push_back(std::make_unique<server>(endpoint.engine));
        infos_.push_back({.ready = endpoint.ready_from_s <= 0, .kv_tokens = endpoint.engine.kv_tokens});
        if (endpoint.ready_from_s > 0) plan(endpoint.ready_from_s, what::ready, e);
        if (endpoint.restart_at_s >= 0) plan(endpoint.restart_at_s, what::drain, e);
    }
    plan(0, what::poll, 0);
    for (std::size_t i = 0; i < w.requests.size(); ++i) {
        const request& r = w.requests[i];
        if (r.follows == request::nothing) {
            plan(r.at_s, what::send, i);
        } else {
            followers_.at(static_cast<std::size_t>(r.follows)).push_back(static_cast<std::uint32_t>(i));
        }
    }
}

run_result simulation::serve() {
    while (left_ > 0) {
        // The engine whose step ends first, unless something planned comes before it.
        std::size_t next = servers_.size();
        sim_time time = planned_.top().time;  // there is always the next poll
        for (std::size_t e = 0; e < servers_.size(); ++e) {
            const auto end = servers_[e]->engine.next_event();
            if (end && *end < time) {
                time = *end;
                next = e;
            }
        }
        now_ = time;
        ++result_.events;
        if (next < servers_.size()) {
            step(next);
        } else {
            const event e = planned_.top();
            planned_.pop();
            handle(e);
        }
        send_late();
    }
    for (const auto& s : servers_) result_.ends.push_back(s->engine.load());
    return std::move(result_);
}

void simulation::handle(const event& e) {
    switch (e.kind) {
        case what::poll:
            return poll();
        case what::send:
            return send(e.index);
        case what::drain:
            return drain(e.index);
        case what::kill:
            return kill(e.index);
        case what::ready:
            infos_[e.index].ready = true;
            return policy_.on_restarted(e.index);
    }
}

void simulation::send(std::uint32_t index) {
    constexpr double nobody_ready_retry_s = 0.5;
    const request& r = workload_.requests[index];
    outcome& o = result_.outcomes[index];
    if (o.sent_s < 0) o.sent_s = seconds(now_);
    if (std::none_of(infos_.begin(), infos_.end(), [](const endpoint_info& e) { return e.ready; }))
        return plan(now_ + at(nobody_ready_retry_s), what::send, index);

    const std::size_t prompt_blocks = std::min<std::size_t>(r.blocks.size(), r.prompt_tokens / block_tokens);
    const arrival a{.id = index,
                    .blocks = std::span(r.blocks).first(prompt_blocks),
                    .prompt_tokens = r.prompt_tokens,
                    .session = r.session,
                    .adapter = r.adapter,
                    .priority = r.priority,
                    .tenant = r.tenant};
    const std::size_t endpoint = policy_.choose(a, infos_, seconds(now_));
    if (endpoint != policy::later) submit(index, endpoint);
}

void simulation::submit(std::uint32_t index, std::size_t endpoint) {
    const request& r = workload_.requests[index];
    outcome& o = result_.outcomes[index];
    if (!infos_.at(endpoint).ready) throw std::logic_error("a policy chose an endpoint that is not ready");
    ++o.attempts;
    o.endpoint = static_cast<std::uint32_t>(endpoint);
    server& s = *servers_[endpoint];
    sim::sequence_spec spec{r.prompt_tokens, r.output_tokens, r.blocks,
                            r.adapter == 0 ? "" : std::to_string(r.adapter)};
    if (!s.engine.fits(spec)) throw std::invalid_argument("a request of " + workload_.name + " fits no endpoint");
    s.requests.emplace(s.engine.submit(std::move(spec), now_), index);
}

void simulation::drop(std::uint32_t index) {
    result_.outcomes[index].dropped = true;
    --left_;
    for (const std::uint32_t next : followers_[index]) drop(next);
}

void simulation::send_late() {
    late_.clear();
    policy_.choose_late(late_, seconds(now_));
    for (const late_choice& l : late_) {
        const auto index = static_cast<std::uint32_t>(l.id);
        l.endpoint == late_choice::dropped ? drop(index) : submit(index, l.endpoint);
    }
}

void simulation::step(std::size_t endpoint) {
    progress_.clear();
    servers_[endpoint]->engine.advance(now_, progress_);
    for (const sim::progress& p : progress_) {
        if (p.delivered != 1 && !p.finished) continue;
        auto& requests = servers_[endpoint]->requests;
        const std::uint32_t index = requests.at(p.id);
        outcome& o = result_.outcomes[index];
        if (p.delivered == 1) {
            // An answer that broke off has had its first token already.
            if (o.first_token_s < 0) o.first_token_s = seconds(now_);
            o.cached_tokens = static_cast<std::uint32_t>(p.cached_tokens);
            policy_.on_first_token(index, seconds(now_));
        }
        if (!p.finished) continue;
        requests.erase(p.id);
        finished(index, endpoint);
    }
}

void simulation::finished(std::uint32_t index, std::size_t endpoint) {
    const request& r = workload_.requests[index];
    outcome& o = result_.outcomes[index];
    o.done_s = seconds(now_);
    --left_;
    policy_.on_done(index, {r.prompt_tokens, o.cached_tokens, r.output_tokens}, o.done_s);
    for (const std::uint32_t next : followers_[index]) plan(now_ + at(workload_.requests[next].at_s), what::send, next);
    if (draining_[endpoint] && servers_[endpoint]->requests.empty()) go_down(endpoint);
}

void simulation::poll() {
    for (std::size_t e = 0; e < servers_.size(); ++e) {
        const sim::engine_load load = servers_[e]->engine.load();
        infos_[e].running = load.running;
        infos_[e].waiting = load.waiting;
        infos_[e].kv_use = load.kv_usage();
    }
    policy_.on_poll(infos_, seconds(now_));
    plan(now_ + at(fleet_.poll_interval_s), what::poll, 0);
}

void simulation::drain(std::size_t endpoint) {
    infos_[endpoint].ready = false;
    draining_[endpoint] = true;
    if (servers_[endpoint]->requests.empty()) return go_down(endpoint);
    plan(now_ + at(fleet_.endpoints[endpoint].grace_s), what::kill, endpoint);
}

void simulation::kill(std::size_t endpoint) {
    if (!draining_[endpoint]) return;
    std::vector<std::uint32_t> broken;
    for (const auto& [id, index] : servers_[endpoint]->requests) broken.push_back(index);
    std::sort(broken.begin(), broken.end());
    go_down(endpoint);
    for (const std::uint32_t index : broken) {
        policy_.on_failed(index, seconds(now_));
        send(index);
    }
}

void simulation::go_down(std::size_t endpoint) {
    draining_[endpoint] = false;
    servers_[endpoint] = std::make_unique<server>(fleet_.endpoints[endpoint].engine);
    plan(now_ + at(fleet_.endpoints[endpoint].down_s), what::ready, endpoint);
}

}  // namespace

fleet_plan usual_fleet(std::size_t count, std::size_t kv_tokens) {
    endpoint_plan e;
    e.engine.block_tokens = block_tokens;
    e.engine.kv_tokens = kv_tokens;
    fleet_plan f;
    f.endpoints.assign(count, e);
    return f;
}

sim::engine_profile slower(sim::engine_profile engine, double factor) {
    for (sim_time* t : {&engine.step_base, &engine.per_prefill_token, &engine.per_decode, &engine.per_context_token})
        *t = std::chrono::round<sim_time>(std::chrono::duration<double, std::nano>(*t) * factor);
    return engine;
}

run_result run(const workload& w, const fleet_plan& fleet, policy& p) {
    return simulation(w, fleet, p).serve();
}

}  // namespace sluice::picker_bench
