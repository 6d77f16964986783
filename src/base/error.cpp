#include <sluice/error.hpp>
#include <sluice/result.hpp>

#include <stdexcept>

namespace sluice {

const error_traits& traits(error_kind kind) {
    using enum blame;
    constexpr auto bad = std::string_view{"invalid_request_error"};
    constexpr auto auth = std::string_view{"authentication_error"};
    constexpr auto ours = std::string_view{"api_error"};
    static constexpr error_traits table[] = {
        {"bad_request", 400, client, retry::never, bad},
        {"context_length_exceeded", 400, client, retry::never, bad},
        {"invalid_api_key", 401, client, retry::never, auth},
        {"permission_denied", 403, client, retry::never, "permission_error"},
        {"not_found", 404, client, retry::never, bad},
        {"model_not_found", 404, client, retry::never, bad},
        {"method_not_allowed", 405, client, retry::never, bad},
        {"request_timeout", 408, client, retry::never, bad},
        {"length_required", 411, client, retry::never, bad},
        {"payload_too_large", 413, client, retry::never, bad},
        {"uri_too_long", 414, client, retry::never, bad},
        {"unsupported_media_type", 415, client, retry::never, bad},
        {"rate_limit_exceeded", 429, client, retry::never, "rate_limit_error"},
        {"headers_too_large", 431, client, retry::never, bad},
        {"not_implemented", 501, client, retry::never, bad},
        {"version_not_supported", 505, client, retry::never, bad},
        {"internal_error", 500, gateway, retry::never, ours},
        {"overloaded", 503, gateway, retry::never, "overloaded_error"},
        {"draining", 503, gateway, retry::never, "overloaded_error"},
        {"upstream_forbidden", 502, gateway, retry::other_target, ours},
        {"upstream_dns", 502, upstream, retry::other_target, ours},
        {"upstream_connect", 502, upstream, retry::other_target, ours},
        {"upstream_connect_timeout", 504, upstream, retry::other_target, ours},
        {"upstream_tls", 502, upstream, retry::other_target, ours},
        {"upstream_tls_timeout", 504, upstream, retry::other_target, ours},
        {"upstream_reset", 502, upstream, retry::other_target, ours},
        {"upstream_protocol", 502, upstream, retry::other_target, ours},
        {"upstream_first_byte_timeout", 504, upstream, retry::other_target, ours},
        {"upstream_idle_timeout", 504, upstream, retry::never, ours},
        {"upstream_status", 502, upstream, retry::other_target, ours},
        {"upstream_event_too_large", 502, upstream, retry::never, ours},
        {"no_target", 503, upstream, retry::never, "overloaded_error"},
        {"credential_unavailable", 502, gateway, retry::other_target, ours},
        {"total_timeout", 504, upstream, retry::never, ours},
        {"client_gone", 499, client, retry::never, bad},
        {"client_write_stall", 499, client, retry::never, bad},
    };
    static_assert(std::size(table) == static_cast<std::size_t>(error_kind::client_write_stall) + 1);
    return table[static_cast<std::size_t>(kind)];
}

int status_of(const error& e) {
    if (e.upstream != nullptr && e.upstream->status != 0) return e.upstream->status;
    return traits(e.kind).status;
}

std::string describe(const error& e) {
    std::string text{traits(e.kind).code};
    if (!e.message.empty()) text.append(": ").append(e.message);
    return text;
}

void throw_exception_from_error(const error& e, const boost::source_location& where) {
    throw std::logic_error(std::string(where.function_name()) + " read the value of a failed result: " + describe(e));
}

}  // namespace sluice
