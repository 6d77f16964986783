#include "mcp/serve/call_run.hpp"

#include "http/json_writer.hpp"
#include "mcp/protocol/text_result.hpp"
#include "mcp/serve/request_state.hpp"
#include "telemetry/log.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

namespace sluice::mcp {

namespace asio = boost::asio;

namespace {

std::string input_requests_json(const input_required& wanted) {
    std::string out;
    http::json_writer w(out);
    w.begin_object();
    for (const input_request& r : wanted.requests) {
        w.key(r.key).begin_object().key("method").string(r.method);
        w.key("params").raw(r.params.empty() ? "{}" : r.params).end_object();
    }
    w.end_object();
    return out;
}

struct forgotten_at_exit {
    session_book& book;
    local_name question;
    ~forgotten_at_exit() { book.forget_question(question); }
};

// A tool that cannot do its work tells the model so; other requests fail.
outcome as_tool_error(std::string_view method, rpc_error e) {
    if (method != "tools/call") return e;
    return completed{text_result(e.message, true)};
}

}  // namespace

call_run::call_run(call_plan plan, std::shared_ptr<const call_setting> setting, std::shared_ptr<session_book> book,
                   std::shared_ptr<message_stream> out, services& s)
    : plan_(std::move(plan)),
      setting_(std::move(setting)),
      book_(std::move(book)),
      out_(std::move(out)),
      services_(s),
      began_(s.time().now()) {
    running_->session = plan_.session;
    running_->request_id = plan_.request.id;
}

void call_run::start() {
    book_->add(running_);
    const auto self = shared_from_this();
    asio::co_spawn(services_.executor(), work(self),
                   asio::bind_cancellation_slot(running_->cancel.slot(), [self](const std::exception_ptr& thrown) {
                       self->book_->remove(self->running_);
                       if (thrown && !self->running_->cancelled) {
                           log::error("mcp: a call of \"{}\" ended by an exception", self->plan_.name);
                           self->finish(rpc_error(rpc_code::internal, "The gateway failed."));
                       }
                       if (self->running_->cancelled && self->plan_.figures.cancelled != nullptr)
                           self->plan_.figures.cancelled->add();
                       self->over_ = true;
                       self->out_->finish();
                   }));
}

void call_run::cancel() {
    if (over_) return;
    running_->cancelled = true;
    running_->cancel.emit(asio::cancellation_type::terminal);
}

awaitable<void> call_run::work(std::shared_ptr<call_run> self) {
    const outcome o = co_await self->perform();
    if (!self->running_->cancelled) self->finish(o);
}

awaitable<outcome> call_run::perform() {
    for (int round = 0;; ++round) {
        const call c{plan_.request.method, plan_.name, plan_.request.params, plan_.input_responses, plan_.state};
        outcome o = co_await plan_.source->perform(c, *this);
        const auto* wanted = std::get_if<input_required>(&o);
        if (wanted == nullptr) co_return o;
        if (auto e = unable(*wanted)) co_return modern(plan_.client.speaks) ? *e : as_tool_error(c.method, *e);
        if (modern(plan_.client.speaks)) co_return o;
        if (round >= setting_->limits.rounds_max)
            co_return rpc_error(rpc_code::internal, "The call asked more questions than the gateway allows.");
        auto failed = co_await ask_all(*wanted);
        if (failed) co_return as_tool_error(c.method, *failed);
    }
}

std::optional<rpc_error> call_run::unable(const input_required& wanted) const {
    abilities missing;
    for (const input_request& r : wanted.requests) {
        const auto need = needed_for(r.method, r.params);
        if (!need)
            return rpc_error(rpc_code::internal, "The source asked for what no client can be asked: " + r.method);
        if (!plan_.client.can.has(*need)) missing.add(*need);
    }
    const bool no_way = !modern(plan_.client.speaks) && !plan_.streams && !wanted.requests.empty();
    if (missing.bits == 0 && !no_way) return std::nullopt;
    std::string data;
    http::json_writer w(data);
    w.begin_object().key("requiredCapabilities").raw(capabilities_json(missing)).end_object();
    return rpc_error(rpc_code::missing_capability,
                     "This needs what the client does not support: " + capabilities_json(missing), std::move(data));
}

awaitable<std::optional<rpc_error>> call_run::ask_all(const input_required& wanted) {
    std::string answers;
    http::json_writer w(answers);
    w.begin_object();
    for (const input_request& r : wanted.requests) {
        auto answer = co_await ask(r);
        if (auto* e = std::get_if<rpc_error>(&answer)) co_return *e;
        w.key(r.key).raw(std::get<std::string>(answer));
    }
    w.end_object();
    plan_.input_responses = std::move(answers);
    plan_.state = wanted.state;
    co_return std::nullopt;
}

awaitable<std::variant<std::string, rpc_error>> call_run::ask(const input_request& r) {
    const auto q = std::make_shared<question>(services_.executor(), plan_.session);
    const local_name name = book_->ask(q);
    const forgotten_at_exit entry{*book_, name};
    std::string message;
    append_request(message, json_id("sluice-" + name.text()), r.method, r.params);
    say(std::move(message));
    co_await q->answered.wait(std::chrono::steady_clock::now() + setting_->limits.answer);
    if (!q->answer) co_return rpc_error(rpc_code::internal, "The client did not answer in time.");
    if (q->answer->what == rpc_message::kind::failure) {
        const rpc_error& e = q->answer->error;
        co_return rpc_error(rpc_code::internal, "The client answered with an error: " + e.message);
    }
    co_return std::move(q->answer->result);
}

void call_run::count(const outcome& o) const {
    const call_figures& f = plan_.figures;
    if (f.seconds == nullptr) return;
    f.seconds->observe(std::chrono::duration<double>(services_.time().now() - began_).count());
    if (std::holds_alternative<rpc_error>(o)) return f.failed->add();
    if (std::holds_alternative<input_required>(o)) return f.input_required->add();
    const auto result = json_object::inside({json_type::object, std::get<completed>(o).result});
    const auto is_error = result ? result->find("isError") : std::nullopt;
    (is_error && is_error->boolean().value_or(false) ? f.tool_error : f.ok)->add();
}

void call_run::finish(const outcome& o) {
    count(o);
    std::string message;
    if (const auto* e = std::get_if<rpc_error>(&o)) {
        error_code_ = e->code;
        append_error(message, plan_.request.id, *e);
    } else if (const auto* wanted = std::get_if<input_required>(&o)) {
        std::string result;
        http::json_writer w(result);
        w.begin_object().key("resultType").string("input_required");
        if (!wanted->requests.empty()) w.key("inputRequests").raw(input_requests_json(*wanted));
        const auto expires = services_.time().wall() + setting_->limits.state;
        w.key("requestState").string(seal_state(*setting_->key, plan_.request, plan_.caller, wanted->state, expires));
        w.end_object();
        append_result(message, plan_.request.id, finished_result(result, plan_.client.speaks, setting_->info));
    } else {
        const cache_hint* hint = plan_.request.method == "resources/read" ? &setting_->reads : nullptr;
        const std::string& result = std::get<completed>(o).result;
        append_result(message, plan_.request.id, finished_result(result, plan_.client.speaks, setting_->info, hint));
    }
    say(std::move(message));
    out_->finish();
}

void call_run::say(std::string message) {
    out_->push(std::move(message));
    book_->make_room();
}

awaitable<void> call_run::notify(std::string_view method, std::string params) {
    if (!plan_.streams) co_return;
    co_await out_->room();
    if (out_->full()) co_return;  // nobody reads: of what is only told, some is lost
    std::string message;
    append_notification(message, method, params);
    say(std::move(message));
}

awaitable<void> call_run::log(log_level level, std::string_view logger, std::string data) {
    std::optional<log_level> from = plan_.client.log_from;
    if (!modern(plan_.client.speaks)) {
        const session_record* r = book_->find(plan_.session);
        from = r != nullptr && r->log_from ? *r->log_from : log_level::debug;
    }
    if (!from || level < *from) co_return;
    std::string params;
    http::json_writer w(params);
    w.begin_object().key("level").string(to_string(level));
    if (!logger.empty()) w.key("logger").string(logger);
    w.key("data").raw(data).end_object();
    co_await notify("notifications/message", std::move(params));
}

}  // namespace sluice::mcp
