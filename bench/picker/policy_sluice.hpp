// The gateway's own endpoint picker behind the interface of the compared policies: the same object code as in the
// gateway (routing/picker/endpoint_picker.hpp).
//
// It sees what the gateway would see: a prompt as named blocks of growing size with their place in bytes, its length in
// bytes, and afterwards the usage. It counts no tokens and is told no constant of the simulated engines beyond its
// own defaults, which are those of one usual engine: what differs it has to learn.
#pragma once

#include "picker/policy.hpp"
#include "routing/picker/endpoint_picker.hpp"

#include <unordered_map>

namespace sluice::picker_bench {

// The gateway's clock at a time of the run. The clock's epoch stands for "never" in the picker, so it begins later.
picker::steady_time at(double now_s);

class policy_sluice final : public policy {
public:
    explicit policy_sluice(const policy_settings& s);

    // choose() in two steps. A request that was prepared may look for an endpoint as often as it likes; once it has
    // one, its events are told as those of any other. abandon() is for one that never gets one.
    void prepare(const arrival& a, std::span<const endpoint_info> endpoints);
    picker::pick_result pick(std::uint64_t id, double now_s) const;
    const picker::ticket& dispatch(std::uint64_t id, picker::pick_result& choice, double now_s);
    void abandon(std::uint64_t id) { under_way_.erase(id); }
    // Requests that the endpoint may have under way; 0: any number.
    void set_limit(std::size_t endpoint, std::int64_t requests) {
        pool_.endpoints[endpoint].concurrency_max = requests;
    }
    const picker::endpoint_picker& picker() const { return picker_; }
    const picker::ticket& ticket_of(std::uint64_t id) const { return under_way_.at(id).ticket; }

    std::size_t choose(const arrival& a, std::span<const endpoint_info> endpoints, double now_s) override;
    void on_first_token(std::uint64_t id, double now_s) override;
    void on_done(std::uint64_t id, const usage& u, double now_s) override;
    void on_failed(std::uint64_t id, double now_s) override;
    void on_poll(std::span<const endpoint_info> endpoints, double now_s) override;
    void on_restarted(std::size_t endpoint) override;

private:
    // Stays where it is: `features` points into `blocks`.
    struct request_under_way {
        std::vector<picker::prefix_block> blocks;
        picker::request_features features;
        picker::ticket ticket;
    };
    void watch(std::span<const endpoint_info> endpoints);

    picker::endpoint_picker picker_;
    picker::pool_snapshot pool_;
    std::unordered_map<std::uint64_t, request_under_way> under_way_;
};

}  // namespace sluice::picker_bench
