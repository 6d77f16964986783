// What a request asks for: which model, streamed or not, and in which form it said so.
#pragma once

#include <sluice/exchange.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace sluice::route {

enum class body_form : std::uint8_t { none, json, form };

struct request_facts {
    std::string model;  // empty: the request names none
    bool stream = false;
    body_form form = body_form::none;
    bool wants_usage = false;  // a streamed chat or completion that did not ask for its usage: we do
};

// Reads them from the body, or from the query of a GET. Collects the body of a POST that is JSON or a form.
// Error: bad_request, payload_too_large, ...
awaitable<result<request_facts>> read_facts(exchange& x);

// The same for JSON that is here already; nothing when read_facts() must be asked.
std::optional<result<request_facts>> facts_now(exchange& x);

// Puts the upstream's name of the model into the body, where it differs.
result<void> set_model(exchange& x, const request_facts& facts, std::string_view upstream_model);
// Asks for the usage of a stream. x.edits() of a JSON body.
void ask_for_usage(exchange& x);

}  // namespace sluice::route
