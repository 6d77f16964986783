// The gateway's picker behind its admission (routing/admission/): requests that find every endpoint at its learned
// limit wait in the fair queue, and look for an endpoint when their turn comes. The same object code as in the gateway.
#pragma once

#include "picker/policy_sluice.hpp"
#include "routing/admission/admission_config.hpp"
#include "routing/admission/pool_queue.hpp"

#include <deque>
#include <memory>

namespace sluice::picker_bench {

class policy_admission final : public policy, private admission::waker {
public:
    policy_admission(const policy_settings& s, const admission::admission_config& c);

    std::size_t choose(const arrival& a, std::span<const endpoint_info> endpoints, double now_s) override;
    void choose_late(std::vector<late_choice>& out, double now_s) override;
    void on_first_token(std::uint64_t id, double now_s) override;
    void on_done(std::uint64_t id, const usage& u, double now_s) override;
    void on_failed(std::uint64_t id, double now_s) override;
    void on_poll(std::span<const endpoint_info> endpoints, double now_s) override;
    void on_restarted(std::size_t endpoint) override;

    std::int64_t limit(std::size_t endpoint) const { return capacities_[endpoint].limit(); }

private:
    struct held_request {
        held_request(std::uint64_t number, admission::pool_queue& q, admission::waker& w) : id(number), place(q, w) {}
        std::uint64_t id;
        admission::waiting place;
    };
    void wake(admission::waiting& w) noexcept override { woken_.push_back(&w); }
    std::size_t try_to_place(std::uint64_t id, double now_s);  // endpoint, or later
    void resume(held_request& h, double now_s, std::vector<late_choice>& out);
    void end(held_request& h, std::size_t endpoint, std::vector<late_choice>& out);
    double saturation() const;

    policy_sluice base_;
    std::deque<admission::learned_capacity> capacities_;
    std::unordered_map<std::uint64_t, std::int64_t> inflight_;  // at its endpoint, when the request was sent
    std::vector<late_choice> refused_;
    std::vector<admission::waiting*> woken_;  // as if posted
    admission::pool_queue queue_;
    std::unordered_map<std::uint64_t, std::unique_ptr<held_request>> held_;
    std::unordered_map<const admission::waiting*, held_request*> by_place_;
};

}  // namespace sluice::picker_bench
