// What is measured of the arms of models: the numbers of each worker, and their sums for a page of results.
//
// One board serves the whole process and survives reloads. A worker resolves the series of its arms when its stages are
// built; from then on a request only adds to counters that no other worker writes.
#pragma once

#include "governance/arms/recent_requests.hpp"
#include "governance/siphash.hpp"

#include <sluice/exchange.hpp>
#include <sluice/metrics.hpp>
#include <sluice/services.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice {

// Whose fault a request's failure was, as far as it matters to who compares arms.
enum class arm_error : std::uint8_t { client, rate_limited, timeout, upstream, gateway };
inline constexpr std::array<std::string_view, 5> arm_error_names{"client", "rate_limited", "timeout", "upstream",
                                                                 "gateway"};

// The numbers of one arm on one worker; only that worker writes.
struct arm_series {
    arm_series(metrics& m, std::string_view model, std::string_view arm);
    counter& requests;               // that ended with this arm
    std::array<counter*, 5> errors;  // of them, by arm_error
    counter& left;                   // attempts that failed and whose request then went to another arm
    histogram& duration;             // seconds, of requests without an error
    histogram& first_token;          // seconds, of streams without an error
    counter &input, &output;         // tokens
    counter& cost;                   // nano-dollars; of models with a price
    gauge &up, &down, &neutral;      // judged requests, by the sign of their score
    gauge& score;                    // sum of the scores, in millionths
    // Takes a judgement of a request in, and the one that it replaces out.
    void judged(std::int32_t score_millionths, std::optional<std::int32_t> before);
};

// Sums over the workers.
struct arm_result {
    std::string arm;
    std::int64_t requests = 0, left = 0, input = 0, output = 0, cost_nanodollars = 0;
    std::array<std::int64_t, 5> errors{};
    std::optional<double> duration_p50, duration_p90, first_token_p50, first_token_p90;  // seconds
    std::int64_t up = 0, down = 0, neutral = 0, score_millionths = 0;
};

// Thread-safe, by a lock but for `recent`: for construction and for pages of results.
class arm_board {
public:
    arm_board();
    // The one of the process.
    static std::shared_ptr<arm_board> of(services& s);
    static constexpr std::string_view shared_key = "arms";

    // Stable while the process lives. Nothing past 65,535 arms.
    std::optional<std::uint16_t> id_of(std::string_view model, std::string_view arm);
    // The series of an arm on the worker with these metrics. Lives as long as the board.
    arm_series& series(std::uint16_t id, metrics& m);
    // Series of every arm that is known now, by id.
    std::vector<arm_series*> all(metrics& m);
    // By name of the arm; empty for a model that has none.
    std::vector<arm_result> results(std::string_view model) const;

    // A request or a subject as `recent` and `subjects` know it.
    std::uint64_t hash(std::string_view whose, std::string_view what) const;
    // A request belongs to its caller's tenant or, without one, to its key.
    std::uint64_t hash(const identity& caller, std::string_view request_id) const {
        return caller.tenant.empty() ? hash("key " + caller.key_id, request_id)
                                     : hash("tenant " + caller.tenant, request_id);
    }

    recent_requests recent;    // requests by id and caller
    recent_requests subjects;  // who stays with a model; the arm says nothing

private:
    struct arm {
        std::string model, name;
        std::vector<std::pair<metrics*, std::unique_ptr<arm_series>>> by_worker;
    };
    const siphash_key key_;
    mutable std::mutex mutex_;
    std::vector<arm> arms_;
    std::map<std::pair<std::string, std::string>, std::uint16_t, std::less<>> ids_;
};

// The value below which a share `q` of the observations lies, by linear interpolation in its bucket; nothing without
// observations. What lies above the last bound counts as that bound. `buckets` has one more element than `bounds`.
std::optional<double> quantile(std::span<const double> bounds, std::span<const std::int64_t> buckets, double q);

// Wilson's interval for a share: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
// J. Am. Stat. Assoc. 22 (1927), with z = 1.959964 for 95 %. Nothing without observations.
struct interval {
    double low, high;
};
std::optional<interval> wilson95(std::int64_t hits, std::int64_t of);

}  // namespace sluice
