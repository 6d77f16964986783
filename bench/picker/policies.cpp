#include "picker/policy_cache_aware.hpp"
#include "picker/policy_epp.hpp"
#include "picker/policy_sluice.hpp"
#include "picker/simple_policies.hpp"

#include <array>
#include <stdexcept>

namespace sluice::picker_bench {
namespace {

constexpr std::array<std::string_view, 5> names{"round-robin", "least-request", "epp", "cache-aware", "sluice"};

}  // namespace

std::span<const std::string_view> policy_names() {
    return names;
}

std::unique_ptr<policy> make_policy(std::string_view name, const policy_settings& s) {
    if (name == "round-robin") return std::make_unique<round_robin>();
    if (name == "least-request") return std::make_unique<least_request>(s);
    if (name == "epp") return std::make_unique<policy_epp>(s);
    if (name == "cache-aware") return std::make_unique<policy_cache_aware>(s);
    if (name == "sluice") return std::make_unique<policy_sluice>(s);
    throw std::invalid_argument("no policy is called " + std::string(name));
}

}  // namespace sluice::picker_bench
