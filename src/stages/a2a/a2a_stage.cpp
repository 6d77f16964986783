#include "stages/a2a/a2a_stage.hpp"

#include "http/path.hpp"
#include "http/url.hpp"

#include <array>

namespace sluice::a2a {
namespace {

constexpr std::size_t card_bytes_max = 1 << 20;
constexpr std::uint64_t call_bytes_max =
    64 * 1024;  // of a JSON-RPC call that may ask for a card: it has few parameters

// Where cards are found: 0.3, its first form, and the extended card of the REST bindings of 0.3 and 1.0.
bool is_card_path(std::string_view path) {
    constexpr std::array<std::string_view, 4> ends = {"/.well-known/agent-card.json", "/.well-known/agent.json",
                                                      "/v1/card", "/extendedAgentCard"};
    for (const std::string_view end : ends) {
        if (path.ends_with(end)) return true;
    }
    return false;
}

bool is_card_method(std::string_view method) {
    return method == "agent/getAuthenticatedExtendedCard" || method == "GetExtendedAgentCard";
}

// Keeps a reply instead of passing it on.
class kept_reply final : public reply_sink {
public:
    response_head kept;
    std::string body;
    bool came = false, too_large = false;

    awaitable<void> head(response_head& h) override {
        kept = h;
        co_return;
    }
    awaitable<void> write(const event& e) override {
        too_large = too_large || body.size() + e.raw.size() > card_bytes_max;
        if (!too_large) body += e.raw;
        co_return;
    }
    awaitable<void> end() override {
        came = true;
        co_return;
    }
};

}  // namespace

void read(config_reader& r, a2a_config& c) {
    r.field("url", c.changes.url, "Where clients reach this agent: the gateway's URL with the route's path.", required);
    r.json_map("card", c.changes.fields, "Fields set on the agent's card: security, provider, ...");
    const auto url = http::parse_url(c.changes.url);
    if (!url && !c.changes.url.empty()) r.problem("url", url.error().message);
    if (url && url->path_and_query.find('?') != std::string::npos)
        r.problem("url", "a path is put behind this URL: it cannot have a query");
    while (c.changes.url.ends_with('/')) c.changes.url.pop_back();
    for (const char* const name : {"url", "supportedInterfaces", "additionalInterfaces"}) {
        if (c.changes.fields.contains(name)) r.problem("card", std::string(name) + " is written by the gateway");
    }
}

awaitable<result<a2a_stage::asked>> a2a_stage::what_is_asked(exchange& x) const {
    const request_head& head = x.request();
    if (head.method == "GET") {
        std::string scratch;
        const auto path = http::normalise_path(head.path(), scratch);
        co_return path&& is_card_path(*path) ? asked::card : asked::other;
    }
    const std::uint64_t bytes = x.body().length().value_or(1);
    if (head.method != "POST" || bytes == 0 || bytes > call_bytes_max) co_return asked::other;
    const auto body = co_await x.json();
    if (!body) co_return body.error();
    const auto method = (*body)->find("method");
    co_return method&& is_card_method(method->string().value_or("")) ? asked::card_result : asked::other;
}

awaitable<void> a2a_stage::serve(exchange& x, next_stage next) {
    const auto form = co_await what_is_asked(x);
    if (!form) co_return x.fail(form.error());
    if (*form == asked::other) {
        co_await next(x);
    } else {
        co_await serve_card(x, next, *form);
    }
}

awaitable<void> a2a_stage::serve_card(exchange& x, next_stage next, asked form) {
    // What comes must be the card whole and readable, not a "304" of a text that clients never saw.
    header_list& headers = x.request_to_change().headers;
    for (const char* const name : {"accept-encoding", "if-none-match", "if-modified-since", "range"})
        headers.remove(name);
    kept_reply reply;
    {
        const sink_scope scope(x, reply, sink_scope::needs::pieces);
        co_await next(x);
    }
    if (x.failure() || !reply.came) co_return;
    if (reply.too_large) {
        co_return x.fail(error{error_kind::upstream_protocol, "The agent's card is larger than 1 MiB."});
    }
    response_head out = reply.kept;
    if (out.status == 200) {
        const std::string_view base = x.target->endpoint->base_path;
        auto card = form == asked::card ? served_card(reply.body, base, config_.changes)
                                        : served_card_result(reply.body, base, config_.changes);
        if (!card) co_return x.fail(card.error());
        reply.body = std::move(*card);
        out.headers.remove("etag");
        out.headers.remove("last-modified");
    }
    co_await x.respond(std::move(out), reply.body);
}

}  // namespace sluice::a2a
