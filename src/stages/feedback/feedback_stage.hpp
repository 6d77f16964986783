// Stage `feedback`: takes what callers think of the answers they got, for the comparison of arms.
//
// POST {"request_id": "...", "score": -1..1 or "rating": "up"|"down", "reason"?: text, "labels"?: {name: text}}, where
// the id is the x-request-id that the answer carried: 202. Only the tenant that made the request (without tenants: the
// key) may rate it; a second rating replaces the first. 404 for a request that is not known or not the caller's, in the
// same words; 400 for anything malformed. Other paths pass to the stages behind.
//
// What is counted is the score. Reason and labels are text of strangers: they are written to the log where the
// configuration says so, and nowhere else.
#pragma once

#include "governance/arms/arm_board.hpp"

#include <sluice/config.hpp>
#include <sluice/exchange.hpp>
#include <sluice/services.hpp>
#include <sluice/stage.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::feedback {

struct feedback_config {
    std::string path = "/v1/feedback";
    bool log = false;  // write each judgement, with its reason and labels, to the operational log
};
void read(config_reader& r, feedback_config& c);

// What a request's body says.
struct judgement {
    std::string request_id;
    std::int32_t score = 0;  // millionths
    std::string reason;
    std::string labels;  // as JSON; empty: none
};
inline constexpr std::size_t request_id_bytes_max = 128, reason_bytes_max = 2000, labels_max = 16,
                             label_bytes_max = 256;

// Error: bad_request, with the field at fault.
result<judgement> read_judgement(const json_object& body);

class feedback_stage final : public stage {
public:
    // `s` outlives the stage.
    feedback_stage(const feedback_config& config, services& s);
    std::string_view name() const override { return "feedback"; }
    awaitable<void> serve(exchange& x, next_stage next) override;

private:
    awaitable<void> take(exchange& x);

    const feedback_config config_;
    services& services_;
    const std::shared_ptr<arm_board> board_;
    std::vector<arm_series*> series_;  // by id; grows when a request turns up whose arm is younger than the stage
    counter& taken_;
    counter& replaced_;
    counter& unknown_;
};

}  // namespace sluice::feedback
