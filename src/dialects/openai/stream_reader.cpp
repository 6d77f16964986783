// Reads the chunks of a streamed chat completion.
//
// Chunks do not say where a part ends. Text and reasoning end where another kind of part begins; a call ends when
// its arguments are whole and another part begins, or with the choice. So calls that come one after the other are told
// apart at once, and calls that come mixed stay open side by side.
#include "dialects/openai/openai.hpp"
#include "dialects/values.hpp"

#include <algorithm>
#include <deque>

namespace sluice::chat::openai {
namespace {

constexpr std::int64_t choices_max = 128;
constexpr std::size_t calls_max = 1024;  // of one choice

using kind = stream_step::kind;
using part_type = stream_step::part_type;

struct open_call {
    std::int64_t index = 0;  // as the upstream counts
    std::int32_t part = 0;
    bool open = true;
    std::string id;  // with quotes
    std::string signature;
    object_progress progress;
};

struct choice_state {
    std::int64_t index = 0;
    std::int32_t parts = 0;  // begun so far
    bool flowing = false;    // a part of text, reasoning or refusal is open
    part_type flow = part_type::text;
    std::deque<open_call> calls;
    bool finished = false;
};

struct delta_fields {
    json content, reasoning, refusal, tool_calls;
};

class chunk_reader final : public stream_reader {
public:
    result<void> read(std::string_view, std::string_view data, std::vector<stream_step>& out) override {
        if (data == "[DONE]") return done(out);
        if (data.empty()) return {};
        if (!validate_json(data) || data.front() != '{') return unreadable(data);
        json id, model, choices, usage, failure;
        std::int64_t created = 0;
        each_member(data, [&](std::string_view key, const json_value& v) {
            if (key == "id") id = v.raw;
            if (key == "model") model = v.raw;
            if (key == "created") created = v.integer().value_or(0);
            if (key == "choices") choices = v.raw;
            if (key == "usage" && v.type == json_type::object) usage = v.raw;
            if (key == "error" && v.type != json_type::null) failure = v.raw;
        });
        if (!failure.empty()) return fail(data, out);
        if (type_of(choices) != json_type::array && usage.empty()) return unreadable(data);
        bool any = false;
        result<void> fed;
        each_element(choices, [&](const json_value& c) {
            if (!any) start(id, model, created, out);
            any = true;
            if (fed) fed = read_choice(c.raw, data, out);
        });
        if (!usage.empty()) {
            stream_step& s = out.emplace_back();
            s.what = kind::usage;
            s.usage = read_chat_usage(usage);
        }
        return fed;
    }

    result<void> finish(std::vector<stream_step>& out) override {
        if (ended_) return {};
        const bool whole = !choices_.empty() && std::all_of(choices_.begin(), choices_.end(),
                                                            [](const choice_state& c) { return c.finished; });
        if (!whole) return error{error_kind::upstream_reset, "The upstream's stream broke off before its end."};
        ++repairs_;  // [DONE] is missing: some servers leave it out
        return done(out);
    }

private:
    static result<void> unreadable(std::string_view data) {
        return error{error_kind::upstream_protocol,
                     "The upstream's stream holds no chunk of a chat completion: " + excerpt(data)};
    }

    result<void> done(std::vector<stream_step>& out) {
        if (ended_) {
            ++repairs_;
            return {};
        }
        ended_ = true;
        out.emplace_back().what = kind::end;
        return {};
    }

    result<void> fail(std::string_view data, std::vector<stream_step>& out) {
        const error_facts e = read_openai_error(502, data);
        message_ = to_json_string(e.message);
        type_ = to_json_string(e.code.empty() ? e.type : e.code);
        stream_step& s = out.emplace_back();
        s.what = kind::failure;
        s.text = message_;
        s.name = type_;
        ended_ = true;
        return {};
    }

    void start(json id, json model, std::int64_t created, std::vector<stream_step>& out) {
        if (started_) return;
        started_ = true;
        stream_step& s = out.emplace_back();
        s.what = kind::start;
        s.id = is_string(id) ? id : json{};
        s.name = is_string(model) ? model : json{};
        s.created = created;
    }

