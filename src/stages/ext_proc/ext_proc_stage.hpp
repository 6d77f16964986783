// Stage `ext_proc`: an external processor (Envoy's ext_proc protocol) around the stages behind it.
//
// Put it before `route`: what the processor makes of the request, a model of its choice too, is what `route` sees, and
// of the reply it sees what the client would get. Behind `route` it takes part in each attempt.
//
// What is held of a body for it is bounded and counts against the memory of the process. Replies that the gateway makes
// of its own failures do not pass it.
#pragma once

#include "net/h2/grpc_call.hpp"
#include "routing/circuit_breaker.hpp"
#include "routing/ext_proc/processor_client.hpp"
#include "stages/ext_proc/ext_proc_config.hpp"

#include <sluice/metrics.hpp>
#include <sluice/services.hpp>
#include <sluice/stage.hpp>

#include <memory>
#include <string_view>

namespace sluice::ext_proc_stage {

class ext_proc_stage final : public stage {
public:
    // `config` passed read(); `s` outlives the stage. Throws std::runtime_error when a certificate file cannot be read.
    ext_proc_stage(const ext_proc_config& config, services& s);

    std::string_view name() const override { return "ext_proc"; }
    awaitable<void> serve(exchange& x, next_stage next) override;

private:
    awaitable<void> process(exchange& x, next_stage next);
    awaitable<void> observe(exchange& x, next_stage next);
    // The stages behind, with the processor at their reply.
    awaitable<void> follow(exchange& x, next_stage next, ext_proc::processor_client& client, memory_hold& held);
    // The body as it stands; empty where the processor is not given it. Error: why it cannot be collected.
    awaitable<result<std::string>> body_of(exchange& x) const;
    bool wants_body() const;
    bool open() const { return config_.session.on_failure == ext_proc::failure_mode::open; }
    // Counts how it went, for the metrics and the breaker.
    void judge(ext_proc::processor_session& session, counter& otherwise);

    const ext_proc_config config_;
    services& services_;
    const std::shared_ptr<routing::circuit_breaker> breaker_;
    const std::shared_ptr<net::grpc_channel> channel_;
    counter& processed_;
    counter& replied_;
    counter& failed_;
    counter& skipped_;
    counter& observed_;
    counter& refused_headers_;
    histogram& seconds_;
};

}  // namespace sluice::ext_proc_stage
