#include "mcp/serve/request_state.hpp"

#include "mcp/serve/session_token.hpp"

#include <openssl/sha.h>

#include <array>

namespace sluice::mcp {
namespace {

constexpr std::string_view purpose = "request state";

std::string binding(const rpc_message& request, const identity& caller) {
    std::string asked = request.method;
    if (!request.params.empty()) {
        const auto params = members_of(request.params);
        for (const std::string_view name : {"name", "uri", "arguments"}) {
            const auto value = params ? params->find(name) : std::nullopt;
            asked.append(1, '\0').append(value ? value->raw : "");
        }
    }
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(reinterpret_cast<const unsigned char*>(asked.data()), asked.size(), digest.data());
    return principal_of(caller).append(1, '\0').append(reinterpret_cast<const char*>(digest.data()), digest.size());
}

}  // namespace

std::string seal_state(const sealer& key, const rpc_message& request, const identity& caller, std::string_view state,
                       std::chrono::system_clock::time_point expires) {
    return key.seal(purpose, binding(request, caller), state, expires);
}

std::optional<std::string> open_state(const sealer& key, const rpc_message& request, const identity& caller,
                                      std::string_view sealed, std::chrono::system_clock::time_point now) {
    return key.open(purpose, binding(request, caller), sealed, now);
}

}  // namespace sluice::mcp
