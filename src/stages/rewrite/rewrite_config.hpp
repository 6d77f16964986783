// Configuration of the stage `rewrite`: what it changes on requests and replies.
#pragma once

#include <sluice/config.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sluice::rewrite {

inline constexpr std::size_t rules_max = 64;                 // of one kind
inline constexpr std::size_t prompt_bytes_max = 64 << 10;    // of one text of a message or a field of a template
inline constexpr std::size_t header_value_bytes_max = 8192;  // as configured, before places are filled

// In this order: remove, set, add. Values are text templates.
struct header_rules_config {
    std::map<std::string, std::string> set;  // in place of all fields of that name
    std::map<std::string, std::string> add;  // beside those there are
    std::vector<std::string> remove;
};

struct request_headers_config : header_rules_config {};
struct response_headers_config : header_rules_config {};

// Bounds of a number; one of them at least.
struct clamp_config {
    std::optional<double> min, max;
};

// Top-level fields of a JSON body, in this order: remove, defaults, set, clamp.
struct body_rules_config {
    std::vector<std::string> remove;
    std::map<std::string, std::string> defaults;  // field: JSON, where the client set none or null
    std::map<std::string, std::string> set;       // field: JSON, whatever the client set
    std::map<std::string, clamp_config> clamp;    // a field that is no number is refused
};

struct message_config {
    std::string role;
    std::string content;  // a text template
};

// Messages put before and behind the client's. Bodies without `messages` are left alone; one whose `messages` is no
// list is refused.
struct messages_config {
    std::vector<message_config> prepend, append;
};

// A client sends {"template": NAME, "variables": {...}} and gets these fields instead, their {{places}} filled.
struct prompt_template_config {
    std::string name;
    std::map<std::string, std::string> body;  // field: JSON; a place stands inside a string
};

struct rewrite_config {
    request_headers_config request_headers;
    response_headers_config response_headers;
    body_rules_config body;
    messages_config messages;
    std::vector<prompt_template_config> templates;

    bool touches_body() const;
};

void read(config_reader& r, request_headers_config& c);
void read(config_reader& r, response_headers_config& c);
void read(config_reader& r, clamp_config& c);
void read(config_reader& r, body_rules_config& c);
void read(config_reader& r, message_config& c);
void read(config_reader& r, messages_config& c);
void read(config_reader& r, prompt_template_config& c);
void read(config_reader& r, rewrite_config& c);

}  // namespace sluice::rewrite
