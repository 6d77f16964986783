// How a request finds its endpoint: the one interface behind which all compared policies stand.
//
// A policy sees what a gateway would see: the names of a prompt's blocks, never how long the answer will be; what
// endpoints said of themselves at the last poll, not how they are now; and the events of its own requests. One policy
// object serves one run, from one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::picker_bench {

struct arrival {
    std::uint64_t id = 0;                   // of the request, the same in all callbacks; a retry has it again
    std::span<const std::uint64_t> blocks;  // of the prompt; valid until the request's on_done or on_failed
    std::uint32_t prompt_tokens = 0;
    std::uint64_t session = 0;  // 0: none
    std::uint32_t adapter = 0;  // 0: none
    int priority = 4;           // 0 to 7, higher first
    std::uint32_t tenant = 0;   // who sent it
};

// An endpoint as the gateway knows it.
struct endpoint_info {
    bool ready = true;            // false: it drains or is down, and must not be chosen
    std::uint64_t kv_tokens = 0;  // room for attention state
    // As of the last poll.
    std::uint64_t running = 0, waiting = 0;
    double kv_use = 0;
};

// From the usage of an answer.
struct usage {
    std::uint32_t prompt_tokens = 0, cached_tokens = 0, output_tokens = 0;
};

// What became of a request that choose() kept back.
struct late_choice {
    static constexpr std::size_t dropped = SIZE_MAX;

    std::uint64_t id = 0;
    std::size_t endpoint = dropped;  // ready; or refused, for good
};

class policy {
public:
    virtual ~policy() = default;

    static constexpr std::size_t later = SIZE_MAX;
    // Which endpoint gets the request; one that is ready, of which there is at least one. It is dispatched at once.
    // `later`: it waits until choose_late() says where it goes.
    virtual std::size_t choose(const arrival& a, std::span<const endpoint_info> endpoints, double now_s) = 0;

    virtual void on_first_token(std::uint64_t id, double now_s) = 0;
    virtual void on_done(std::uint64_t id, const usage& u, double now_s) = 0;
    // The endpoint went away under it; choose() is called again.
    virtual void on_failed(std::uint64_t id, double now_s) = 0;

    // `endpoints` has fresh figures.
    virtual void on_poll(std::span<const endpoint_info> endpoints, double now_s) = 0;
    // Asked after each of the other calls: appends the requests whose waiting is over.
    virtual void choose_late(std::vector<late_choice>&, double /*now_s*/) {}
    // The endpoint is back with an empty memory.
    virtual void on_restarted(std::size_t endpoint) = 0;
};

struct policy_settings {
    std::size_t endpoints = 0;
    std::uint64_t seed = 1;
};

// What the command line and the tables call them.
std::span<const std::string_view> policy_names();
std::unique_ptr<policy> make_policy(std::string_view name, const policy_settings& settings);

}  // namespace sluice::picker_bench
