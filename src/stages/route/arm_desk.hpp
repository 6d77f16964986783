// Who gets a model in which state of its life, what a client is told of that, and which arm served whom.
//
// A desk belongs to one route stage on one worker. Models without arms and without a life cost a request one look into
// an empty table.
#pragma once

#include "governance/arms/arm_board.hpp"
#include "routing/attempt_plan.hpp"
#include "routing/model_table.hpp"
#include "stages/route/known_models.hpp"

#include <sluice/exchange.hpp>
#include <sluice/services.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sluice::route {

// Who stays with a model's target, by its configuration; empty: nobody. At most 256 bytes of it.
std::string stay_subject(const routing::model_config& model, const exchange& x);

class arm_desk {
public:
    // `models`, `known` and `s` outlive the desk.
    arm_desk(const routing::model_table& models, const known_models& known, services& s);

    enum class admission : std::uint8_t { serve, unknown, gone };
    // May the caller have the model that was found? Where its successor serves instead, `found` becomes that. `subject`
    // becomes who stays with what serves.
    admission admit(const exchange& x, routing::found_model& found, std::string& subject) const;
    // 410, in the client's form.
    static awaitable<void> say_gone(exchange& x);

    // What is known of one model.
    struct desk_entry {
        header_list told;                                // of its life: on every answer
        std::vector<std::optional<std::uint16_t>> arms;  // ids, by target; empty: not measured
        std::optional<std::uint16_t> unnamed;
    };
    const desk_entry* entry_of(const routing::model& m) const;
    arm_series& series(std::uint16_t id) const { return *series_[id]; }
    // From now on the caller may judge the request.
    void note(const exchange& x, std::uint16_t arm) const;
    // In nano-dollars, by the catalogue's price of what the target is asked for; 0: not known.
    std::int64_t cost_of(const routing::model& m, const routing::target& t, std::string_view star,
                         const token_usage& usage) const;
    const clock& time() const { return services_.time(); }

private:
    void enter(const routing::model& m);

    const known_models& known_;
    services& services_;
    std::shared_ptr<arm_board> board_;            // null: no model needs it
    recent_requests::shard* recent_ = nullptr;    // of this worker
    recent_requests::shard* subjects_ = nullptr;  // of this worker
    std::unordered_map<const routing::model*, desk_entry> entries_;
    std::unordered_map<const routing::model*, const routing::model*> successors_;
    std::vector<arm_series*> series_;  // by id
};

// One exchange with a model: counts how it ended with which arm, however it ends, and tells the client what is to be
// told. Stands on the stage's frame around all attempts.
class arm_visit {
public:
    // `asked` is the model whose name the client said, `serves` the one that serves. All outlive the visit.
    arm_visit(const arm_desk& desk, exchange& x, const routing::model& asked, const routing::model& serves,
              std::string_view star);
    ~arm_visit();
    arm_visit(const arm_visit&) = delete;
    arm_visit& operator=(const arm_visit&) = delete;

    // Before each attempt.
    void attempt(const routing::candidate& c);

private:
    class teller final : public forwarding_sink {
    public:
        teller(reply_sink& to, const arm_visit& visit) : forwarding_sink(to), visit_(visit) {}
        awaitable<void> head(response_head& h) override;

    private:
        const arm_visit& visit_;
    };
    void count() const;

    const arm_desk& desk_;
    exchange& x_;
    const routing::model& serves_;
    const std::string_view star_;
    const arm_desk::desk_entry* told_;      // null: nothing to tell
    const arm_desk::desk_entry* measured_;  // null: no arms
    const routing::model* of_ = nullptr;
    const routing::target* to_ = nullptr;
    std::optional<std::uint16_t> arm_;
    std::optional<teller> teller_;
    std::optional<sink_scope> scope_;
};

}  // namespace sluice::route
