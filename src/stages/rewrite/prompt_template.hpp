// A prompt kept at the gateway, filled with what a client sends for its places.
#pragma once

#include "stages/rewrite/rewrite_config.hpp"
#include "stages/rewrite/text_template.hpp"

#include <sluice/json.hpp>
#include <sluice/result.hpp>

#include <string>
#include <utility>
#include <vector>

namespace sluice::rewrite {

// Cuts valid JSON at its {{places}}, which stand inside its strings. Error (bad_request): one without its end or name.
result<std::vector<template_piece>> json_places(std::string_view raw);

// Immutable.
class prompt_template {
public:
    // `config` passed read().
    explicit prompt_template(const prompt_template_config& config);

    const std::string& name() const { return name_; }
    // The fields with their places filled: field and JSON. Strings are filled in as they are, other values as their
    // JSON text; either is escaped, so that a variable never becomes more than text. A variable no place asks for is
    // ignored. Error: bad_request for one that is missing, payload_too_large beyond `bytes_max`.
    result<std::vector<std::pair<std::string, std::string>>> fill(const json_object& variables,
                                                                  std::size_t bytes_max) const;

private:
    struct field {
        std::string name;
        std::vector<template_piece> pieces;
    };
    std::string name_;
    std::vector<field> fields_;
};

}  // namespace sluice::rewrite
