// The changes of one request's JSON body, collected before they are written.
#pragma once

#include "stages/rewrite/prompt_template.hpp"
#include "stages/rewrite/rewrite_config.hpp"
#include "stages/rewrite/text_template.hpp"

#include <sluice/exchange.hpp>
#include <sluice/json.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::rewrite {

// Top-level fields as they will be: those that `current` has, with what has been changed since. Lives within one
// serve(), without an await; `current` outlives it.
class body_changes {
public:
    explicit body_changes(const json_object& current) : current_(current) {}

    std::optional<json_value> find(std::string_view key) const;
    void set(std::string_view key, std::string raw) { changed_.insert_or_assign(std::string(key), std::move(raw)); }
    void remove(std::string_view key);
    bool empty() const { return changed_.empty(); }
    // Into the edits of `original`, the text that `current` was edited from. May be `current` itself.
    void write(const json_object& original, json_edits& edits) const;

private:
    const json_object& current_;
    std::map<std::string, std::optional<std::string>, std::less<>> changed_;  // nothing: removed
};

struct message_template {
    std::string role;
    text_template content;
};

// Error: bad_request for a field with bounds that is no number.
result<void> apply(const body_rules_config& rules, body_changes& body);

// Puts messages around those of the body; does nothing to a body without `messages`. Error: bad_request where they
// are no list.
result<void> surround(const std::vector<message_template>& before, const std::vector<message_template>& behind,
                      const exchange& x, body_changes& body);

// Replaces `template` and `variables` by the fields of the template they name; does nothing to a body without
// `template`. Error: bad_request, payload_too_large.
result<void> fill_template(const std::vector<prompt_template>& templates, std::size_t bytes_max, body_changes& body);

}  // namespace sluice::rewrite
