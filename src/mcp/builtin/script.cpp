#include "mcp/builtin/script.hpp"

#include "http/json_writer.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <stdexcept>

namespace sluice::mcp {

namespace asio = boost::asio;
using rest::value;

namespace {

// Of the answers that the state of a call carries.
constexpr std::size_t answers_bytes_max = 512 * 1024;

using steps_config = std::vector<step_config>;

config_variant step_kind(steps_config& out, std::string name, std::string doc, step_config::kind kind,
                         void (*fields)(config_reader&, step_config&)) {
    return {std::move(name), std::move(doc), [&out, kind, fields](config_reader& r) {
                step_config s;
                s.what = kind;
                fields(r, s);
                out.push_back(std::move(s));
            }};
}

std::vector<config_variant> step_kinds(steps_config& out) {
    using k = step_config::kind;
    std::vector<config_variant> kinds;
    kinds.push_back(step_kind(out, "log", "Sends a log message.", k::log, [](config_reader& r, step_config& s) {
        r.field("level", s.level, "debug, info, notice, warning, error, critical, alert or emergency.");
        r.field("logger", s.logger, "Who says it.");
        r.json("data", s.data, "What is said: any value.", required);
        if (!parse_log_level(s.level)) r.problem("level", "is no level of logging");
    }));
    kinds.push_back(step_kind(out, "progress", "Tells how far the work is, to clients that want to know.", k::progress,
                              [](config_reader& r, step_config& s) {
                                  r.field("progress", s.progress, "How much is done.", required);
                                  r.field("total", s.total, "How much there is; 0: not known.");
                                  r.field("message", s.message, "What is being done.");
                              }));
    kinds.push_back(step_kind(out, "wait", "Waits.", k::wait, [](config_reader& r, step_config& s) {
        r.field("time", s.time, "How long.", {.min = 0, .max = 60, .need = presence::required});
    }));
    kinds.push_back(
        step_kind(out, "ask", "Asks the client, or its user or model.", k::ask, [](config_reader& r, step_config& s) {
            r.map("questions", s.questions, "What is asked, by the names of the answers.", required);
        }));
    kinds.push_back(step_kind(out, "disconnect", "Ends the stream; the client comes back for the rest (2025-11-25).",
                              k::disconnect, [](config_reader&, step_config&) {}));
    return kinds;
}

rest::template_context context_of(const services& s, const call_channel& channel) {
    rest::template_context c;
    c.now = s.time().wall();
    c.remote_address = channel.remote_address();
    return c;
}

// Has the client said what the method's result has to say? What it said wrongly is asked again.
bool fits(const std::string& method, const value& answer) {
    if (!answer.is(value::kind::object)) return false;
    if (method == "elicitation/create") {
        const value action = answer.get("action");
        const bool known =
            action.text_view() == "accept" || action.text_view() == "decline" || action.text_view() == "cancel";
        return known && (action.text_view() != "accept" || answer.get("content").is(value::kind::object));
    }
    if (method == "roots/list") return answer.get("roots").is(value::kind::array);
    const value content = answer.get("content");
    return content.is(value::kind::object) || content.is(value::kind::array);
}

value value_of(std::string_view json) {
    if (json.empty()) return {};
    auto v = value::parse(json);
    return v ? *v : value{};
}

value object_of(const value::members& members) {
    auto v = value::object(members);
    return v ? *v : value{};
}

}  // namespace

void read(config_reader& r, question_config& c) {
    r.field("method", c.method, "elicitation/create, sampling/createMessage or roots/list.", required);
    r.json("params", c.params, "Its parameters; strings are templates.");
    r.field("optional", c.optional, "Leave it out where the client does not support it.");
    if (!c.method.empty() && !needed_for(c.method, {})) r.problem("method", "is nothing a client can be asked");
    if (auto t = json_template::compile(c.params); !t) r.problem("params", t.error().message);
}

void read_script(config_reader& r, script_config& c, std::string_view result_doc) {
    r.variants("steps", step_kinds(c.steps), "What is done before the result.");
    r.json("result", c.result, result_doc, required);
    if (c.result.empty()) return;
    if (auto t = json_template::compile(c.result); !t) r.problem("result", t.error().message);
}

script::script(const script_config& c) {
    const auto compiled = [](const std::string& json) {
        auto t = json_template::compile(json);
        if (!t) throw std::runtime_error(t.error().message);
        return std::move(*t);
    };
    for (const step_config& s : c.steps) {
        step& made = steps_.emplace_back();
        made.what = s;
        for (const auto& [key, q] : s.questions)
            made.questions.push_back({key, q.method, compiled(q.params), q.optional});
    }
    result_ = compiled(c.result);
}

awaitable<outcome> script::run(const call& c, value::members data, call_channel& channel, services& s) const {
    const value given = value_of(c.input_responses), before = value_of(c.state);
    const rest::template_context context = context_of(s, channel);
    value::members answers;
    // What was done up to the last question that has its answer is not done again.
    std::size_t first = 0;
    for (std::size_t i = 0; i < steps_.size(); ++i) {
        for (const question_plan& q : steps_[i].questions) {
            value answer = given.get(q.key);
            if (!fits(q.method, answer)) answer = before.get(q.key);
            if (!fits(q.method, answer)) continue;
            answers.emplace_back(q.key, std::move(answer));
            first = i;
        }
    }
    data.emplace_back("answers", object_of(answers));
    for (std::size_t i = first; i < steps_.size(); ++i) {
        const step& now = steps_[i];
        if (now.what.what != step_config::kind::ask) {
            co_await tell(now.what, channel, s);
            continue;
        }
        input_required wanted;
        const value all = object_of(data);
        for (const question_plan& q : now.questions) {
            bool known = false;
            for (const auto& [key, answer] : answers) known |= key == q.key;
            if (known) continue;
            auto params = q.params.fill(all, context);
            if (!params) co_return rpc_error(rpc_code::internal, params.error().message);
            const auto need = needed_for(q.method, *params);
            if (q.optional && need && !channel.client().can.has(*need)) continue;
            wanted.requests.push_back({q.key, q.method, std::move(*params)});
        }
        if (wanted.requests.empty()) continue;
        wanted.state = object_of(answers).json(answers_bytes_max);
        co_return wanted;
    }
    auto text = result_.fill(object_of(data), context);
    if (!text) co_return rpc_error(rpc_code::internal, text.error().message);
    co_return completed{std::move(*text)};
}

awaitable<void> script::tell(const step_config& s, call_channel& channel, services& services) const {
    using k = step_config::kind;
    if (s.what == k::log) {
        co_await channel.log(*parse_log_level(s.level), s.logger, s.data);
    } else if (s.what == k::wait) {
        asio::steady_timer timer(services.executor(), s.time);
        [[maybe_unused]] const auto ended = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    } else if (s.what == k::disconnect) {
        channel.disconnect();
    } else if (s.what == k::progress && !channel.progress_token().empty()) {
        std::string params;
        http::json_writer w(params);
        w.begin_object().key("progressToken").raw(channel.progress_token()).key("progress").number(s.progress);
        if (s.total > 0) w.key("total").number(s.total);
        if (!s.message.empty()) w.key("message").string(s.message);
        w.end_object();
        co_await channel.notify("notifications/progress", std::move(params));
    }
}

}  // namespace sluice::mcp
