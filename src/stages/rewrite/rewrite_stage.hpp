// Stage `rewrite`: changes requests and the heads of replies as the configuration says.
//
// Put it before `route`, so that the stages behind it see the request as it will be sent: the model, the messages a
// guard looks at, the parameters a cache compares. Behind `route` it works too; then each attempt gets the changes,
// and starts without those of the one before.
//
// Rules of the body hold whatever a client calls its body: all but a form is read as JSON and refused if it is none.
#pragma once

#include "stages/rewrite/body_changes.hpp"
#include "stages/rewrite/governed_fields.hpp"
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
    // Error: bad_request, payload_too_large, and why a body could not be collected.
    awaitable<result<void>> rewrite_body(exchange& x) const;
    result<void> change_body(exchange& x, const json_object& original) const;
    result<void> collect_changes(const exchange& x, std::size_t bytes_max, body_changes& changes) const;

    const rewrite_config config_;
    const governed_fields governed_;
    const header_rules request_headers_, response_headers_;
    std::vector<message_template> prepend_, append_;
    std::vector<prompt_template> templates_;
    counter& refused_;
};

}  // namespace sluice::rewrite