    choice_state* state_of(std::int64_t index) {
        for (choice_state& c : choices_) {
            if (c.index == index) return &c;
        }
        if (index < 0 || index >= choices_max) return nullptr;
        choices_.emplace_back().index = index;
        return &choices_.back();
    }

    result<void> read_choice(json v, std::string_view data, std::vector<stream_step>& out) {
        std::int64_t index = 0;
        json delta, finish, logprobs;
        each_member(v, [&](std::string_view key, const json_value& x) {
            if (key == "index") index = x.integer().value_or(0);
            if (key == "delta") delta = x.raw;
            if (key == "finish_reason" && x.type == json_type::string) finish = x.raw;
            if (key == "logprobs" && x.type == json_type::object) logprobs = x.raw;
        });
        choice_state* const c = state_of(index);
        if (c == nullptr) return unreadable(data);
        if (c->finished) {
            // Some send the reason twice; a delta behind it would be a part nobody can place.
            if (!finish.empty()) ++repairs_;
            return {};
        }
        if (auto read = read_delta(*c, delta, logprobs, data, out); !read) return read;
        if (!finish.empty()) end_choice(*c, finish_of(finish), out);
        return {};
    }

    result<void> read_delta(choice_state& c, json delta, json logprobs, std::string_view data,
                            std::vector<stream_step>& out) {
        delta_fields d;
        each_member(delta, [&](std::string_view key, const json_value& x) {
            if (x.type == json_type::null) return;
            if (key == "content") d.content = x.raw;
            if (key == "reasoning_content" || key == "reasoning") d.reasoning = x.raw;
            if (key == "refusal") d.refusal = x.raw;
            if (key == "tool_calls") d.tool_calls = x.raw;
        });
        flow(c, part_type::reasoning, d.reasoning, {}, out);
        if (is_string(d.content)) {
            flow(c, part_type::text, d.content, logprobs, out);
        } else {
            read_content_parts(c, d.content, out);
        }
        flow(c, part_type::refusal, d.refusal, {}, out);
        result<void> read;
        each_element(d.tool_calls, [&](const json_value& call) {
            if (read) read = read_call_piece(c, call.raw, data, out);
        });
        return read;
    }

    // Mistral's: [{"type":"thinking","thinking":[{"type":"text","text":...}]},{"type":"text","text":...}]
    void read_content_parts(choice_state& c, json content, std::vector<stream_step>& out) {
        each_element(content, [&](const json_value& p) {
            each_member(p.raw, [&](std::string_view key, const json_value& v) {
                if (key == "text") flow(c, part_type::text, v.raw, {}, out);
                if (key != "thinking") return;
                each_element(v.raw, [&](const json_value& inner) {
                    each_member(inner.raw, [&](std::string_view k, const json_value& x) {
                        if (k == "text") flow(c, part_type::reasoning, x.raw, {}, out);
                    });
                });
            });
        });
    }

    static stream_step& step(const choice_state& c, kind what, std::int32_t part, std::vector<stream_step>& out) {
        stream_step& s = out.emplace_back();
        s.what = what;
        s.choice = static_cast<std::int32_t>(c.index);
        s.part = part;
        return s;
    }

    void end_flow(choice_state& c, std::vector<stream_step>& out) {
        if (!c.flowing) return;
        c.flowing = false;
        stream_step& s = step(c, kind::part_end, c.parts - 1, out);
        s.type = c.flow;
        s.from = "openai";
    }

    void end_call(const choice_state& c, open_call& call, std::vector<stream_step>& out) {
        call.open = false;
        stream_step& s = step(c, kind::part_end, call.part, out);
        s.type = part_type::tool_call;
        s.signature = call.signature;
        s.from = "gemini";
    }

    void end_whole_calls(choice_state& c, std::vector<stream_step>& out) {
        for (open_call& call : c.calls) {
            if (call.open && call.progress.whole()) end_call(c, call, out);
        }
    }

    // A piece of text, reasoning or refusal. Such a part ends when a call begins, so the open one is always the latest.
    void flow(choice_state& c, part_type type, json text, json logprobs, std::vector<stream_step>& out) {
        if (!is_string(text) || is_empty_string(text)) return;
        if (!c.flowing || c.flow != type) {
            end_flow(c, out);
            end_whole_calls(c, out);
            c.flowing = true;
            c.flow = type;
            step(c, kind::part_start, c.parts++, out).type = type;
        }
        stream_step& s = step(c, kind::delta, c.parts - 1, out);
        s.type = type;
        s.text = text;
        s.logprobs = logprobs;
    }

