#include "routing/picker/endpoint_picker.hpp"

#include <algorithm>
#include <cmath>

namespace sluice::picker {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;

constexpr double tie_s = 1e-4, tie_share = 0.01;  // costs that differ by less are equal
constexpr double promise_broken = 1e6;            // seconds: behind every cost

double overshoot(const request_features& f, const forecast& e) {
    double s = 0;
    if (f.ttft_slo_s > 0) s += std::max(0.0, e.ttft_s - f.ttft_slo_s);
    if (f.tpot_slo_s > 0) s += std::max(0.0, e.tpot_s - f.tpot_slo_s);
    return s;
}

bool contains(const std::vector<std::uint64_t>& names, std::uint64_t name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::string_view to_string(refusal r) {
    constexpr std::array<std::string_view, 8> names{"none",    "no_endpoint", "capability", "adapter",
                                                    "context", "busy",        "ttft_slo",   "tpot_slo"};
    return names[static_cast<std::size_t>(r)];
}

endpoint_picker::endpoint_picker(const picker_options& o) : options_(o), index_(o.index), slots_(index_.slots()) {
    for (slot_state& s : slots_) s.rates.reset(o.rates);
}

std::uint64_t endpoint_picker::name_of(const pool_endpoint& e) const {
    const std::uint64_t known = slots_[e.slot].name.load(relaxed);
    if (known != 0) return known;
    const std::uint64_t name = name_hash(e.id);
    slots_[e.slot].name.store(name, relaxed);
    return name;
}

refusal endpoint_picker::unfit(const pool_endpoint& e, const request_features& f, double tokens) const {
    if (e.weight <= 0 || e.slot >= slots_.size()) return refusal::no_endpoint;
    if (!covers(e.can, f.needs)) return refusal::capability;
    if (f.adapter != 0 && !e.any_adapter && !contains(e.adapters_known, f.adapter) &&
        !contains(e.adapters_active, f.adapter))
        return refusal::adapter;
    // Without a count of tokens the length is an estimate, and the model server's own refusal is better than ours.
    if (f.prompt_tokens > 0 && e.context_max > 0 &&
        tokens + static_cast<double>(f.output_tokens_max) > static_cast<double>(e.context_max))
        return refusal::context;
    if (e.concurrency_max > 0 && slots_[e.slot].load.read().inflight >= e.concurrency_max) return refusal::busy;
    return refusal::none;
}

// Has an endpoint of less than full weight its part of what the others have in flight?
bool endpoint_picker::warming_up(const pool_endpoint& e, const pool_snapshot& pool) const {
    if (e.weight >= 1) return false;
    double requests = 0, warm = 0;
    for (const pool_endpoint& other : pool.endpoints) {
        if (other.weight < 1 || other.slot >= slots_.size()) continue;
        requests += static_cast<double>(load(other.slot).inflight);
        warm += 1;
    }
    return warm > 0 && static_cast<double>(load(e.slot).inflight) >= 1 + e.weight * requests / warm;
}

endpoint_view endpoint_picker::view_of(const pool_endpoint& e, const request_features& f, steady_time now) const {
    const slot_state& s = slots_[e.slot];
    endpoint_view v;
    v.load = s.load.read();
    v.rates = s.rates.get();
    if (const std::int64_t going = v.load.inflight - v.load.waiting; going > 0) {
        const std::chrono::duration<double> began(1e-6 * static_cast<double>(v.load.started_us) /
                                                  static_cast<double>(going));
        v.age_s = std::chrono::duration<double>(now.time_since_epoch()).count() - began.count();
    }
    v.fill = index_.fill(e.slot);
    v.kv_tokens = static_cast<double>(e.kv_tokens);
    v.rtt_s = e.rtt_s;
    const std::int64_t polled = s.polled_at.load(relaxed);
    if (polled != 0 && seconds_between(steady_time(steady_time::duration(polled)), now) <= options_.stale_after_s) {
        v.kv_use = std::max(0.0, s.kv_use.load(relaxed));
        // Other clients' requests are taken to be like ours.
        if (const double foreign = s.foreign.load(relaxed); foreign >= 1) {
            const double each = v.load.inflight > 0
                                    ? static_cast<double>(v.load.context_tokens) / static_cast<double>(v.load.inflight)
                                    : 1'000;
            v.load.inflight += static_cast<std::int64_t>(foreign);
            v.load.context_tokens += static_cast<std::int64_t>(foreign * each);
        }
    }
    if (f.adapter != 0 && !contains(e.adapters_active, f.adapter))
        v.adapter_s = e.adapter_slots_free > 0 ? options_.weights.adapter_load_s : options_.weights.adapter_swap_s;
    return v;
}

// Endpoints of equal cost are told apart by a hash of their name and the request, so that gateways that know nothing
// of each other send the same conversation to the same endpoint. The block in the middle stands for a prompt without
// a session: the first ones are the same in too many prompts, the last ones in none.
std::uint64_t endpoint_picker::tie_key(const request_features& f) const {
    if (f.session != 0) return stir(f.session ^ options_.seed);
    if (!f.blocks.empty()) return stir(f.blocks[f.blocks.size() / 2].hash ^ options_.seed);
    return stir(options_.seed + picks_.fetch_add(1, relaxed));
}

pick_result endpoint_picker::pick(const request_features& f, const pool_snapshot& pool, steady_time now,
                                  const slot_set& excluded) const {
    prefix_match match;
    index_.match(f.blocks, match);
    const auto statistics = models_.get(f.model);
    pick_result out;
    out.prompt_tokens = f.prompt_tokens > 0
                            ? static_cast<double>(f.prompt_tokens)
                            : std::max(1.0, static_cast<double>(f.prompt_bytes) / statistics.bytes_per_token);
    out.output_tokens = statistics.output_tokens;
    if (f.output_tokens_max > 0)
        out.output_tokens = std::min(out.output_tokens, static_cast<double>(f.output_tokens_max));
    const double tokens_per_byte = f.prompt_bytes > 0 ? out.prompt_tokens / static_cast<double>(f.prompt_bytes) : 0;

    const double per_prompt_token = 1 / out.prompt_tokens;

    std::array<offer, endpoints_max> offers;
    std::array<keeping, endpoints_max> kept;
    std::size_t n = 0;
    refusal closest = refusal::no_endpoint;  // how far the endpoint came that came farthest
    for (std::uint32_t at = 0; at < pool.endpoints.size() && n < endpoints_max; ++at) {
        const pool_endpoint& e = pool.endpoints[at];
        refusal r = unfit(e, f, out.prompt_tokens);
        if (r != refusal::no_endpoint && excluded.test(e.slot)) r = refusal::no_endpoint;
        if (r == refusal::none && warming_up(e, pool)) r = refusal::busy;
        if (r != refusal::none) {
            closest = std::max(closest, r);
            continue;
        }
        const std::size_t matched = match.blocks[e.slot];
        const double trust = slots_[e.slot].trust.load(relaxed);
        const double cached = matched == 0 ? 0 : trust * tokens_per_byte * f.blocks[matched - 1].end;
        const endpoint_view view = view_of(e, f, now);
        kept[n] = {view.fill * view.rates.c0_s,
                   view.fill * view.rates.cd_s,
                   view.fill * view.rates.ckv_s,
                   static_cast<double>(view.load.inflight),
                   static_cast<double>(view.load.context_tokens),
                   1 - cached * per_prompt_token};
        offer& o = offers[n++];
        o.at = at;
        o.cached_tokens = cached;
        o.prefill_seen = view.load.prefill_tokens;
        o.expected = forecast_of({std::max(1.0, out.prompt_tokens - cached), out.prompt_tokens, out.output_tokens},
                                 view, options_.weights);
        const double over = overshoot(f, o.expected);
        o.rank = over > 0 ? promise_broken + over : o.expected.cost_s;
    }
    if (n == 0) {
        out.refused = closest;
        if (closest == refusal::busy) out.retry_after_s = 1;
        return out;
    }
    price_homes({offers.data(), n}, {kept.data(), n});
    choose({offers.data(), n}, f, pool, out);
    for (std::size_t i = 0; i < out.count; ++i) out.best[i].matched_blocks = match.blocks[out.best[i].slot];
    return out;
}

// The term H of the cost (cost.hpp), which takes all endpoints to tell.
void endpoint_picker::price_homes(std::span<offer> offers, std::span<const keeping> kept) const {
    double sequences = 0, context = 0;
    for (const keeping& k : kept) {
        sequences += k.inflight;
        context += k.context_tokens;
    }
    sequences /= static_cast<double>(kept.size());
    context /= static_cast<double>(kept.size());
    std::array<double, endpoints_max> drawn;
    double mean = 0;
    for (std::size_t i = 0; i < kept.size(); ++i) {
        const keeping& k = kept[i];
        drawn[i] = k.step + k.per_sequence * sequences + k.per_context * context;
        mean += drawn[i];
    }
    mean /= static_cast<double>(kept.size());
    if (mean <= 0) return;
    const double per_mean = 1 / mean;
    for (std::size_t i = 0; i < offers.size(); ++i) {
        offer& o = offers[i];
        const double home = home_price(drawn[i] * per_mean, kept[i].new_part, o.expected, options_.weights);
        o.expected.cost_s += home;
        if (o.rank < promise_broken) o.rank = o.expected.cost_s;
    }
}

void endpoint_picker::choose(std::span<offer> offers, const request_features& f, const pool_snapshot& pool,
                             pick_result& out) const {
    const std::size_t count = std::min(offers.size(), pick_result::choices_max);
    const auto by_rank = [](const offer& a, const offer& b) { return a.rank < b.rank; };
    std::partial_sort(offers.begin(), offers.begin() + static_cast<std::ptrdiff_t>(count), offers.end(), by_rank);
    const double margin = offers[0].rank + tie_s + tie_share * std::fabs(offers[0].expected.cost_s);
    std::size_t winner = 0, tied = 0;
    for (const offer& o : offers) tied += o.rank <= margin;
    if (tied > 1) {
        const std::uint64_t key = tie_key(f);
        std::uint64_t highest = 0;
        for (std::size_t i = 0; i < offers.size(); ++i) {
            if (offers[i].rank > margin) continue;
            const std::uint64_t h = stir(key ^ name_of(pool.endpoints[offers[i].at]));
            if (h >= highest) {
                highest = h;
                winner = i;
            }
        }
        // Those before it keep their order behind it.
        std::rotate(offers.begin(), offers.begin() + static_cast<std::ptrdiff_t>(winner),
                    offers.begin() + static_cast<std::ptrdiff_t>(winner) + 1);
    }
    for (std::size_t i = 0; i < count; ++i) {
        const offer& o = offers[i];
        out.best[i] = {o.at, pool.endpoints[o.at].slot, 0, o.cached_tokens, o.expected, o.prefill_seen};
    }
    out.count = count;
    const forecast& first = out.best[0].expected;
    const double late = f.ttft_slo_s > 0 ? first.ttft_s - f.ttft_slo_s : 0;
    out.slo_kept = overshoot(f, first) <= 0;
    if (!out.slo_kept && f.sheddable) {
        out.refused = late > 0 ? refusal::ttft_slo : refusal::tpot_slo;
        out.retry_after_s = std::max(late, 1.0);
        out.count = 0;
    }
}

}  // namespace sluice::picker
