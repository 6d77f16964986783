#include "mcp/rest/rest_source.hpp"

#include "config/file_text.hpp"
#include "mcp/protocol/text_result.hpp"
#include "mcp/rest/answer.hpp"
#include "mcp/rest/request.hpp"
#include "mcp/rest/tool_schema.hpp"
#include "telemetry/log.hpp"

#include <filesystem>
#include <map>

namespace sluice::mcp::rest {
namespace {

constexpr std::size_t file_bytes_max = 8u << 20;

std::string failed(std::string_view text) {
    return text_result(text, true);
}

// A relative path starts at the folder of the file in which it stands ("gateway.yaml:42:7").
std::string beside(const std::string& place, const std::string& path) {
    const std::filesystem::path file(place.substr(0, place.rfind(':', place.rfind(':') - 1)));
    return (file.parent_path() / path).string();
}

}  // namespace

void read(config_reader& r, setting& c) {
    r.field("name", c.name, "Name of the member.", required);
    r.field("value", c.value, "Its value.", required);
}

void read(config_reader& r, rest_source_config& c) {
    r.field("file", c.file, "Definition of its tools, in the format of Higress.", required);
    r.list("config", c.config, "Members of the file's server.config: where keys are kept.");
    r.field("timeout", c.timeout, "For one request to the service.", {.min = 0.01, .max = 3600});
    r.field("reply_bytes", c.reply_bytes, "Largest reply; a larger one is an error.", {.min = 1024, .max = 256 << 20});
    r.field("allow_private", c.allow_private,
            "Whether the name of a service may lead to a private or loopback address.");
    if (c.file.empty()) return;
    const std::string path = beside(r.where(), c.file);
    const auto text = config::read_file(path, file_bytes_max);
    if (!text) return r.problem("file", "cannot be read: " + text.error().message);
    std::map<std::string, secret> settings;
    for (const setting& s : c.config) settings[s.name] = s.value;
    auto loaded = load_definition(*text, path, settings);
    for (const config::problem& p : loaded.problems) r.problem("file", config::to_string(p));
    if (loaded.made) c.loaded = std::make_shared<const definition>(std::move(*loaded.made));
}

rest_source::rest_source(std::string name, const rest_source_config& c, services& s)
    : name_(std::move(name)), config_(c), services_(s) {
    auto set = std::make_shared<feature_set>();
    for (const tool& t : config_.loaded->tools) set->tools.push_back({t.name, tool_json(t), {}});
    features_ = std::move(set);
}

awaitable<outcome> rest_source::perform(const call& c, call_channel& channel) {
    const tool* t = c.method == "tools/call" ? config_.loaded->find(c.name) : nullptr;
    if (t == nullptr) co_return rpc_error(rpc_code::invalid_params, "There is no such thing here.");
    auto result = co_await call_service(*t, c, channel);
    co_return completed{std::move(result)};
}

awaitable<std::string> rest_source::call_service(const tool& t, const call& c, call_channel& channel) {
    const auto args = read_arguments(t, arguments_of(c.params));
    if (!args) co_return failed(args.error().message);
    template_context context;
    context.now = services_.time().wall();
    context.remote_address = channel.remote_address();
    if (t.answers_itself()) co_return direct_result(*config_.loaded, t, *args, context).json;
    auto made = make_request(*config_.loaded, t, *args, context);
    if (!made) co_return failed(made.error().message);
    fetch_request request;
    request.method = made->method;
    request.url = std::move(made->url);
    for (const auto& [header, value] : made->headers) request.headers.add(header, value);
    request.body = std::move(made->body);
    request.timeout = config_.timeout;
    request.body_bytes_max = config_.reply_bytes.value;
    request.allow_private = config_.allow_private;
    const auto reply = co_await services_.fetcher().fetch(std::move(request));
    if (!reply) {
        log::warn("mcp: source \"{}\": tool \"{}\": {}", name_, t.name, describe(reply.error()));
        co_return failed("The service could not be reached: " + std::string(traits(reply.error().kind).code));
    }
    service_answer answer;
    answer.status = reply->head.status;
    answer.content_type = reply->head.headers.find("content-type").value_or("");
    for (const auto f : reply->head.headers) answer.headers.emplace_back(f.name, f.value);
    answer.body = reply->body;
    co_return make_result(t, *args, context, answer).json;
}

}  // namespace sluice::mcp::rest
