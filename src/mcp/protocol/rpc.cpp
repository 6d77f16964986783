#include "mcp/protocol/rpc.hpp"

#include "http/json_writer.hpp"

#include <charconv>

namespace sluice::mcp {
namespace {

bad_message invalid(std::string id, std::string text) {
    return {std::move(id), rpc_error(rpc_code::invalid_request, std::move(text))};
}

bool good_id(const json_value& id) {
    if (id.raw.size() > id_bytes_max) return false;
    return id.type == json_type::string || (id.type == json_type::number && id.integer().has_value());
}

std::variant<rpc_message, bad_message> read_failure(rpc_message m, const json_value& error) {
    if (error.type != json_type::object) return invalid(m.id, "`error` is expected to be an object.");
    const auto fields = json_object::inside(error);
    if (!fields) return invalid(m.id, "`error` has a member twice.");
    const auto code = fields->find("code");
    const auto number = code ? code->integer() : std::nullopt;
    const auto message = fields->find("message");
    const auto text = message ? message->string() : std::nullopt;
    if (!number || *number < INT32_MIN || *number > INT32_MAX || !text)
        return invalid(m.id, "`error` is expected to have an integer `code` and a `message`.");
    m.what = rpc_message::kind::failure;
    m.error.code = static_cast<int>(*number);
    m.error.message = *text;
    if (const auto data = fields->find("data")) m.error.data = data->raw;
    return m;
}

std::variant<rpc_message, bad_message> read_call(rpc_message m, const json_object& body, const json_value& method) {
    auto name = method.string();
    if (!name || name->empty() || name->size() > method_bytes_max)
        return invalid(m.id, "`method` is expected to be a name.");
    m.method = std::move(*name);
    m.what = m.id.empty() ? rpc_message::kind::notification : rpc_message::kind::request;
    if (const auto params = body.find("params")) {
        if (params->type != json_type::object)
            return bad_message{m.id, rpc_error(rpc_code::invalid_params, "`params` is expected to be an object.")};
        m.params = params->raw;
    }
    return m;
}

void open(std::string& out) {
    out += R"({"jsonrpc":"2.0",)";
}

void add_id(std::string& out, std::string_view id) {
    out.append(R"("id":)").append(id).append(",");
}

}  // namespace

std::variant<rpc_message, bad_message> read_message(std::string_view text) {
    const auto body = json_object::parse(text);
    if (!body) {
        const bool json = validate_json(text).has_value();
        return bad_message{{},
                           rpc_error(json ? rpc_code::invalid_request : rpc_code::parse_error,
                                     std::string(json ? "No JSON-RPC message: " : "No JSON: ") + body.error().message)};
    }
    rpc_message m;
    if (const auto id = body->find("id")) {
        if (!good_id(*id)) {
            // The answer to a message whose id could not be read has none either.
            const bool answer = id->type == json_type::null && body->find("error");
            if (!answer) return invalid({}, "`id` is expected to be a short string or an integer.");
        } else {
            m.id = id->raw;
        }
    }
    const auto version = body->find("jsonrpc");
    if (!version || version->raw != R"("2.0")") return invalid(m.id, "`jsonrpc` is expected to be \"2.0\".");
    const auto method = body->find("method"), result = body->find("result"), error = body->find("error");
    if (method.has_value() + result.has_value() + error.has_value() != 1)
        return invalid(m.id, "Exactly one of `method`, `result` and `error` is expected.");
    if (method) return read_call(std::move(m), *body, *method);
    if (error) return read_failure(std::move(m), *error);
    if (m.id.empty()) return invalid({}, "A response without `id`.");
    if (result->type != json_type::object) return invalid(m.id, "`result` is expected to be an object.");
    m.what = rpc_message::kind::response;
    m.result = result->raw;
    return m;
}

bool looks_like_batch(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    return first != std::string_view::npos && text[first] == '[';
}

std::vector<std::string_view> batch_messages(std::string_view text) {
    std::vector<std::string_view> out;
    if (!validate_json(text)) return out;
    const auto elements = json_elements({json_type::array, text.substr(text.find('['))});
    if (elements.size() > batch_max) return out;
    for (const json_value& e : elements) out.push_back(e.raw);
    return out;
}

void append_result(std::string& out, std::string_view id, std::string_view result) {
    open(out);
    add_id(out, id);
    out.append(R"("result":)").append(result).append("}");
}

void append_error(std::string& out, std::string_view id, const rpc_error& e, no_id otherwise) {
    open(out);
    if (!id.empty() || otherwise == no_id::null) add_id(out, id.empty() ? "null" : id);
    out += R"("error":)";
    http::json_writer w(out);
    w.begin_object().key("code").integer(e.code).key("message").string(e.message);
    if (!e.data.empty()) w.key("data").raw(e.data);
    w.end_object();
    out += '}';
}

void append_notification(std::string& out, std::string_view method, std::string_view params) {
    open(out);
    out += R"("method":)";
    append_json_string(out, method);
    if (!params.empty()) out.append(R"(,"params":)").append(params);
    out += '}';
}

void append_request(std::string& out, std::string_view id, std::string_view method, std::string_view params) {
    open(out);
    add_id(out, id);
    out += R"("method":)";
    append_json_string(out, method);
    if (!params.empty()) out.append(R"(,"params":)").append(params);
    out += '}';
}

result<json_object> members_of(std::string_view params) {
    return json_object::inside({json_type::object, params.empty() ? "{}" : params});
}

std::string_view arguments_of(std::string_view params) {
    const auto members = members_of(params);
    const auto arguments = members ? members->find("arguments") : std::nullopt;
    return arguments ? arguments->raw : "{}";
}

std::string json_id(std::string_view text) {
    return to_json_string(text);
}

}  // namespace sluice::mcp
