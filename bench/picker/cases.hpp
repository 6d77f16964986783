// What is run: traffic and fleets, in two sets that share nothing but the generators.
//
// Whoever changes a constant of a policy looks at the training set only. The held-out set has other seeds and other
// rates, speeds, sizes of memory or numbers of endpoints; published figures and goals are of that set.
#pragma once

#include "picker/fleet.hpp"

#include <filesystem>
#include <functional>
#include <optional>

namespace sluice::picker_bench {

struct bench_case {
    std::string name;
    // Traffic for a seed; nullopt: its data is not on this machine.
    std::function<std::optional<workload>(std::uint64_t seed)> traffic;
    fleet_plan fleet;
};

struct case_set {
    std::vector<std::uint64_t> seeds;
    std::vector<bench_case> cases;
};

// `trace` is Mooncake's conversation trace.
case_set training_cases(const std::filesystem::path& trace);
case_set held_out_cases(const std::filesystem::path& trace);
// Half a minute of some, with a seed of the training set: shows that it works, measures nothing.
case_set quick_cases(const std::filesystem::path& trace);

}  // namespace sluice::picker_bench
