// A bearer token that an issuer hands out (RFC 6749 section 5.1): fetched when needed, renewed in its last minute.
//
// How the issuer is asked differs by credential (client credentials, a signed assertion); what follows is alike: one
// fetch at a time, lifetimes within limits, and an old token that serves while a new one cannot be had.
#pragma once

#include "routing/credentials.hpp"

#include <functional>
#include <memory>
#include <string_view>

namespace sluice::routing {

// Makes the request for a new token. Called for each exchange on the worker's thread, so that what it reads (a file,
// the time) is of now; may look at a small local file, nothing slower. The error's text goes to the log and to the
// caller: it holds no secret.
using token_request = std::function<result<fetch_request>()>;

// One per worker and credential. Requests that need a token while it is being fetched wait for that one fetch.
class issued_token_signer final : public signer {
public:
    // `owner` names the provider in messages. `s` outlives the signer and all who wait for it.
    issued_token_signer(token_request ask, std::string_view owner, services& s);
    ~issued_token_signer() override;
    awaitable<result<void>> authorize(std::string_view method, std::string_view host, std::string_view path_and_query,
                                      const std::vector<std::string_view>& body, header_list& headers) override;

private:
    struct state;  // shared with waiters, which may outlive the signer after a reload
    std::shared_ptr<state> state_;
};

// A POST of an empty form to a token endpoint, to which fields are appended.
fetch_request token_form(std::string_view url);
// Appends a field of application/x-www-form-urlencoded; an empty value is no field.
void append_field(std::string& form, std::string_view name, std::string_view value);

}  // namespace sluice::routing