    open_call* find_call(choice_state& c, std::int64_t index, json id) {
        if (c.calls.empty()) return nullptr;
        if (index < 0) return id.empty() || c.calls.back().id == id ? &c.calls.back() : nullptr;
        for (auto it = c.calls.rbegin(); it != c.calls.rend(); ++it) {
            if (it->index != index) continue;
            // The same number with another id is another call: some servers number all of them 0.
            const bool other = !id.empty() && !is_empty_string(id) && it->id != id;
            if (other) ++repairs_;
            return other ? nullptr : &*it;
        }
        return nullptr;
    }

    result<void> read_call_piece(choice_state& c, json v, std::string_view data, std::vector<stream_step>& out) {
        std::int64_t index = -1;
        json id, name, arguments, signature;
        bool custom = false;
        each_member(v, [&](std::string_view key, const json_value& x) {
            if (key == "index") index = x.integer().value_or(-1);
            if (key == "id" && x.type == json_type::string) id = x.raw;
            if (key == "extra_content") signature = signature_in(x.raw);
            if (key != "function" && key != "custom") return;
            custom = key == "custom";
            each_member(x.raw, [&](std::string_view k, const json_value& f) {
                if (k == "name" && f.type == json_type::string) name = f.raw;
                if (k == "arguments" || k == "input") arguments = f.raw;
            });
        });
        open_call* call = find_call(c, index, id);
        if (call == nullptr) {
            if (name.empty() || c.calls.size() == calls_max) return unreadable(data);
            call = &begin_call(c, index, id, name, custom, out);
        }
        if (!signature.empty()) call->signature = chars_of(signature);
        if (type_of(arguments) == json_type::object) arguments = scratch_.keep(to_json_string(arguments));
        if (!is_string(arguments) || is_empty_string(arguments)) return {};
        if (!call->open) {
            // Its arguments were whole: nothing but white space can follow.
            ++repairs_;
            return {};
        }
        call->progress.feed(chars_of(arguments));
        stream_step& s = step(c, kind::delta, call->part, out);
        s.type = custom ? part_type::custom_call : part_type::tool_call;
        s.text = arguments;
        if (call->part != c.parts - 1 && call->progress.whole()) end_call(c, *call, out);
        return {};
    }

    open_call& begin_call(choice_state& c, std::int64_t index, json id, json name, bool custom,
                          std::vector<stream_step>& out) {
        end_flow(c, out);
        end_whole_calls(c, out);
        open_call& call = c.calls.emplace_back();
        call.index = index < 0 ? static_cast<std::int64_t>(c.calls.size()) - 1 : index;
        call.part = c.parts++;
        call.id = id;
        stream_step& s = step(c, kind::part_start, call.part, out);
        s.type = custom ? part_type::custom_call : part_type::tool_call;
        s.id = id;
        s.name = name;
        return call;
    }

    static json signature_in(json extra) {
        json found;
        each_member(extra, [&](std::string_view vendor, const json_value& x) {
            if (vendor != "google") return;
            each_member(x.raw, [&](std::string_view key, const json_value& s) {
                if (key == "thought_signature" && s.type == json_type::string) found = s.raw;
            });
        });
        return found;
    }

    void end_choice(choice_state& c, finish_reason why, std::vector<stream_step>& out) {
        end_flow(c, out);
        for (open_call& call : c.calls) {
            if (call.open) end_call(c, call, out);
        }
        c.finished = true;
        // Some say "stop" although they call tools: agents look at this field to know.
        if (why == finish_reason::stop && !c.calls.empty()) {
            why = finish_reason::tool_calls;
            ++repairs_;
        }
        stream_step& s = step(c, kind::finish, 0, out);
        s.why = why;
    }

    bool started_ = false, ended_ = false;
    std::deque<choice_state> choices_;
    std::string message_, type_;
    text_arena scratch_;
};

}  // namespace

std::unique_ptr<stream_reader> make_chat_stream_reader() {
    return std::make_unique<chunk_reader>();
}

}  // namespace sluice::chat::openai
