// Sessions of the legacy era without a store: the id says what was agreed at `initialize`, sealed, so that any worker
// and any replica with the same key can serve it.
#pragma once

#include "mcp/protocol/client_facts.hpp"
#include "mcp/protocol/sealer.hpp"

#include <sluice/exchange.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::mcp {

struct session_facts {
    std::string id;  // 32 hexadecimal digits: names it where something is remembered of it
    client_facts client;
};

// `principal` is who opened it: nobody else can use it.
std::string write_session(const sealer& key, const session_facts& s, std::string_view principal,
                          std::chrono::system_clock::time_point expires);
std::optional<session_facts> read_session(const sealer& key, std::string_view token, std::string_view principal,
                                          std::chrono::system_clock::time_point now);

// Who a caller is, for what is bound to one: tenant and key.
std::string principal_of(const identity& caller);

}  // namespace sluice::mcp
