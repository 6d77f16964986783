#include "stages/rewrite/prompt_template.hpp"

namespace sluice::rewrite {
namespace {

// The text of a variable, escaped as it stands between the quotes of a JSON string.
std::string escaped(const json_value& value) {
    const auto text = value.string();
    std::string quoted = to_json_string(text ? std::string_view(*text) : value.raw);
    return quoted.substr(1, quoted.size() - 2);
}

}  // namespace

result<std::vector<template_piece>> json_places(std::string_view raw) {
    auto pieces = cut_template(raw);
    if (!pieces) return pieces.error();
    for (const template_piece& p : *pieces) {
        // Two opening braces can only stand inside a string; a place that holds a quote runs out of it.
        if (p.place.find_first_of("\"\\") == std::string::npos) continue;
        return error{error_kind::bad_request, "{{ without its }}"};
    }
    return pieces;
}

prompt_template::prompt_template(const prompt_template_config& config) : name_(config.name) {
    for (const auto& [field, raw] : config.body) {
        auto pieces = json_places(raw);
        if (pieces) fields_.push_back({field, std::move(*pieces)});
    }
}

result<std::vector<std::pair<std::string, std::string>>> prompt_template::fill(const json_object& variables,
                                                                               std::size_t bytes_max) const {
    std::vector<std::pair<std::string, std::string>> filled;
    std::size_t bytes = 0;
    for (const field& f : fields_) {
        std::string raw;
        for (const template_piece& p : f.pieces) {
            raw += p.before;
            if (p.place.empty()) continue;
            const auto value = variables.find(p.place);
            if (!value) {
                return error{error_kind::bad_request, "The template needs the variable `" + p.place + "`.",
                             "variables." + p.place};
            }
            raw += escaped(*value);
            if (bytes + raw.size() > bytes_max)
                return error{error_kind::payload_too_large, "The filled template is too large."};
        }
        bytes += raw.size();
        filled.emplace_back(f.name, std::move(raw));
    }
    return filled;
}

}  // namespace sluice::rewrite
