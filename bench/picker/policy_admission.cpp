#include "picker/policy_admission.hpp"

#include "picker/workload.hpp"
#include "routing/admission/request_class.hpp"

#include <fmt/core.h>

namespace sluice::picker_bench {

policy_admission::policy_admission(const policy_settings& s, const admission::admission_config& c)
    : base_(s), queue_(c.queue.values) {
    for (std::size_t e = 0; e < s.endpoints; ++e) {
        base_.set_limit(e, capacities_.emplace_back(c.capacity.values).limit());
    }
}

std::size_t policy_admission::choose(const arrival& a, std::span<const endpoint_info> endpoints, double now_s) {
    base_.prepare(a, endpoints);
    const picker::pick_result choice = base_.pick(a.id, now_s);
    if (queue_.idle()) {
        if (const std::size_t endpoint = try_to_place(a.id, now_s); endpoint != later) return endpoint;
    }
    admission::waker& woken_here = *this;
    auto& h = *held_.emplace(a.id, std::make_unique<held_request>(a.id, queue_, woken_here)).first->second;
    by_place_[&h.place] = &h;
    const std::string tenant = fmt::format("{}", a.tenant);
    const admission::queue_item item{.priority = a.priority,
                                     .tenant = tenant,
                                     .tokens = admission::fair_tokens(a.prompt_tokens, choice.output_tokens),
                                     .bytes = std::uint64_t{a.prompt_tokens} * token_bytes};
    const admission::enqueued e = queue_.enqueue(h.place, item, at(now_s), saturation());
    if (e == admission::enqueued::try_now) {
        woken_.push_back(&h.place);
    } else if (e != admission::enqueued::waits) {
        end(h, late_choice::dropped, refused_);
    }
    return later;
}

void policy_admission::choose_late(std::vector<late_choice>& out, double now_s) {
    out.insert(out.end(), refused_.begin(), refused_.end());
    refused_.clear();
    // Who finds an endpoint or none lets the next one try.
    while (!woken_.empty()) {
        admission::waiting* const w = woken_.back();
        woken_.pop_back();
        if (const auto h = by_place_.find(w); h != by_place_.end()) resume(*h->second, now_s, out);
    }
}

void policy_admission::resume(held_request& h, double now_s, std::vector<late_choice>& out) {
    if (queue_.state(h.place) == admission::ticket_state::expired) return end(h, late_choice::dropped, out);
    if (queue_.state(h.place) != admission::ticket_state::trying) return;
    const std::size_t endpoint = try_to_place(h.id, now_s);
    if (endpoint == later) {
        if (queue_.put_back(h.place, at(now_s), saturation()) == admission::enqueued::try_now)
            woken_.push_back(&h.place);
        return;
    }
    queue_.dispatched(h.place, at(now_s), saturation());
    end(h, endpoint, out);
}

void policy_admission::end(held_request& h, std::size_t endpoint, std::vector<late_choice>& out) {
    const std::uint64_t id = h.id;
    if (endpoint == late_choice::dropped) base_.abandon(id);
    out.push_back({id, endpoint});
    by_place_.erase(&h.place);
    held_.erase(id);
}

std::size_t policy_admission::try_to_place(std::uint64_t id, double now_s) {
    picker::pick_result choice = base_.pick(id, now_s);
    if (choice.count == 0) return later;
    const std::uint32_t slot = base_.dispatch(id, choice, now_s).slot;
    inflight_[id] = base_.picker().load(slot).inflight;
    return slot;
}

void policy_admission::on_first_token(std::uint64_t id, double now_s) {
    const picker::ticket t = base_.ticket_of(id);
    base_.on_first_token(id, now_s);
    const double alone_s = admission::idle_ttft_s(base_.picker().rates(t.slot), static_cast<double>(t.prefill));
    capacities_[t.slot].saw_first_token(picker::seconds_between(t.sent, at(now_s)), alone_s, inflight_[id]);
}

void policy_admission::on_done(std::uint64_t id, const usage& u, double now_s) {
    base_.on_done(id, u, now_s);
    inflight_.erase(id);
    queue_.room(at(now_s), saturation());
}

void policy_admission::on_failed(std::uint64_t id, double now_s) {
    base_.on_failed(id, now_s);
    inflight_.erase(id);
}

// The snapshot is made anew as often as endpoints are polled, with the limits of that moment.
void policy_admission::on_poll(std::span<const endpoint_info> endpoints, double now_s) {
    base_.on_poll(endpoints, now_s);
    for (std::size_t e = 0; e < endpoints.size(); ++e) base_.set_limit(e, limit(e));
    queue_.room(at(now_s), saturation());
    queue_.expire(at(now_s));
}

void policy_admission::on_restarted(std::size_t endpoint) {
    base_.on_restarted(endpoint);
    capacities_[endpoint].reset();
}

double policy_admission::saturation() const {
    std::vector<admission::endpoint_fill> fills;
    for (std::uint32_t e = 0; e < capacities_.size(); ++e)
        fills.push_back({base_.picker().load(e).inflight, capacities_[e].limit()});
    return admission::saturation(fills);
}

}  // namespace sluice::picker_bench
