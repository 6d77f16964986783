// Request header fields that a client's request and the upstream's never have in common.
#pragma once

#include "base/ascii.hpp"

#include <sluice/message.hpp>

#include <string_view>

namespace sluice::http {

// Only the gateway may say these to an upstream; from a client they would be claims.
inline bool gateway_header(std::string_view name) {
    const auto starts_with = [&](std::string_view prefix) {
        return name.size() >= prefix.size() && iequals(name.substr(0, prefix.size()), prefix);
    };
    switch (name.size() < 2 ? '\0' : static_cast<char>(name[0] | 0x20)) {
        case 'x':
            return starts_with("x-forwarded-") || starts_with("x-sluice-") || starts_with("x-gateway-") ||
                   iequals(name, "x-real-ip") || iequals(name, "x-request-id");
        case 'f':
            return iequals(name, "forwarded");
        case 'h':
            return iequals(name, "host");
        case 't':
            return iequals(name, "traceparent") || iequals(name, "tracestate");
        default:
            return false;
    }
}

// What proves who the client is, to us and to nobody else.
inline bool credential_header(std::string_view name) {
    switch (name.size()) {
        case 6:
            return ascii::token_equals(name, "cookie");
        case 7:
            return ascii::token_equals(name, "api-key");
        case 9:
            return ascii::token_equals(name, "x-api-key");
        case 13:
            return ascii::token_equals(name, "authorization");
        case 14:
            return ascii::token_equals(name, "x-goog-api-key");
        case 19:
            return ascii::token_equals(name, "proxy-authorization");
        case 20:
            return ascii::token_equals(name, "x-amz-security-token");
        default:
            return false;
    }
}

}  // namespace sluice::http
