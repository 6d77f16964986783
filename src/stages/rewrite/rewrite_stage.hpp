// Stage `rewrite`: changes requests and the heads of replies as the configuration says.
//
// Put it before `route`, so that the stages behind it see the request as it will be sent: the model, the messages a
// guard looks at, the parameters a cache compares. Behind `route` it works too; then each attempt gets the changes.
#pragma once

#include "stages/rewrite/body_changes.hpp"
#include "stages/rewrite/header_rules.hpp"
#include "stages/rewrite/rewrite_config.hpp"

#include <sluice/services.hpp>
#include <sluice/stage.hpp>

#include <string_view>
#include <vector>

namespace sluice::rewrite {

class rewrite_stage final : public stage {
public:
    // `config` passed read().
    rewrite_stage(const rewrite_config& config, services& s);

    std::string_view name() const override { return "rewrite"; }
    awaitable<void> serve(exchange& x, next_stage next) override;

private:
    result<void> change_body(exchange& x, const json_object& body) const;

    const rewrite_config config_;
    const header_rules request_headers_, response_headers_;
    std::vector<message_template> prepend_, append_;
    std::vector<prompt_template> templates_;
    counter& refused_;
};

}  // namespace sluice::rewrite
