// Reads the chunks of streamGenerateContent, each a whole GenerateContentResponse.
//
// Texts that follow each other are one part, as are thoughts; a call is whole in one chunk. Nothing marks the end of a
// stream: it is whole when each candidate has said why it ended.
#include "dialects/gemini/content_reader.hpp"
#include "dialects/gemini/gemini.hpp"
#include "dialects/gemini/signatures.hpp"
#include "dialects/values.hpp"

#include <algorithm>
#include <deque>

namespace sluice::chat::gemini {
namespace {

using kind = stream_step::kind;
using part_type = stream_step::part_type;

constexpr std::int64_t candidates_max = 128;

struct candidate_state {
    std::int64_t index = 0;
    std::int32_t parts = 0;
    bool flowing = false;
    part_type flow = part_type::text;
    std::string signature;  // of the thought that is open
    int calls = 0;
    bool finished = false;
};

class chunk_reader final : public stream_reader {
public:
    result<void> read(std::string_view, std::string_view data, std::vector<stream_step>& out) override {
        if (data.empty()) return {};
        held_.clear();
        texts_ = {};
        const auto begin = data.find_first_not_of(" \t\r\n");
        if (begin == std::string_view::npos || data[begin] != '{' || !validate_json(data)) return unreadable(data);
        json model, candidates, usage, failure;
        bool blocked = false;
        each_member(data.substr(begin), [&](std::string_view key, const json_value& v) {
            if (is_field(key, "responseId") && v.type == json_type::string) id_ = v.raw;
            if (is_field(key, "modelVersion") && v.type == json_type::string) model = v.raw;
            if (is_field(key, "usageMetadata")) usage = v.raw;
            if (key == "candidates") candidates = v.raw;
            if (key == "error") failure = v.raw;
            if (!is_field(key, "promptFeedback")) return;
            each_member(v.raw, [&](std::string_view k, const json_value&) { blocked |= is_field(k, "blockReason"); });
        });
        if (!failure.empty()) return fail(data, out);
        if (candidates.empty() && usage.empty() && !blocked) return unreadable(data);
        start(model, out);
        result<void> fed;
        each_element(candidates, [&](const json_value& c) {
            if (fed) fed = read_candidate(c.raw, data, out);
        });
        if (blocked && states_.empty()) end_candidate(*state_of(0), finish_reason::content_filter, out);
        if (!usage.empty()) {
            stream_step& s = out.emplace_back();
            s.what = kind::usage;
            s.usage = read_usage(usage);
        }
        return fed;
    }

    result<void> finish(std::vector<stream_step>& out) override {
        if (ended_) return {};
        const bool whole = !states_.empty() && std::all_of(states_.begin(), states_.end(),
                                                           [](const candidate_state& c) { return c.finished; });
        if (!whole) return error{error_kind::upstream_reset, "The upstream's stream broke off before its end."};
        ended_ = true;
        out.emplace_back().what = kind::end;
        return {};
    }

private:
    static result<void> unreadable(std::string_view data) {
        return error{error_kind::upstream_protocol,
                     "The upstream's stream holds no answer of generateContent: " + excerpt(data)};
    }

    result<void> fail(std::string_view data, std::vector<stream_step>& out) {
        const error_facts e = read_error(502, data);
        stream_step& s = out.emplace_back();
        s.what = kind::failure;
        s.text = quote(e.message, texts_);
        s.name = quote(e.type, texts_);
        ended_ = true;
        return {};
    }

    void start(json model, std::vector<stream_step>& out) {
        if (started_) return;
        started_ = true;
        stream_step& s = out.emplace_back();
        s.what = kind::start;
        s.id = id_;
        s.name = model;
    }

    candidate_state* state_of(std::int64_t index) {
        for (candidate_state& c : states_) {
            if (c.index == index) return &c;
        }
        if (index < 0 || index >= candidates_max) return nullptr;
        states_.emplace_back().index = index;
        return &states_.back();
    }

    result<void> read_candidate(json v, std::string_view data, std::vector<stream_step>& out) {
        std::int64_t index = 0;
        json parts, finish;
        each_member(v, [&](std::string_view key, const json_value& m) {
            if (key == "index") index = m.integer().value_or(0);
            if (is_field(key, "finishReason")) finish = m.raw;
            if (key != "content") return;
            each_member(m.raw, [&](std::string_view k, const json_value& p) {
                if (k == "parts") parts = p.raw;
            });
        });
        candidate_state* const c = state_of(index);
        if (c == nullptr) return unreadable(data);
        if (c->finished) {
            // Usage may come in a chunk of its own that says the reason again.
            if (!parts.empty() && parts != "[]") ++repairs_;
            return {};
        }
        result<void> fed;
        each_element(parts, [&](const json_value& p) {
            if (fed) fed = read_part(*c, p.raw, data, out);
        });
        if (!fed) return fed;
        finish_reason why = finish_of(finish);
        if (why == finish_reason::none) return {};
        if (why == finish_reason::stop && c->calls > 0) why = finish_reason::tool_calls;
        end_candidate(*c, why, out);
        return {};
    }

