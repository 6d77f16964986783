// Text with places that are filled per request: "Caller {{key}} of {{tenant}} says ...".
#pragma once

#include <sluice/exchange.hpp>
#include <sluice/result.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace sluice::rewrite {

// A stretch of literal text, then a place; the last one has no place.
struct template_piece {
    std::string before;
    std::string place;  // what stands between the braces, trimmed; empty: none
};

// Cuts a text at its {{...}}. Error (bad_request): one without its end or without a name.
result<std::vector<template_piece>> cut_template(std::string_view text);

// Places are filled from what the gateway knows of the request: {{key}}, {{tenant}}, {{request_id}},
// {{header:NAME}}, {{claim:NAME}}. What is not there is empty. Headers that hold credentials are no places: a text
// goes to an upstream, into logs and perhaps into an answer. Immutable.
class text_template {
public:
    // Error (bad_request): a place that does not exist or would tell a credential.
    static result<text_template> parse(std::string_view text);

    // {{header:NAME}} is taken from `headers`, the request's before rules changed them. What a client sent stands in
    // the result as it is: the caller escapes the whole.
    std::string render(const exchange& x, const header_list& headers) const;

private:
    std::vector<template_piece> pieces_;
};

}  // namespace sluice::rewrite
