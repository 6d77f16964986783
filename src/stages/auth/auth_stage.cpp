#include "stages/auth/auth_stage.hpp"

#include <sluice/exchange.hpp>

namespace sluice::auth {
namespace {

counter& count_of(services& s, std::string_view result) {
    return s.metrics().get_counter("sluice_auth_total", "Requests by the outcome of their authentication.",
                                   {{"result", result}});
}

// The end of a stage that has failed the exchange.
awaitable<void> done() {
    co_return;
}

}  // namespace

struct auth_stage::counts {
    explicit counts(services& s)
        : key(count_of(s, "key")),
          token(count_of(s, "token")),
          anonymous(count_of(s, "anonymous")),
          missing(count_of(s, "missing")),
          several(count_of(s, "several")),
          unknown(count_of(s, "unknown")),
          disabled(count_of(s, "disabled")),
          expired(count_of(s, "expired")),
          bad_token(count_of(s, "bad_token")),
          no_keys(count_of(s, "no_keys")) {}

    counter &key, &token, &anonymous;                                                 // passed
    counter &missing, &several, &unknown, &disabled, &expired, &bad_token, &no_keys;  // refused
};

// A token on its way through verification. Owns all texts: verifying may await.
struct auth_stage::token_request {
    secret text;
    jose::compact_jws jws;
    jwt_issuer* issuer = nullptr;
};

auth_stage::auth_stage(const auth_config& config, std::shared_ptr<const key_table> keys, services& s)
    : takes_keys_(config.api_key.has_value()),
      optional_(config.optional),
      places_(config),
      keys_(std::move(keys)),
      hasher_(keys_->make_hasher()),
      services_(s),
      counts_(std::make_unique<counts>(s)) {
    for (const jwt_config& issuer : config.jwt) issuers_.push_back(std::make_unique<jwt_issuer>(issuer, s));
}

auth_stage::~auth_stage() = default;

// Not a coroutine: an API key needs no await, so that the common request costs no frame here.
awaitable<void> auth_stage::serve(exchange& x, next_stage next) {
    const credential found = places_.find(x.request());
    switch (found.what) {
        case credential::found::none:
            if (!optional_) return refused(x, counts_->missing);
            counts_->anonymous.add();
            return pass(x, next);
        case credential::found::several:
            counts_->several.add();
            x.fail(error{error_kind::bad_request, "The request holds several credentials that differ. Send one."});
            return done();
        case credential::found::malformed:
            return refused(x, counts_->unknown);
        case credential::found::one:
            break;
    }
    if (found.bearer && !issuers_.empty() && looks_like_jwt(found.text())) {
        if (auto token = read_token(found.text())) {
            return serve_token(x, next, std::make_unique<token_request>(std::move(*token)));
        }
    }
    if (!takes_keys_) return refused(x, counts_->unknown);
    return check_key(x, found.text()) ? pass(x, next) : done();
}

bool auth_stage::check_key(exchange& x, std::string_view key) {
    const key_entry* entry = keys_->find(key, hasher_);
    counter* refused = nullptr;
    if (entry == nullptr) {
        refused = &counts_->unknown;
    } else if (entry->disabled) {
        refused = &counts_->disabled;
    } else if (entry->expires && services_.time().wall() >= *entry->expires) {
        refused = &counts_->expired;
    }
    if (refused != nullptr) {
        refuse(x, *refused);
        return false;
    }
    x.caller = entry->who;
    counts_->key.add();
    return true;
}

// Nothing when it is no token of an issuer we know; then it may still be a key.
std::optional<auth_stage::token_request> auth_stage::read_token(std::string_view text) const {
    auto jws = jose::read_compact(text);
    if (!jws) return std::nullopt;
    const auto claims = json_object::parse(jws->payload);
    if (!claims) return std::nullopt;
    const auto value = claims->find("iss");
    const auto issuer = value ? value->string() : std::nullopt;
    if (!issuer) return std::nullopt;
    for (const auto& known : issuers_) {
        if (known->name() == *issuer) return token_request{secret(std::string(text)), std::move(*jws), known.get()};
    }
    return std::nullopt;
}

awaitable<void> auth_stage::serve_token(exchange& x, next_stage next, std::unique_ptr<token_request> t) {
    // Views move with what they view: both are bound to the texts of `t` only here, where they stay.
    t->jws.signing_input = t->text.reveal().substr(0, t->jws.signing_input.size());
    auto claims = json_object::parse(t->jws.payload);
    if (!claims) {
        refuse(x, counts_->bad_token);
        co_return;
    }
    jose::verdict reason = jose::verdict::malformed;
    const auto answer = co_await t->issuer->verify(t->jws, *claims, x.caller, reason);
    if (answer == jwt_issuer::answer::no_keys) {
        counts_->no_keys.add();
        error e{error_kind::overloaded, "The keys of the token's issuer are not available. Try again later."};
        e.retry_after = std::chrono::seconds(10);
        x.fail(std::move(e));
        co_return;
    }
    if (answer == jwt_issuer::answer::refused) {
        refuse(x, reason == jose::verdict::expired ? counts_->expired : counts_->bad_token);
        co_return;
    }
    t.reset();
    counts_->token.add();
    co_await pass(x, next);
}

awaitable<void> auth_stage::pass(exchange& x, next_stage next) {
    places_.strip(x.request_to_change());
    return next(x);
}

// One message for all: a client learns nothing about why.
void auth_stage::refuse(exchange& x, counter& why) {
    why.add();
    x.fail(error{error_kind::unauthorized, "No valid credential. Send a valid API key or token."});
}

awaitable<void> auth_stage::refused(exchange& x, counter& why) {
    refuse(x, why);
    return done();
}

}  // namespace sluice::auth
