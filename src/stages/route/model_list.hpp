// GET /models as OpenAI answers it, from the configuration.
#pragma once

#include "routing/model_table.hpp"

#include <sluice/exchange.hpp>

#include <optional>
#include <string>

namespace sluice::route {

// {"object":"list","data":[...]} of the models that the caller may use. Patterns are not listed: they have no one name.
std::string list_models(const routing::model_table& models, const identity& caller);
// One of them; nothing if there is none or the caller may not use it.
std::optional<std::string> describe_model(const routing::model_table& models, const identity& caller,
                                          std::string_view name);

}  // namespace sluice::route