    result<void> read_part(candidate_state& c, json v, std::string_view data, std::vector<stream_step>& out) {
        json text, signature;
        bool thought = false, other = false;
        each_member(v, [&](std::string_view key, const json_value& m) {
            if (key == "text") {
                text = m.raw;
            } else if (key == "thought") {
                thought = m.boolean().value_or(false);
            } else if (is_field(key, "thoughtSignature")) {
                signature = m.raw;
            } else {
                other = true;
            }
        });
        if (!other || is_string(text)) {
            flow(c, thought ? part_type::reasoning : part_type::text, text, out);
            if (thought) c.signature += chars_of(signature);
            return {};
        }
        return whole_part(c, v, data, out);
    }

    void flow(candidate_state& c, part_type type, json text, std::vector<stream_step>& out) {
        if (!is_string(text) || is_empty_string(text)) return;
        if (!c.flowing || c.flow != type) {
            end_flow(c, out);
            c.flowing = true;
            c.flow = type;
            step(c, kind::part_start, c.parts++, out).type = type;
        }
        stream_step& s = step(c, kind::delta, c.parts - 1, out);
        s.type = type;
        s.text = text;
    }

    // A call, an image, code that was run: all of it is here.
    result<void> whole_part(candidate_state& c, json v, std::string_view data, std::vector<stream_step>& out) {
        std::string list = "[";
        list.append(v).append("]");
        std::vector<part> read;
        part_source from{"candidates.content", "call_" + decode(id_.empty() ? json{R"("")"} : json{id_}) + "_", true,
                         c.calls};
        const auto done = read_parts(texts_.keep(std::move(list)), from, texts_, read);
        if (!done || read.empty()) return done ? done : unreadable(data);
        end_flow(c, out);
        const part& p = held_.emplace_back(std::move(read.front()));
        const std::int32_t number = c.parts++;
        if (const auto* call = std::get_if<tool_call>(&p.value)) {
            ++c.calls;
            stream_step& begin = step(c, kind::part_start, number, out);
            begin.type = part_type::tool_call;
            begin.id = call->id;
            begin.name = call->name;
            stream_step& arguments = step(c, kind::delta, number, out);
            arguments.type = part_type::tool_call;
            arguments.text = arguments_string(*call, texts_);
            stream_step& end = step(c, kind::part_end, number, out);
            end.type = part_type::tool_call;
            end.signature = call->signature;
            end.from = call->signed_by;
            return {};
        }
        stream_step& begin = step(c, kind::part_start, number, out);
        begin.type = part_type::whole;
        begin.whole = &p;
        step(c, kind::part_end, number, out).type = part_type::whole;
        return {};
    }

    static stream_step& step(const candidate_state& c, kind what, std::int32_t part, std::vector<stream_step>& out) {
        stream_step& s = out.emplace_back();
        s.what = what;
        s.choice = static_cast<std::int32_t>(c.index);
        s.part = part;
        return s;
    }

    void end_flow(candidate_state& c, std::vector<stream_step>& out) {
        if (!c.flowing) return;
        c.flowing = false;
        stream_step& s = step(c, kind::part_end, c.parts - 1, out);
        s.type = c.flow;
        s.from = "gemini";
        if (c.flow == part_type::reasoning) {
            // A tag is another family's: it goes back to where it came from.
            const auto [secret, maker] = unwrap_signature(texts_.keep(std::move(c.signature)), texts_);
            s.signature = secret;
            s.from = maker;
        }
        c.signature.clear();
    }

    void end_candidate(candidate_state& c, finish_reason why, std::vector<stream_step>& out) {
        end_flow(c, out);
        c.finished = true;
        step(c, kind::finish, 0, out).why = why;
    }

    bool started_ = false, ended_ = false;
    std::string id_;  // with quotes
    std::deque<candidate_state> states_;
    // Of the event at hand.
    std::deque<part> held_;
    text_arena texts_;
};

}  // namespace

std::unique_ptr<stream_reader> make_stream_reader() {
    return std::make_unique<chunk_reader>();
}

}  // namespace sluice::chat::gemini
