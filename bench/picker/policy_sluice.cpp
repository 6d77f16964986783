#include "picker/policy_sluice.hpp"

#include "picker/random.hpp"
#include "picker/workload.hpp"

#include <fmt/core.h>

#include <stdexcept>

namespace sluice::picker_bench {
namespace {

constexpr std::uint64_t model = 1;
constexpr std::uint32_t block_bytes = block_tokens * token_bytes;

picker::picker_options options_of(const policy_settings& s) {
    picker::picker_options o;
    o.index.endpoints = s.endpoints;
    o.seed = s.seed;
    return o;
}

// As the gateway's hasher cuts prompts: every end of one of its blocks is the end of one of ours, and the name there
// stands for all before it.
std::vector<picker::prefix_block> grown(std::span<const std::uint64_t> names) {
    std::vector<picker::prefix_block> blocks;
    for (std::uint64_t end = 0; blocks.size() < picker::prefix_hasher::blocks_max;) {
        end += picker::prefix_hasher::block_size(end);
        if (end > names.size() * block_bytes) break;
        blocks.push_back({names[end / block_bytes - 1] | 1, static_cast<std::uint32_t>(end)});
    }
    return blocks;
}

}  // namespace

picker::steady_time at(double now_s) {
    const std::chrono::duration<double> d(now_s);
    return picker::steady_time(std::chrono::hours(1) + std::chrono::round<picker::steady_time::duration>(d));
}

policy_sluice::policy_sluice(const policy_settings& s) : picker_(options_of(s)) {
    for (std::uint32_t i = 0; i < s.endpoints; ++i) {
        picker::pool_endpoint e;
        e.id = fmt::format("endpoint-{}", i);
        e.slot = i;
        e.any_adapter = true;
        e.kv_tokens = 0;  // watch() will tell
        pool_.endpoints.push_back(std::move(e));
    }
}

std::size_t policy_sluice::choose(const arrival& a, std::span<const endpoint_info> endpoints, double now_s) {
    prepare(a, endpoints);
    picker::pick_result choice = pick(a.id, now_s);
    if (choice.count == 0) throw std::logic_error("the picker refused a request that has no conditions");
    return dispatch(a.id, choice, now_s).slot;
}

void policy_sluice::prepare(const arrival& a, std::span<const endpoint_info> endpoints) {
    watch(endpoints);
    request_under_way& r = under_way_[a.id];
    r.blocks = grown(a.blocks);
    r.features.model = model;
    r.features.adapter = a.adapter == 0 ? 0 : stirred(a.adapter);
    r.features.session = a.session;
    r.features.blocks = r.blocks;
    r.features.prompt_bytes = std::uint64_t{a.prompt_tokens} * token_bytes;
}

picker::pick_result policy_sluice::pick(std::uint64_t id, double now_s) const {
    return picker_.pick(under_way_.at(id).features, pool_, at(now_s));
}

const picker::ticket& policy_sluice::dispatch(std::uint64_t id, picker::pick_result& choice, double now_s) {
    request_under_way& r = under_way_.at(id);
    r.ticket = picker_.dispatch(choice, r.features, pool_, at(now_s));
    return r.ticket;
}

void policy_sluice::on_first_token(std::uint64_t id, double now_s) {
    picker_.on_first_token(under_way_.at(id).ticket, at(now_s));
}

void policy_sluice::on_done(std::uint64_t id, const usage& u, double now_s) {
    request_under_way& r = under_way_.at(id);
    picker_.on_done(r.ticket, r.features, {u.prompt_tokens, u.cached_tokens, u.output_tokens}, at(now_s));
    under_way_.erase(id);
}

void policy_sluice::on_failed(std::uint64_t id, double now_s) {
    request_under_way& r = under_way_.at(id);
    picker_.on_failed(r.ticket, r.features, at(now_s));
    under_way_.erase(id);
}

void policy_sluice::on_poll(std::span<const endpoint_info> endpoints, double now_s) {
    watch(endpoints);
    for (std::uint32_t i = 0; i < endpoints.size(); ++i) {
        const endpoint_info& e = endpoints[i];
        const picker::polled_metrics m{e.kv_use, static_cast<std::int64_t>(e.running),
                                       static_cast<std::int64_t>(e.waiting)};
        picker_.on_metrics(i, m, at(now_s));
    }
}

void policy_sluice::on_restarted(std::size_t endpoint) {
    picker_.on_restart(static_cast<std::uint32_t>(endpoint));
}

// What the gateway's lifecycle would put into the snapshot.
void policy_sluice::watch(std::span<const endpoint_info> endpoints) {
    for (std::uint32_t i = 0; i < endpoints.size(); ++i) {
        picker::pool_endpoint& e = pool_.endpoints[i];
        e.weight = endpoints[i].ready ? 1 : 0;
        const auto kv_tokens = static_cast<std::int64_t>(endpoints[i].kv_tokens);
        if (e.kv_tokens == kv_tokens) continue;
        e.kv_tokens = kv_tokens;
        picker_.set_kv_capacity(i, kv_tokens, model);
    }
}

}  // namespace sluice::picker_bench
