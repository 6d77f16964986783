// URIs that have the form of an RFC 6570 template of level 1. An expression stands for one or more characters other
// than a slash, with a leading + for any. What stands behind it ends it where it first can: there is no way back, so
// that no URI costs more than its length.
#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::mcp {

// The names of the template's expressions and what they stand for, in their order; nothing when the URI does not fit.
// Views of both texts.
using template_values = std::vector<std::pair<std::string_view, std::string_view>>;
std::optional<template_values> match_template(std::string_view uri_template, std::string_view uri);

}  // namespace sluice::mcp
