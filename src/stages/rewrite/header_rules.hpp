// Headers that are set, added and removed, on requests and on replies.
#pragma once

#include "stages/rewrite/rewrite_config.hpp"
#include "stages/rewrite/text_template.hpp"

#include <sluice/exchange.hpp>
#include <sluice/sink.hpp>

#include <string>
#include <utility>
#include <vector>

namespace sluice::rewrite {

// Immutable.
class header_rules {
public:
    // `config` passed read().
    explicit header_rules(const header_rules_config& config);

    bool empty() const { return remove_.empty() && set_.empty() && add_.empty(); }
    // All values are filled in before the first field changes.
    void apply(const exchange& x, header_list& headers) const;

private:
    using field = std::pair<std::string, text_template>;
    std::vector<std::string> remove_;
    std::vector<field> set_, add_;
};

// Applies rules to the head of a reply. Stands on the frame of the stage.
class header_sink final : public reply_sink {
public:
    header_sink(const header_rules& rules, exchange& x)
        : rules_(rules), x_(x), scope_(x, *this, sink_scope::needs::pieces) {}

    awaitable<void> head(response_head& h) override {
        rules_.apply(x_, h.headers);
        return scope_.next().head(h);
    }
    awaitable<void> write(const event& e) override { return scope_.next().write(e); }
    awaitable<void> end() override { return scope_.next().end(); }

private:
    const header_rules& rules_;
    exchange& x_;
    sink_scope scope_;
};

}  // namespace sluice::rewrite
