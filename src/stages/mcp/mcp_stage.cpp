#include "stages/mcp/mcp_stage.hpp"

#include "base/ids.hpp"
#include "base/random.hpp"
#include "base/version.hpp"
#include "http/json_writer.hpp"
#include "stages/mcp/mcp_http.hpp"

#include <stdexcept>

namespace sluice::mcp_endpoint {

using namespace mcp;

namespace {

constexpr std::string_view session_header = "Mcp-Session-Id", version_header = "MCP-Protocol-Version";

awaitable<void> respond_error(exchange& x, int status, std::string_view id, const rpc_error& e,
                              no_id otherwise = no_id::left_out) {
    std::string body;
    append_error(body, id, e, otherwise);
    co_await x.respond_json(status, body);
}

awaitable<void> respond_result(exchange& x, std::string_view id, std::string_view result) {
    std::string body;
    append_result(body, id, result);
    co_await x.respond_json(200, body);
}

// 202 for what needs no answer.
awaitable<void> respond_accepted(exchange& x) {
    response_head head;
    head.status = 202;
    co_await x.respond(std::move(head), {});
}

rpc_error unsupported(std::string_view wanted) {
    std::string data;
    http::json_writer w(data);
    w.begin_object().key("supported").begin_array();
    for (const version v : versions) w.string(to_string(v));
    w.end_array().key("requested").string(wanted).end_object();
    return {rpc_code::unsupported_version, "Unsupported protocol version", std::move(data)};
}

server_settings settings_of(const mcp_stage_config& c) {
    server_settings s;
    s.info = {"sluice", c.title, std::string(gateway_version)};
    s.instructions = c.instructions;
    s.page_size = c.page_size;
    s.lists.ttl = c.list_ttl;
    s.limits.answer = c.answer_timeout;
    return s;
}

std::shared_ptr<view> view_of(const mcp_config& sources, const std::string& name, services& s) {
    auto v = make_view(sources, name, s);
    if (!v) throw std::runtime_error("mcp: there is no view \"" + name + "\"");
    return v;
}

}  // namespace

mcp_stage::mcp_stage(const mcp_stage_config& c, const mcp_config& sources, services& s, const std::string& route,
                     std::size_t position)
    : config_(c),
      services_(s),
      books_(s.shared<session_books>("mcp:" + route + ":" + std::to_string(position),
                                     [] { return std::make_shared<session_books>(); })),
      book_(books_->of(s.executor())),
      // Made once per process where none is configured, so that all workers and reloads have the same.
      key_(c.session_key.empty() ? s.shared<const sealer>("mcp:key", [] { return std::make_shared<sealer>(secret{}); })
                                 : std::make_shared<const sealer>(c.session_key)),
      server_(view_of(sources, c.view, s), settings_of(c), key_),
      figures_(s.metrics(), route) {}

awaitable<void> mcp_stage::serve(exchange& x, next_stage) {
    if (!host_and_origin_fit(x, config_)) {
        const rpc_error refused(rpc_code::invalid_request,
                                "This Host or Origin may not call here: see `hosts` and `origins` of the mcp stage.");
        co_return co_await respond_error(x, 403, {}, refused);
    }
    const std::string& method = x.request().method;
    const auto said = x.request().headers.find(version_header);
    const auto speaks = said ? parse_version(*said) : std::nullopt;
    if (method == "POST") co_return co_await post(x);
    if (speaks && modern(*speaks)) co_return x.fail(error{error_kind::method_not_allowed, "Only POST."});
    if (method == "GET") co_return co_await get(x);
    if (method == "DELETE") co_return co_await end_session(x);
    x.fail(error{error_kind::method_not_allowed, "Only POST, GET and DELETE."});
}

awaitable<void> mcp_stage::post(exchange& x) {
    if (!is_json(x.request().headers))
        co_return x.fail(error{error_kind::unsupported_media_type, "A JSON-RPC message is application/json."});
    const accepted_types types = accepted(x.request().headers);
    if (!types.json && !types.sse) {
        const rpc_error refused(rpc_code::invalid_request, "Answers are application/json or text/event-stream.");
        co_return co_await respond_error(x, 406, {}, refused);
    }
    const auto body = co_await x.collect_body();
    if (!body) co_return x.fail(body.error());
    if (looks_like_batch(*body)) co_return co_await serve_batch(x, *body);
    auto read = read_message(*body);
    if (const auto* bad = std::get_if<bad_message>(&read))
        co_return co_await respond_error(x, 400, bad->id, bad->error, no_id::null);
    rpc_message m = std::get<rpc_message>(std::move(read));
    co_await serve_message(x, std::move(m));
}

awaitable<void> mcp_stage::serve_message(exchange& x, rpc_message m) {
    auto read = read_meta(m.params);
    if (const auto* e = std::get_if<rpc_error>(&read)) co_return co_await respond_error(x, 400, m.id, *e);
    auto meta = std::get<request_meta>(std::move(read));
    const auto said = x.request().headers.find(version_header);
    const auto speaks = said ? parse_version(*said) : std::nullopt;
    if (said && !speaks && !meta.present) co_return co_await respond_error(x, 400, m.id, unsupported(*said));
    if (meta.present || (speaks && modern(*speaks)))
        co_await serve_modern(x, std::move(m), std::move(meta));
    else
        co_await serve_legacy(x, std::move(m), std::move(meta));
}

awaitable<void> mcp_stage::serve_modern(exchange& x, rpc_message m, request_meta meta) {
    if (m.what == rpc_message::kind::notification) co_return co_await respond_accepted(x);
    if (m.what != rpc_message::kind::request) {
        const rpc_error refused(rpc_code::invalid_request, "Clients send requests and notifications alone.");
        co_return co_await respond_error(x, 400, m.id, refused);
    }
    const header_list& headers = x.request().headers;
    if (!headers.contains(version_header)) {
        const rpc_error missing(rpc_code::header_mismatch, "Header mismatch: MCP-Protocol-Version is missing.");
        co_return co_await respond_error(x, 400, m.id, missing);
    }
    if (!meta.present) {
        const rpc_error missing(rpc_code::invalid_params, "`_meta` lacks io.modelcontextprotocol/protocolVersion.");
        co_return co_await respond_error(x, 400, m.id, missing);
    }
    const auto known = parse_version(meta.protocol_version);
    const auto mismatch = check_headers(headers, m, meta.protocol_version);
    const bool other_version = headers.find(version_header) != std::optional<std::string_view>(meta.protocol_version);
    if (mismatch && other_version) co_return co_await respond_error(x, 400, m.id, *mismatch);
    if (!known || !modern(*known)) co_return co_await respond_error(x, 400, m.id, unsupported(meta.protocol_version));
    if (mismatch) co_return co_await respond_error(x, 400, m.id, *mismatch);
    if (!meta.has_capabilities) {
        const rpc_error missing(rpc_code::invalid_params, "`_meta` lacks io.modelcontextprotocol/clientCapabilities.");
        co_return co_await respond_error(x, 400, m.id, missing);
    }
    asked a{std::move(m), meta.client, {}, std::move(meta.progress_token), &x.caller, x.remote_address(), &headers};
    decision d = server_.decide(a, services_.time().wall());
    if (const auto* e = std::get_if<rpc_error>(&d))
        co_return co_await respond_error(x, status_for(e->code), a.request.id, *e);
    if (const auto* done = std::get_if<answered>(&d)) co_return co_await respond_result(x, a.request.id, done->result);
    if (const auto* filter = std::get_if<listen_filter>(&d)) co_return co_await listen(x, a.request, *filter);
    co_await run(x, std::get<call_plan>(std::move(d)));
}

awaitable<void> mcp_stage::serve_legacy(exchange& x, rpc_message m, request_meta meta) {
    if (m.what == rpc_message::kind::request && m.method == "initialize") co_return co_await initialize(x, m);
    if (!x.request().headers.contains(session_header)) {
        const rpc_error missing(rpc_code::invalid_request, "Mcp-Session-Id is missing: begin with `initialize`.");
        co_return co_await respond_error(x, 400, m.id, missing, no_id::null);
    }
    const auto session = session_of(x);
    if (!session) {
        const rpc_error gone(rpc_code::invalid_request, "There is no such session: begin again with `initialize`.");
        co_return co_await respond_error(x, 404, m.id, gone, no_id::null);
    }
    if (m.what != rpc_message::kind::request) {
        notified(m, session->id);
        co_return co_await respond_accepted(x);
    }
    asked a{std::move(m), session->client,    session->id, std::move(meta.progress_token),
            &x.caller,    x.remote_address(), nullptr};
    decision d = server_.decide(a, services_.time().wall());
    if (const auto* e = std::get_if<rpc_error>(&d)) co_return co_await respond_error(x, 200, a.request.id, *e);
    if (const auto* done = std::get_if<answered>(&d)) co_return co_await respond_result(x, a.request.id, done->result);
    if (const auto* what = std::get_if<setting_change>(&d)) co_return co_await change(x, a, *what);
    co_await run(x, std::get<call_plan>(std::move(d)));
}

awaitable<void> mcp_stage::initialize(exchange& x, const rpc_message& m) {
    auto introduced = server_.introduce(m);
    if (const auto* e = std::get_if<rpc_error>(&introduced)) co_return co_await respond_error(x, 200, m.id, *e);
    const auto& with = std::get<mcp_server::introduction>(introduced);
    const session_facts session{new_request_id(thread_random()), with.client};
    const auto expires = services_.time().wall() + config_.session_time;
    response_head head;
    head.headers.add("Content-Type", "application/json");
    head.headers.add(session_header, write_session(*key_, session, principal_of(x.caller), expires));
    std::string body;
    append_result(body, m.id, with.result);
    co_await x.respond(std::move(head), body);
}

// Answers and notifications of a client are for the worker that asked, or for all.
void mcp_stage::notified(const rpc_message& m, const std::string& session) {
    if (m.what == rpc_message::kind::notification) {
        if (m.method != "notifications/cancelled") return;
        const auto params = members_of(m.params);
        const auto id = params ? params->find("requestId") : std::nullopt;
        if (!id) return;
        books_->to_all([session, request = std::string(id->raw)](session_book& b) { b.cancel(session, request); });
        return;
    }
    constexpr std::string_view ours = "\"sluice-";
    if (!m.id.starts_with(ours)) return;
    const auto name = local_name::parse(std::string_view(m.id).substr(ours.size(), m.id.size() - ours.size() - 1));
    if (!name) return;
    books_->to(name->worker, [name = *name, session, m](session_book& b) { b.answered(name, session, m); });
}

awaitable<void> mcp_stage::change(exchange& x, const asked& a, const setting_change& what) {
    bool full = false;
    const auto apply = [session = a.session, what](session_book& b) {
        session_record& r = b.record(session);
        if (what.log_from) r.log_from = what.log_from;
        if (!what.subscribe.empty() && r.subscriptions.size() < session_book::subscriptions_max)
            r.subscriptions.insert(what.subscribe);
        if (!what.unsubscribe.empty()) r.subscriptions.erase(what.unsubscribe);
    };
    if (const session_record* r = book_->find(a.session); r != nullptr && !what.subscribe.empty())
        full = r->subscriptions.size() >= session_book::subscriptions_max;
    if (full) {
        const rpc_error many(rpc_code::invalid_params, "This session has too many subscriptions.");
        co_return co_await respond_error(x, 200, a.request.id, many);
    }
    co_await books_->everywhere(*book_, apply);
    co_await respond_result(x, a.request.id, "{}");
}

awaitable<void> mcp_stage::end_session(exchange& x) {
    if (!x.request().headers.contains(session_header)) {
        const rpc_error missing(rpc_code::invalid_request, "Mcp-Session-Id is missing.");
        co_return co_await respond_error(x, 400, {}, missing, no_id::null);
    }
    const auto session = session_of(x);
    if (!session) {
        const rpc_error gone(rpc_code::invalid_request, "There is no such session.");
        co_return co_await respond_error(x, 404, {}, gone, no_id::null);
    }
    co_await books_->everywhere(*book_, [id = session->id](session_book& b) { b.end(id); });
    response_head head;
    head.status = 204;
    co_await x.respond(std::move(head), {});
}

std::optional<session_facts> mcp_stage::session_of(const exchange& x) const {
    const auto token = x.request().headers.find(session_header);
    if (!token) return std::nullopt;
    auto session = read_session(*key_, *token, principal_of(x.caller), services_.time().wall());
    if (!session) return std::nullopt;
    const session_record* r = book_->find(session->id);
    if (r != nullptr && r->ended) return std::nullopt;
    return session;
}

// Batches are of 2025-03-26 alone; each message is answered in its turn.
awaitable<void> mcp_stage::serve_batch(exchange& x, std::string_view text) {
    const auto session = session_of(x);
    if (!session || session->client.speaks != version::v2025_03_26) {
        const rpc_error refused(rpc_code::invalid_request, "Batches are of protocol version 2025-03-26 alone.");
        co_return co_await respond_error(x, 400, {}, refused, no_id::null);
    }
    std::string answers;
    const auto add = [&answers](std::string_view message) {
        answers.append(answers.empty() ? "[" : ",").append(message);
    };
    const auto messages = batch_messages(text);
    for (const std::string_view one : messages) {
        std::string answer;
        auto read = read_message(one);
        if (const auto* bad = std::get_if<bad_message>(&read)) {
            append_error(answer, bad->id, bad->error, no_id::null);
            add(answer);
            continue;
        }
        rpc_message m = std::get<rpc_message>(std::move(read));
        if (m.what != rpc_message::kind::request) {
            notified(m, session->id);
            continue;
        }
        answer = co_await answer_in_batch(x, *session, std::move(m));
        add(answer);
    }
    if (messages.empty()) {
        const rpc_error empty(rpc_code::invalid_request, "A batch has from 1 to 50 messages.");
        co_return co_await respond_error(x, 400, {}, empty, no_id::null);
    }
    if (answers.empty()) co_return co_await respond_accepted(x);
    co_await x.respond_json(200, answers + "]");
}

awaitable<std::string> mcp_stage::answer_in_batch(exchange& x, const session_facts& session, rpc_message m) {
    std::string answer;
    asked a{std::move(m), session.client, session.id, {}, &x.caller, x.remote_address(), nullptr};
    decision d = server_.decide(a, services_.time().wall());
    if (const auto* done = std::get_if<answered>(&d)) {
        append_result(answer, a.request.id, done->result);
    } else if (auto* plan = std::get_if<call_plan>(&d)) {
        plan->streams = false;
        plan->figures = figures_.of(plan->request.method, plan->source->name(), plan->counts_as);
        const auto stream = std::make_shared<message_stream>(services_.executor(), nullptr);
        const auto call = std::make_shared<call_run>(std::move(*plan), server_.calls(), book_, stream, services_);
        const cancel_at_exit guard(*call);
        call->start();
        const std::size_t epoch = stream->attach();
        co_await stream->wait(0, epoch, steady_time::max());
        if (const std::string* first = stream->at(0)) answer = *first;
    } else {
        const auto* e = std::get_if<rpc_error>(&d);
        append_error(answer, a.request.id, e != nullptr ? *e : rpc_error(rpc_code::invalid_request, "Not in a batch."));
    }
    co_return answer;
}

}  // namespace sluice::mcp_endpoint
