// bench-admission: more than a fleet can do, with and without admission in front of it. One line per case, policy and
// class; with --json each is an object.
//
// Without admission every request goes to an endpoint at once and waits there, in the order in which it came. Both use
// the gateway's endpoint picker; 8 endpoints.
#include "picker/generators.hpp"
#include "picker/policy_admission.hpp"
#include "picker/summary.hpp"

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>

namespace {

using namespace sluice::picker_bench;

struct named_class {
    std::string_view name;
    class_shape shape;
};

struct overload_case {
    std::string_view name;
    std::vector<named_class> classes;
};

// The fleet can do about 24 of the long requests a second.
std::vector<overload_case> cases_of(double seconds) {
    const auto chat = [&](double rate) {
        return unique_shape{.prompt_tokens = 1'000, .output_tokens = 200, .rate = rate, .seconds = seconds};
    };
    const auto work = [&](double rate) {
        return unique_shape{.prompt_tokens = 4'000, .output_tokens = 300, .rate = rate, .seconds = seconds};
    };
    return {{"classes", {{"high", {chat(10), 6, 1}}, {"low", {work(30), 1, 2}}}},
            {"tenants", {{"modest", {work(4), 4, 1}}, {"flood", {work(36), 4, 2}}}},
            {"no overload", {{"high", {chat(10), 6, 1}}, {"low", {work(12), 1, 2}}}}};
}

std::unique_ptr<policy> policy_of(bool admission, const policy_settings& s) {
    if (!admission) return std::make_unique<policy_sluice>(s);
    return std::make_unique<policy_admission>(s, sluice::admission::admission_config{});
}

void print(bool json, std::string_view name, bool admission, std::string_view who, const summary& s) {
    const std::string_view mode = admission ? "admission" : "none";
    if (json) {
        fmt::print(R"({{"case": "{}", "policy": "{}", "class": "{}", "requests": {}, "dropped": {}, )"
                   R"("ttft_mean": {:.6g}, "ttft_p50": {:.6g}, "ttft_p99": {:.6g}, "e2e_mean": {:.6g}, )"
                   R"("tokens_per_s": {:.6g}}})"
                   "\n",
                   name, mode, who, s.requests, s.dropped, s.ttft_mean, s.ttft_p50, s.ttft_p99, s.e2e_mean,
                   s.tokens_per_s);
    } else {
        fmt::print("{:<12} {:<10} {:<7} {:>8} {:>8} {:>9.3f} {:>9.3f} {:>9.3f} {:>9.3f} {:>9.0f}\n", name, mode, who,
                   s.requests, s.dropped, s.ttft_mean, s.ttft_p50, s.ttft_p99, s.e2e_mean, s.tokens_per_s);
    }
}

// Constants of admission were chosen with seeds 1 to 3.
constexpr std::uint64_t first_seed = 11;

void run_case(const overload_case& c, std::uint64_t seeds, bool json) {
    const fleet_plan fleet = usual_fleet();
    for (const bool admission : {false, true}) {
        std::vector<std::vector<summary>> runs(c.classes.size() + 1);  // the last one: all
        for (std::uint64_t seed = first_seed; seed < first_seed + seeds; ++seed) {
            std::vector<class_shape> shapes;
            for (const named_class& n : c.classes) shapes.push_back(n.shape);
            const workload w = classes(shapes, seed);
            const auto p = policy_of(admission, {.endpoints = fleet.endpoints.size(), .seed = seed});
            const run_result r = run(w, fleet, *p);
            for (std::size_t i = 0; i < c.classes.size(); ++i) {
                const std::uint32_t tenant = c.classes[i].shape.tenant;
                runs[i].push_back(summarise(w, r, [&](const request& q) { return q.tenant == tenant; }));
            }
            runs.back().push_back(summarise(w, r));
        }
        for (std::size_t i = 0; i < c.classes.size(); ++i)
            print(json, c.name, admission, c.classes[i].name, mean_of(runs[i]));
        print(json, c.name, admission, "all", mean_of(runs.back()));
    }
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    std::uint64_t seeds = 5;
    double seconds = 60;
    bool json = false;
    CLI::App app{"Overload of a simulated fleet, with and without admission"};
    app.add_option("--seeds", seeds, "Runs of each case")->check(CLI::Range(1, 100));
    app.add_option("--seconds", seconds, "Length of each run")->check(CLI::Range(5.0, 600.0));
    app.add_flag("--json", json, "An object per line");
    CLI11_PARSE(app, argc, argv);
    try {
        if (!json)
            fmt::print("{:<12} {:<10} {:<7} {:>8} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9}\n", "case", "policy", "class",
                       "requests", "dropped", "TTFT mean", "p50 s", "p99 s", "e2e mean", "tokens/s");
        for (const overload_case& c : cases_of(seconds)) run_case(c, seeds, json);
        return 0;
    } catch (const std::exception& e) {
        fmt::print(stderr, "bench-admission: {}\n", e.what());
        return 2;
    }
}
