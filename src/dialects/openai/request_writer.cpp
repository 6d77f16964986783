#include "dialects/openai/message_writer.hpp"
#include "dialects/openai/openai.hpp"
#include "dialects/values.hpp"
#include "http/json_writer.hpp"

#include <algorithm>

namespace sluice::chat::openai {
namespace {

using http::json_writer;

// Fields that chat completions and Responses have in common and that need no translation.
constexpr std::string_view openai_fields[] = {
    "store",      "safety_identifier", "prompt_cache_retention", "prompt_cache_options",
    "moderation", "prediction",        "web_search_options"};

bool is_zero(json number) {
    return number.find_first_not_of("-0.") == std::string_view::npos;
}

void member(json_writer& w, std::string_view key, json value) {
    if (!value.empty()) w.key(key).raw(value);
}

void write_function(json_writer& w, const tool& t, const chat_quirks& q) {
    const bool custom = t.what == tool::kind::custom;
    w.begin_object().key("type").string(custom ? "custom" : "function");
    w.key(custom ? "custom" : "function").begin_object().key("name").raw(t.name);
    member(w, "description", t.description);
    member(w, custom ? "format" : "parameters", t.parameters);
    if (q.strict_tools) member(w, "strict", t.strict);
    w.end_object();
    if (q.cache_control) member(w, "cache_control", t.cache_control);
    w.end_object();
}

class request_writer {
public:
    request_writer(const conversation& c, const chat_quirks& q, losses& lost, std::string& out)
        : c_(c), q_(q), lost_(lost), w_(out) {}

    result<void> write(std::string_view model) {
        w_.begin_object().key("model").string(model).key("messages").begin_array();
        auto written = write_messages(c_, q_, lost_, w_);
        w_.end_array();
        if (written) written = tools();
        if (written) written = format();
        if (written) written = sampling();
        if (!written) return written;
        reasoning();
        others();
        if (c_.stream) {
            w_.key("stream").boolean(true);
            if (q_.stream_usage) w_.key("stream_options").raw(R"({"include_usage":true})");
        }
        w_.end_object();
        return {};
    }

private:
    result<void> tools() {
        std::size_t given = 0;
        for (std::size_t i = 0; i < c_.tools.size(); ++i) {
            const tool& t = c_.tools[i];
            const std::string at = "tools[" + std::to_string(i) + "]";
            if (t.what == tool::kind::native && t.dialect != chat_name) {
                auto lost = lost_.feature(at, "a tool that another provider runs itself");
                if (!lost) return lost;
                continue;
            }
            if (given++ == 0) w_.key("tools").begin_array();  // an empty list is refused
            if (t.what == tool::kind::native) {
                w_.raw(t.definition);
            } else {
                write_function(w_, t, q_);
            }
            if (!t.cache_control.empty() && !q_.cache_control) lost_.hint(at + ".cache_control");
            if (!q_.strict_tools && t.strict == "true") lost_.hint(at + ".strict");
            lost_.hints(t.extras, at + ".");
        }
        if (given == 0) {
            using mode = tool_choice::mode;
            // Only what asks for a call is lost with the tools.
            if (c_.choice.how == mode::required || c_.choice.how == mode::named) lost_.hint("tool_choice");
            return {};
        }
        w_.end_array();
        choice();
        if (c_.choice.parallel && q_.parallel_flag) w_.key("parallel_tool_calls").boolean(*c_.choice.parallel);
        if (c_.choice.parallel == false && !q_.parallel_flag) lost_.hint("parallel_tool_calls");
        return {};
    }

    void write_named(json name) {
        const auto named =
            std::find_if(c_.tools.begin(), c_.tools.end(), [&](const tool& t) { return t.name == name; });
        const bool custom = named != c_.tools.end() && named->what == tool::kind::custom;
        const std::string_view type = custom ? "custom" : "function";
        w_.begin_object().key("type").string(type).key(type).begin_object().key("name").raw(name);
        w_.end_object().end_object();
    }

    void choice() {
        using mode = tool_choice::mode;
        constexpr std::string_view names[] = {"", "auto", "none", "required"};
        const tool_choice& choice = c_.choice;
        if (choice.how == mode::unset) return;
        w_.key("tool_choice");
        if (choice.how == mode::named) {
            write_named(choice.name);
        } else if (choice.allowed.empty()) {
            w_.string(names[static_cast<std::size_t>(choice.how)]);
        } else {
            w_.begin_object().key("type").string("allowed_tools").key("allowed_tools").begin_object();
            w_.key("mode").string(choice.how == mode::required ? "required" : "auto").key("tools").begin_array();
            for (const json name : choice.allowed) write_named(name);
            w_.end_array().end_object().end_object();
        }
    }

