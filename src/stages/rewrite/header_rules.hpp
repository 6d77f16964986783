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
    // Changes `headers`; places in values are filled from those of the request as they were.
    void apply(const exchange& x, const header_list& request, header_list& headers) const;

private:
    using field = std::pair<std::string, text_template>;
    std::vector<std::string> remove_;
    std::vector<field> set_, add_;
};

// Keeps the headers of a request as they are now and puts them back at its end, on the frame of the stage: whoever
// repeats an attempt, or looks at the request afterwards, finds what the client sent.
class request_headers_hold {
public:
    explicit request_headers_hold(exchange& x) : x_(x), before_(x.request().headers) {}
    ~request_headers_hold() { std::swap(x_.request_to_change().headers, before_); }
    request_headers_hold(const request_headers_hold&) = delete;
    request_headers_hold& operator=(const request_headers_hold&) = delete;

    const header_list& before() const { return before_; }

private:
    exchange& x_;
    header_list before_;
};

// Applies rules to the head of a reply. Stands on the frame of the stage, as `request` does.
class header_sink final : public reply_sink {
public:
    header_sink(const header_rules& rules, exchange& x, const header_list& request)
        : rules_(rules), x_(x), request_(request), scope_(x, *this, sink_scope::needs::pieces) {}

    awaitable<void> head(response_head& h) override {
        rules_.apply(x_, request_, h.headers);
        return scope_.next().head(h);
    }
    awaitable<void> write(const event& e) override { return scope_.next().write(e); }
    awaitable<void> end() override { return scope_.next().end(); }

private:
    const header_rules& rules_;
    exchange& x_;
    const header_list& request_;
    sink_scope scope_;
};

}  // namespace sluice::rewrite
