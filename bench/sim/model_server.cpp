#include "sim/model_server.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "sim/json_out.hpp"
#include "sim/wire.hpp"

namespace sluice::sim {
namespace {

std::int64_t unix_seconds() {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

shape shape_of(std::string_view path) {
    if (path == "/v1/messages") return shape::messages;
    if (path == "/v1/responses") return shape::responses;
    return path == "/v1/completions" ? shape::completions : shape::chat;
}

// A script inside the request's body, for gateways that do not pass unknown headers: [[sim-fault delay=1s]]
std::string_view script_in_body(std::string_view body) {
    constexpr std::string_view opening = "[[sim-fault ";
    const auto at = body.find(opening);
    if (at == std::string_view::npos) return {};
    const auto begin = at + opening.size();
    const auto end = body.find("]]", begin);
    return end == std::string_view::npos ? std::string_view() : body.substr(begin, end - begin);
}

constexpr std::array<std::string_view, 6> json_paths = {"/v1/embeddings", "/v1/moderations",        "/v1/rerank",
                                                        "/rerank",        "/v1/images/generations", "/v1/audio/speech"};

refusal bad_json() {
    return {400, "We could not parse the JSON body of your request.", "invalid_request_error", "", ""};
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

void reply::clear() {
    how = kind::whole;
    status = 200;
    content_type = "application/json";
    headers.clear();
    body.clear();
    said = {};
    sequence = {};
    paced = {};
    fault = {};
}

model_server::model_server(server_profile profile)
    : profile_(std::move(profile)), engine_(profile_.speed), stats_(profile_.heads_kept) {
    for (const std::string& rule : profile_.faults) (void)faults_.add(rule);
}

void model_server::handle(const request& r, reply& out) {
    if (r.path.starts_with("/sim/") && route_simulator(r, out)) return;  // never faulty
    std::optional<std::string> complaint;
    out.fault = fault_for(r, complaint);
    if (complaint)
        return refuse(shape::chat, {400, "x-sim-fault: " + *complaint, "invalid_request_error", "", ""}, out);
    if (out.fault.replaces_body()) {
        out.status = out.fault.status;
        out.body =
            !out.fault.body.empty() ? out.fault.body : error_body(shape_of(r.path), out.status, "Simulated failure.");
    } else {
        route(r, out);
    }
    add_faults(r, out);
}

void model_server::handle_turn(std::string_view model, std::string_view text, reply& out) {
    ask a;
    a.as = shape::responses;
    a.model = model;
    a.prompt = "user\n" + std::string(text) + "\nassistant\n";
    a.last_user = text;
    begin_generation(a, {}, out);
}

void model_server::route(const request& r, reply& out) {
    if (r.path == "/health" || r.path == "/ping") {
        out.content_type = "text/plain";
        out.body = "ok\n";
    } else if (r.path == "/metrics") {
        out.content_type = "text/plain; version=0.0.4; charset=utf-8";
        out.body = metrics();
    } else if (r.path == "/v1/models") {
        out.body = model_list(profile_.models, profile_.loras, unix_seconds());
    } else if (r.path == "/echo" || r.path.starts_with("/echo/")) {
        out.body = echo(r);
    } else if (r.path == "/sse/echo") {
        out.content_type = "text/event-stream";
        put(out.body, "event: echo\ndata: ", echo(r), "\n\ndata: [DONE]\n\n");
    } else if (r.path == "/ws/echo") {
        out.how = reply::kind::echo_socket;
    } else if (r.path == "/v1/realtime") {
        out.how = reply::kind::realtime_socket;
    } else if (r.path.starts_with("/v1/files") || r.path.starts_with("/v1/batches")) {
        auto stored = files_.serve(r, unix_seconds());
        out.status = stored.status;
        out.body = std::move(stored.body);
        out.content_type = std::move(stored.content_type);
    } else if (!route_generation(r, out) && !route_json(r, out)) {
        refuse(shape_of(r.path), {404, "Not found: " + std::string(r.path), "invalid_request_error", "", ""}, out);
    }
}

bool model_server::route_generation(const request& r, reply& out) {
    if (r.method != "POST") return false;
    if (r.path == "/v1/chat/completions") {
        generate(shape::chat, r, out);
    } else if (r.path == "/v1/completions") {
        generate(shape::completions, r, out);
    } else if (r.path == "/v1/responses") {
        generate(shape::responses, r, out);
    } else if (r.path == "/v1/messages") {
        generate(shape::messages, r, out);
    } else {
        return false;
    }
    return true;
}

bool model_server::route_json(const request& r, reply& out) {
    body_or_refusal made;
    if (r.path == "/v1/audio/transcriptions") {
        made = transcription(r);
    } else {
        simdjson::dom::element root;
        if (std::find(json_paths.begin(), json_paths.end(), r.path) == json_paths.end()) return false;
        if (parser_.parse(r.body.data(), r.body.size(), true).get(root) != simdjson::SUCCESS) {
            refuse(shape::chat, bad_json(), out);
            return true;
        }
        if (r.path == "/v1/embeddings") {
            made = embeddings(root);
        } else if (r.path == "/v1/moderations") {
            made = moderations(root);
        } else if (r.path == "/v1/rerank" || r.path == "/rerank") {
            made = rerank(root);
        } else if (r.path == "/v1/images/generations") {
            made = images(root, unix_seconds());
        } else {
            made = speech(root, out.content_type);
        }
    }
    if (const auto* refused = std::get_if<refusal>(&made)) {
        refuse(shape::chat, *refused, out);
    } else {
        out.body = std::move(std::get<std::string>(made));
    }
    return true;
}

bool model_server::route_simulator(const request& r, reply& out) {
    if (r.path == "/sim/stats") {
        out.body = stats_.to_json(profile_.name);
    } else if (r.path == "/sim/reset") {
        stats_.reset();
        faults_.clear();
        files_.clear();
        if (r.parameter("cache") == "1") engine_.wipe_cache();
        out.body = R"({"ok":true})";
    } else if (r.path == "/sim/mark") {
        stats_.mark();
        out.body = R"({"ok":true})";
    } else if (r.path == "/sim/faults") {
        if (r.method == "DELETE") {
            faults_.clear();
        } else if (const auto complaint = faults_.add(r.body)) {
            refuse(shape::chat, {400, *complaint, "invalid_request_error", "", ""}, out);
            return true;
        }
        out.body = R"({"ok":true})";
    } else {
        return false;
    }
    return true;
}

void model_server::generate(shape as, const request& r, reply& out) {
    simdjson::dom::element root;
    if (parser_.parse(r.body.data(), r.body.size(), true).get(root) != simdjson::SUCCESS) {
        return refuse(as, bad_json(), out);
    }
    auto read = read_ask(as, root);
    if (const auto* refused = std::get_if<refusal>(&read)) return refuse(as, *refused, out);
    const ask& a = std::get<ask>(read);
    if (profile_.strict_models && !contains(profile_.models, a.model) && !contains(profile_.loras, a.model)) {
        return refuse(
            as, {404, "The model `" + a.model + "` does not exist.", "NotFoundError", "model_not_found", "model"}, out);
    }
    script s;
    s.text = out.fault.text;
    if (const auto text = r.find("x-sim-text"); !text.empty()) s.text = text;
    if (const auto count = r.find("x-sim-tokens"); !count.empty()) {
        std::size_t tokens = 0;
        std::from_chars(count.data(), count.data() + count.size(), tokens);
        s.tokens = std::clamp<std::size_t>(tokens, 1, 1U << 20);
    }
    if (const auto stream = r.find("x-sim-stream"); !stream.empty() && a.stream) {
        const auto paced = parse_pace(stream);
        if (!paced) return refuse(as, {400, "x-sim-stream is not understood", "invalid_request_error", "", ""}, out);
        out.paced = *paced;
        s.events = paced->events;
    }
    begin_generation(a, s, out);
}

void model_server::begin_generation(const ask& a, const script& s, reply& out) {
    out.said = compose(a, s, ++serial_, unix_seconds());
    if (out.paced.events > 0) fit_events(out.said, out.paced.bytes);
    out.said.no_usage = out.fault.no_usage;
    out.said.no_done = out.fault.no_done;
    out.sequence = sequence_for(a, out.said, profile_.speed, contains(profile_.loras, a.model) ? a.model : "");
    if (out.paced.events == 0 && !engine_.fits(out.sequence)) {
        std::string why;
        put(why, "This model's maximum context length is ", profile_.speed.model_tokens_max,
            " tokens. However, you requested ", out.sequence.prompt_tokens + out.sequence.output_tokens, " tokens.");
        return refuse(a.as, {400, why, "invalid_request_error", "context_length_exceeded", "messages"}, out);
    }
    out.how = a.stream ? reply::kind::stream : reply::kind::generated;
    if (a.stream) out.content_type = "text/event-stream; charset=utf-8";
}

void model_server::add_faults(const request& r, reply& out) {
    if (!out.fault.retry_after.empty()) put(out.headers, "retry-after: ", out.fault.retry_after, "\r\n");
    if (!out.fault.header.empty()) put(out.headers, out.fault.header, "\r\n");
    if (!out.fault.content_type.empty()) out.content_type = out.fault.content_type;
    if (const auto format = r.find("endpoint-load-metrics-format"); !format.empty()) {
        const auto load = load_header(format, engine_.load());
        if (!load.empty()) put(out.headers, "endpoint-load-metrics: ", load, "\r\n");
    }
    if (const auto id = r.find("x-request-id"); !id.empty()) put(out.headers, "x-request-id: ", id, "\r\n");
}

void model_server::refuse(shape as, const refusal& why, reply& out) const {
    out.how = reply::kind::whole;
    out.status = why.status;
    out.content_type = "application/json";
    out.body = error_body(as, why.status, why.message, why.type, why.code, why.param);
}

fault_plan model_server::fault_for(const request& r, std::optional<std::string>& complaint) {
    auto script = r.find("x-sim-fault");
    if (script.empty()) script = script_in_body(r.body);
    if (script.empty()) {
        if (faults_.empty()) return {};
        return faults_.take(r.target).value_or(fault_plan{});
    }
    auto parsed = parse_fault(script);
    if (auto* error = std::get_if<std::string>(&parsed)) {
        complaint = std::move(*error);
        return {};
    }
    return std::move(std::get<fault_plan>(parsed));
}

const std::string& model_server::metrics() {
    const auto now = steady::now();
    if (metrics_text_.empty() || now - metrics_at_ >= profile_.metrics_lag) {
        metrics_at_ = now;
        metrics_text_ = metrics_page(profile_.engine, engine_.load(), profile_.speed,
                                     profile_.models.empty() ? "" : profile_.models.front(), unix_seconds());
    }
    return metrics_text_;
}

std::optional<pace> parse_pace(std::string_view text) {
    pace p;
    p.bytes = 200;
    while (!text.empty()) {
        const auto comma = text.find(',');
        const auto part = text.substr(0, comma);
        text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
        const auto equals = std::min(part.find('='), part.size());
        const auto name = part.substr(0, equals);
        const auto value = part.substr(std::min(equals + 1, part.size()));
        const auto number = [value](std::size_t& to) {
            const auto [end, ec] = std::from_chars(value.data(), value.data() + value.size(), to);
            return ec == std::errc() && end == value.data() + value.size();
        };
        bool understood = false;
        if (name == "events") understood = number(p.events);
        if (name == "bytes") understood = number(p.bytes);
        if (name == "batch") understood = number(p.batch) && p.batch > 0;
        if (name == "gap") {
            const auto gap = parse_duration(value);
            understood = gap.has_value();
            p.gap = gap.value_or(p.gap);
        }
        if (!understood) return std::nullopt;
    }
    constexpr std::size_t stream_bytes_max = std::size_t{256} << 20;
    if (p.events == 0 || p.bytes > stream_bytes_max ||
        p.events > stream_bytes_max / std::max<std::size_t>(1, p.bytes)) {
        return std::nullopt;
    }
    return p;
}

void write_head(std::string& out, const reply& r, std::optional<std::size_t> length, bool keep_alive) {
    put(out, "HTTP/1.1 ", r.status);
    if (!r.fault.no_reason) put(out, " ", reason_phrase(r.status));
    put(out, "\r\ncontent-type: ", r.content_type, "\r\n");
    if (r.fault.te_gzip) {
        out += "transfer-encoding: gzip, chunked\r\n";
    } else if (!r.fault.no_length) {
        if (length) put(out, "content-length: ", *length, "\r\n");
        if (!length || r.fault.cl_te) out += "transfer-encoding: chunked\r\n";
        if (!length && r.fault.cl_te) out += "content-length: 10\r\n";
    }
    if (!length && r.how == reply::kind::stream) out += "cache-control: no-cache\r\n";
    if (!keep_alive) out += "connection: close\r\n";
    put(out, r.headers, "\r\n");
}

}  // namespace sluice::sim