    result<void> format() {
        using kind = response_format::kind;
        const response_format& f = c_.format;
        if (f.what == kind::unset) return {};
        if (f.what == kind::json_schema && !q_.json_schema) {
            auto lost = lost_.feature("response_format.json_schema", "a JSON Schema for its answer");
            if (!lost) return lost;
            w_.key("response_format").raw(R"({"type":"json_object"})");
            return {};
        }
        w_.key("response_format");
        if (f.what == kind::text) w_.raw(R"({"type":"text"})");
        if (f.what == kind::json_object) w_.raw(R"({"type":"json_object"})");
        if (f.what != kind::json_schema) return {};
        w_.begin_object().key("type").string("json_schema").key("json_schema").begin_object();
        // OpenAI wants a name; most other dialects have none.
        w_.key("name").raw(f.name.empty() ? json{R"("answer")"} : f.name);
        member(w_, "description", f.description);
        member(w_, "schema", f.schema);
        member(w_, "strict", f.strict);
        w_.end_object().end_object();
        return {};
    }

    result<void> sampling() {
        const sampling_options& s = c_.sampling;
        if (s.tokens_max) w_.key(q_.max_tokens_field).integer(*s.tokens_max);
        member(w_, "temperature", s.temperature);
        member(w_, "top_p", s.top_p);
        member(w_, "presence_penalty", s.presence_penalty);
        member(w_, "frequency_penalty", s.frequency_penalty);
        member(w_, "seed", s.seed);
        member(w_, "logprobs", s.logprobs);
        member(w_, "top_logprobs", s.top_logprobs);
        member(w_, "logit_bias", s.logit_bias);
        member(w_, "n", s.candidates);
        if (!s.stop.empty()) {
            w_.key("stop").begin_array();
            for (const json stop : s.stop) w_.raw(stop);
            w_.end_array();
        }
        vendor("top_k", s.top_k);
        vendor("min_p", s.min_p);
        vendor("repetition_penalty", s.repetition_penalty);
        return {};
    }

    // The client speaks one of OpenAI's dialects, and means what OpenAI means.
    bool ours() const { return c_.dialect.starts_with("openai."); }

    // What OpenAI does not take, but many compatible servers do.
    void vendor(std::string_view key, json value) {
        if (value.empty()) return;
        if (q_.top_k) {
            w_.key(key).raw(value);
        } else if (!is_zero(value)) {
            lost_.hint(std::string(key));
        }
    }

    void reasoning() {
        const reasoning_options& r = c_.reasoning;
        if (r.how != reasoning_options::mode::on) {
            // Models that do not reason refuse the field: only who wrote it gets it.
            if (r.effort == "none") w_.key("reasoning_effort").string("none");
            return;
        }
        const std::string_view effort = r.effort.empty() ? effort_of(r.budget) : r.effort;
        if (!effort.empty()) w_.key("reasoning_effort").string(effort == "max" && !ours() ? "xhigh" : effort);
    }

    void others() {
        member(w_, "user", c_.user);
        member(w_, "prompt_cache_key", c_.prompt_cache_key);
        member(w_, "verbosity", c_.verbosity);
        member(w_, "modalities", c_.modalities);
        member(w_, "audio", c_.audio);
        // The tiers and the metadata of others mean other things.
        const auto only_ours = [&](std::string_view key, json value) {
            if (value.empty()) return;
            if (ours()) {
                w_.key(key).raw(value);
            } else {
                lost_.hint(std::string(key));
            }
        };
        only_ours("metadata", c_.metadata);
        only_ours("service_tier", c_.service_tier);
        if (!c_.safety_settings.empty()) lost_.hint("safety_settings");
        if (!c_.cache_control.empty()) lost_.hint("cache_control");
        for (const extra_field& f : c_.extras) {
            const bool known = ours() && std::find(std::begin(openai_fields), std::end(openai_fields), f.key) !=
                                             std::end(openai_fields);
            if (known || c_.dialect == chat_name) {
                w_.key(f.key).raw(f.value);
            } else {
                lost_.hint(std::string(f.key));
            }
        }
    }

    const conversation& c_;
    const chat_quirks& q_;
    losses& lost_;
    json_writer w_;
};

}  // namespace

result<void> write_chat_request(const conversation& c, const target_facts& t, const chat_quirks& q, losses& lost,
                                std::string& out) {
    return request_writer(c, q, lost, out).write(t.model);
}

}  // namespace sluice::chat::openai
