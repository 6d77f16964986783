// A processor that only watches: it is shown what passes, and nobody waits for what it says.
#pragma once

#include "net/h2/grpc_call.hpp"
#include "routing/ext_proc/header_mutation.hpp"

#include <sluice/exchange.hpp>
#include <sluice/services.hpp>
#include <sluice/sink.hpp>

#include <memory>
#include <string_view>

namespace sluice::ext_proc_stage {

// The stream to the processor. When it takes bytes more slowly than they come, it is given up.
class observed_reply final : public observer {
public:
    // `config` and `s` outlive it.
    observed_reply(const ext_proc::session_config& config, std::shared_ptr<net::grpc_channel> channel, services& s);

    // `has_body`: whether more follows than is given here.
    void show_request(const ext_proc::message_head& head, std::string_view body, bool has_body);
    void see_head(const response_head& h) override;
    void see(const event& e) override;
    // The reply has passed, or there was none. The processor gets a moment to read on, behind the exchange's back.
    void finish();
    // Was anything lost on the way?
    bool gave_up() const { return gave_up_; }

private:
    void send(const std::string& message);

    const ext_proc::session_config& config_;
    const std::shared_ptr<net::grpc_channel> channel_;
    services& services_;
    std::unique_ptr<net::grpc_call> call_;  // null: no more
    bool first_ = true, gave_up_ = false, replied_ = false;
};

}  // namespace sluice::ext_proc_stage
