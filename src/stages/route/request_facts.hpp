// What a request asks for: which model, streamed or not, and in which form it said so.
#pragma once

#include "routing/dialects.hpp"

#include <sluice/exchange.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace sluice::route {

// Where a request says its model.
enum class model_place : std::uint8_t { none, json, form, query, path };

inline constexpr std::size_t model_bytes_max = 256;  // of a model's name; a longer one is no model's

struct request_facts {
    std::string model;  // empty: the request names none
    std::string sent;   // the name that stands in the request now
    bool stream = false;
    model_place place = model_place::none;
    bool wants_usage = false;                // a streamed chat or completion that did not ask for its usage: we do
    std::optional<routing::client_api> api;  // an endpoint that may be translated
};

// Reads them from the body, or from the query of a GET. Collects the body of a POST that is JSON or a form.
// Error: bad_request, payload_too_large, ...
// `path` is the normalised one. Whatever else an upstream might take for the model or the stream flag is refused: a
// second field of that name, or one written with escapes.
awaitable<result<request_facts>> read_facts(exchange& x, std::string_view path);

// The same for JSON that is here already; nothing when read_facts() must be asked.
std::optional<result<request_facts>> facts_now(exchange& x, std::string_view path);

// Puts the upstream's name of the model into the body, where it differs.
result<void> set_model(exchange& x, request_facts& facts, std::string_view upstream_model);
// Asks for the usage of a stream. x.edits() of a JSON body.
void ask_for_usage(exchange& x);

}  // namespace sluice::route
