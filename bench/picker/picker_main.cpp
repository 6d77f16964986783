// bench-picker: policies compared on simulated fleets. One line per case and policy; with --json each is an object.
#include "picker/cases.hpp"
#include "picker/summary.hpp"

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <map>

namespace {

using namespace sluice::picker_bench;

struct options {
    std::string set = "held-out";
    std::filesystem::path trace = SLUICE_SHARED_DATA "/traces/mooncake_conversation.jsonl";
    std::vector<std::string> policies;
    std::string only;
    std::size_t seeds_max = SIZE_MAX;
    bool json = false;
};

case_set cases_of(const options& o) {
    if (o.set == "training") return training_cases(o.trace);
    if (o.set == "quick") return quick_cases(o.trace);
    return held_out_cases(o.trace);
}

void print_json(const std::string& name, std::string_view policy, const summary& mean,
                const std::vector<summary>& runs) {
    fmt::print(R"({{"case": "{}", "policy": "{}", "requests": {}, "ttft_mean": {:.6g}, "ttft_p50": {:.6g}, )"
               R"("ttft_p99": {:.6g}, "e2e_mean": {:.6g}, "tokens_per_s": {:.6g}, "hit_rate": {:.6g}, )"
               R"("preemptions": {:.6g}, "ttft_mean_by_seed": [)",
               name, policy, mean.requests, mean.ttft_mean, mean.ttft_p50, mean.ttft_p99, mean.e2e_mean,
               mean.tokens_per_s, mean.hit_rate, mean.preemptions);
    for (std::size_t i = 0; i < runs.size(); ++i) fmt::print("{}{:.6g}", i == 0 ? "" : ", ", runs[i].ttft_mean);
    fmt::print("]}}\n");
}

void print_row(const std::string& name, std::string_view policy, const summary& s) {
    fmt::print("{:<28} {:<14} {:>9.3f} {:>9.3f} {:>9.3f} {:>9.3f} {:>9.0f} {:>6.3f} {:>7.0f}\n", name, policy,
               s.ttft_mean, s.ttft_p50, s.ttft_p99, s.e2e_mean, s.tokens_per_s, s.hit_rate, s.preemptions);
}

void run_case(const bench_case& c, const std::vector<std::uint64_t>& seeds, const options& o) {
    std::map<std::string, std::vector<summary>> runs;
    for (const std::uint64_t seed : seeds) {
        const std::optional<workload> w = c.traffic(seed);
        if (!w) return fmt::print(stderr, "{}: skipped, there is no file {}\n", c.name, o.trace.string());
        for (const std::string& name : o.policies) {
            const auto p = make_policy(name, {.endpoints = c.fleet.endpoints.size(), .seed = seed});
            runs[name].push_back(summarise(*w, run(*w, c.fleet, *p)));
        }
    }
    for (const std::string& name : o.policies) {
        const summary mean = mean_of(runs[name]);
        o.json ? print_json(c.name, name, mean, runs[name]) : print_row(c.name, name, mean);
    }
    std::fflush(stdout);
}

int run_all(options& o) {
    if (o.policies.empty()) o.policies.assign(policy_names().begin(), policy_names().end());
    case_set set = cases_of(o);
    set.seeds.resize(std::min(set.seeds.size(), o.seeds_max));
    if (!o.json)
        fmt::print("{:<28} {:<14} {:>9} {:>9} {:>9} {:>9} {:>9} {:>6} {:>7}\n", "case", "policy", "TTFT mean", "p50 s",
                   "p99 s", "e2e mean", "tokens/s", "hits", "preempt");
    for (const bench_case& c : set.cases)
        if (c.name.find(o.only) != std::string::npos) run_case(c, set.seeds, o);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    options o;
    CLI::App app{"Compares policies that choose model servers, on simulated fleets"};
    app.add_option("--set", o.set, "Cases and seeds")->check(CLI::IsMember({"training", "held-out", "quick"}));
    app.add_option("--trace", o.trace, "Mooncake's conversation trace; without it its cases are skipped");
    app.add_option("--policy", o.policies, "Only these")->delimiter(',');
    app.add_option("--only", o.only, "Only cases whose name contains this");
    app.add_option("--seeds", o.seeds_max, "At most this many of the set's seeds");
    app.add_flag("--json", o.json, "An object per line");
    CLI11_PARSE(app, argc, argv);
    try {
        return run_all(o);
    } catch (const std::exception& e) {
        fmt::print(stderr, "bench-picker: {}\n", e.what());
        return 2;
    }
}
