#include "dialects/anthropic/errors.hpp"

#include "dialects/context_overflow.hpp"
#include "dialects/values.hpp"
#include "http/json_writer.hpp"

#include <algorithm>

namespace sluice::chat::anthropic {
namespace {

constexpr std::size_t quoted_max = 1024;
constexpr std::string_view too_long = "prompt is too long";

struct error_type {
    std::string_view name;
    int status;
};

// Anthropic's own, by which a status is named too.
constexpr error_type own_types[] = {
    {"invalid_request_error", 400}, {"authentication_error", 401}, {"billing_error", 402},    {"permission_error", 403},
    {"not_found_error", 404},       {"request_too_large", 413},    {"rate_limit_error", 429}, {"api_error", 500},
    {"timeout_error", 504},         {"overloaded_error", 529},
};

struct translation {
    std::string_view foreign, own;
};

// Types and codes of OpenAI, names of Google's statuses and of Bedrock's exceptions.
constexpr translation translations[] = {
    {"insufficient_quota", "rate_limit_error"},
    {"rate_limit_exceeded", "rate_limit_error"},
    {"rate_limited", "rate_limit_error"},
    {"tokens", "rate_limit_error"},
    {"requests", "rate_limit_error"},
    {"server_error", "api_error"},
    {"internal_server_error", "api_error"},
    {"overloaded", "overloaded_error"},
    {"service_unavailable", "overloaded_error"},
    {"invalid_api_key", "authentication_error"},
    {"model_not_found", "not_found_error"},
    {"timeout", "timeout_error"},
    {"billing_hard_limit_reached", "billing_error"},
    {"INVALID_ARGUMENT", "invalid_request_error"},
    {"FAILED_PRECONDITION", "invalid_request_error"},
    {"UNAUTHENTICATED", "authentication_error"},
    {"PERMISSION_DENIED", "permission_error"},
    {"NOT_FOUND", "not_found_error"},
    {"RESOURCE_EXHAUSTED", "rate_limit_error"},
    {"INTERNAL", "api_error"},
    {"UNAVAILABLE", "overloaded_error"},
    {"DEADLINE_EXCEEDED", "timeout_error"},
    {"ValidationException", "invalid_request_error"},
    {"validationException", "invalid_request_error"},
    {"AccessDeniedException", "permission_error"},
    {"ResourceNotFoundException", "not_found_error"},
    {"ThrottlingException", "rate_limit_error"},
    {"throttlingException", "rate_limit_error"},
    {"ServiceQuotaExceededException", "rate_limit_error"},
    {"InternalServerException", "api_error"},
    {"internalServerException", "api_error"},
    {"ModelErrorException", "api_error"},
    {"ModelStreamErrorException", "api_error"},
    {"modelStreamErrorException", "api_error"},
    {"ModelTimeoutException", "timeout_error"},
    {"modelTimeoutException", "timeout_error"},
    {"ServiceUnavailableException", "overloaded_error"},
    {"serviceUnavailableException", "overloaded_error"},
};

std::string_view type_of_status(int status) {
    for (const error_type& t : own_types) {
        if (t.status == status) return t.name;
    }
    if (status == 408) return "timeout_error";
    if (status == 503) return "overloaded_error";
    return status >= 400 && status < 500 ? "invalid_request_error" : "api_error";
}

struct error_members {
    json message, type, code, status, error, param;
};

error_members members_of(json object) {
    error_members m;
    each_member(object, [&](std::string_view key, const json_value& value) {
        if (key == "message" || key == "Message") {
            m.message = value.raw;
        } else if (key == "type" || key == "__type") {
            m.type = value.raw;
        } else if (key == "code") {
            m.code = value.raw;
        } else if (key == "status") {
            m.status = value.raw;
        } else if (key == "param") {
            m.param = value.raw;
        } else if (key == "error") {
            m.error = value.raw;
        }
    });
    return m;
}

}  // namespace

std::string_view error_type_of(std::string_view type, int status) {
    for (const error_type& t : own_types) {
        if (t.name == type) return t.name;
    }
    for (const translation& t : translations) {
        if (t.foreign == type) return t.own;
    }
    return type_of_status(status);
}

void write_error_body(const error_facts& e, std::string& out) {
    std::string message = e.message;
    if (e.code == "context_length_exceeded" && message.find(too_long) == std::string::npos)
        message.insert(0, std::string(too_long) + ": ");
    http::json_writer w(out);
    w.begin_object().key("type").raw("\"error\"").key("error").begin_object();
    w.key("type").string(error_type_of(e.type, e.status)).key("message").string(message);
    w.end_object().end_object();
}

error_facts read_error_body(int status, std::string_view body) {
    error_facts facts;
    facts.status = status;
    json root = body.substr(std::min(body.find_first_not_of(" \t\r\n"), body.size()));
    if (validate_json(root)) {
        if (type_of(root) == json_type::array) {  // Vertex AI, where a stream was asked for
            const auto all = json_elements({json_type::array, root});
            if (!all.empty()) root = all.front().raw;
        }
        error_members m = members_of(root);
        if (type_of(m.error) == json_type::object) m = members_of(m.error);
        facts.message = decode(m.message);
        facts.type = decode(m.type);
        if (facts.type.empty()) facts.type = decode(m.status);
        if (is_string(m.code)) facts.code = decode(m.code);
        facts.param = decode(m.param);
    }
    if (facts.message.empty()) facts.message = body.substr(0, quoted_max);
    if (facts.type.empty()) facts.type = type_of_status(status);
    if (says_too_long(status, body)) facts.code = "context_length_exceeded";
    return facts;
}

}  // namespace sluice::chat::anthropic
