// Reads the chunks of a streamed chat completion.
#include "dialects/openai/choice_parts.hpp"
#include "dialects/openai/openai.hpp"
#include "dialects/values.hpp"

#include <algorithm>
#include <deque>

namespace sluice::chat::openai {
namespace {

constexpr std::int64_t choices_max = 128;

using kind = stream_step::kind;
using part_type = stream_step::part_type;

struct chunk {
    json id, model, object, choices, usage, failure;
    std::int64_t created = 0;
};

chunk look_at(json data) {
    chunk c;
    each_member(data, [&](std::string_view key, const json_value& v) {
        if (key == "id" && v.type == json_type::string) c.id = v.raw;
        if (key == "model" && v.type == json_type::string) c.model = v.raw;
        if (key == "object") c.object = v.raw;
        if (key == "created") c.created = v.integer().value_or(0);
        if (key == "choices" && v.type == json_type::array) c.choices = v.raw;
        if (key == "usage" && v.type == json_type::object) c.usage = v.raw;
        if (key == "error" && v.type != json_type::null) c.failure = v.raw;
    });
    return c;
}

struct chunk_choice {
    std::int64_t index = 0;
    json delta, finish, logprobs, usage, failure;
};

chunk_choice look_at_choice(json v) {
    chunk_choice c;
    each_member(v, [&](std::string_view key, const json_value& x) {
        if (key == "index") c.index = x.integer().value_or(0);
        if (key == "delta") c.delta = x.raw;
        // Some write "" for null.
        if (key == "finish_reason" && x.type == json_type::string && !is_empty_string(x.raw)) c.finish = x.raw;
        if (key == "logprobs" && x.type == json_type::object) c.logprobs = x.raw;
        if (key == "usage" && x.type == json_type::object) c.usage = x.raw;  // Moonshot
        if (key == "error" && x.type == json_type::object) c.failure = x.raw;
    });
    return c;
}

struct delta_fields {
    json content, reasoning, thinking_blocks, refusal, tool_calls, images, annotations;
    // Something that would be a part.
    bool says_anything() const {
        const auto full = [](json v) { return v.size() > 2; };  // "" and [] say nothing
        return full(content) || full(reasoning) || full(refusal) || full(tool_calls) || full(images);
    }
};

delta_fields look_at_delta(json delta) {
    delta_fields d;
    each_member(delta, [&](std::string_view key, const json_value& x) {
        const bool string = x.type == json_type::string, array = x.type == json_type::array;
        if (key == "content" && (string || array)) d.content = x.raw;
        // Servers that write both write the same twice.
        if ((key == "reasoning_content" || key == "reasoning") && string && d.reasoning.size() <= 2)
            d.reasoning = x.raw;
        if (key == "thinking_blocks" && array) d.thinking_blocks = x.raw;
        if (key == "refusal" && string) d.refusal = x.raw;
        if (key == "tool_calls" && array) d.tool_calls = x.raw;
        if (key == "images" && array) d.images = x.raw;
        if (key == "annotations" && array) d.annotations = x.raw;
    });
    return d;
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view space = " \t\r\n";
    const auto first = text.find_first_not_of(space);
    return first == std::string_view::npos ? std::string_view{}
                                           : text.substr(first, text.find_last_not_of(space) - first + 1);
}

class chunk_reader final : public stream_reader {
public:
    result<void> read(std::string_view name, std::string_view data, stream_steps& out) override {
        scratch_.clear();
        data = trimmed(data);
        if (ended_) {
            if (data == "[DONE]" && !failed_) ++repairs_;
            return {};
        }
        if (data.empty()) return {};
        if (data == "[DONE]") return done(out);
        if (data.front() != '{' || !validate_json(data)) return unreadable(data);
        const chunk c = look_at(data);
        if (name == "error" || !c.failure.empty() || says(c.object, "error")) {
            fail(read_openai_error(502, data), out);
            return {};
        }
        if (c.choices.empty() && c.usage.empty()) return unreadable(data);
        return read_chunk(c, data, out);
    }

    result<void> finish(stream_steps& out) override {
        scratch_.clear();
        if (ended_) return {};
        const bool whole = !choices_.empty() && std::all_of(choices_.begin(), choices_.end(),
                                                            [](const choice_parts& c) { return c.finished(); });
        if (!whole) return broken();
        ++repairs_;  // [DONE] is missing: some servers leave it out
        return done(out);
    }

private:
    static error unreadable(std::string_view data) {
        return error{error_kind::upstream_protocol,
                     "The upstream's stream holds no chunk of a chat completion: " + excerpt(data)};
    }
    static error broken() {
        return error{error_kind::upstream_reset, "The upstream's stream broke off before its end."};
    }

    result<void> read_chunk(const chunk& c, std::string_view data, stream_steps& out) {
        result<void> fed;
        each_element(c.choices, [&](const json_value& v) {
            if (!fed || ended_) return;
            start(c, out);
            fed = read_choice(c, look_at_choice(v.raw), v.raw, data, out);
        });
        if (fed && !ended_ && !c.usage.empty()) usage(c.usage, out);
        return fed;
    }

    // The mark of the end. A choice whose reason nobody gave ends without one, unless it stands in the middle of a
    // call.
    result<void> done(stream_steps& out) {
        if (choices_.empty()) return broken();
        for (choice_parts& c : choices_) {
            if (c.finished()) continue;
            if (c.mid_call()) return broken();
            c.end(finish_reason::none, scratch_, out);
            ++repairs_;
        }
        ended_ = true;
        out.emplace_back().what = kind::end;
        return {};
    }

    void fail(const error_facts& e, stream_steps& out) {
        stream_step& s = out.emplace_back();
        s.what = kind::failure;
        s.text = quote(e.message, scratch_.texts());
        s.name = quote(e.code.empty() ? e.type : e.code, scratch_.texts());
        ended_ = failed_ = true;
    }

    void start(const chunk& c, stream_steps& out) {
        if (started_) return;
        started_ = true;
        stream_step& s = out.emplace_back();
        s.what = kind::start;
        s.id = c.id;
        s.name = c.model;
        s.created = c.created;
    }

    static void usage(json counts, stream_steps& out) {
        stream_step& s = out.emplace_back();
        s.what = kind::usage;
        s.usage = read_chat_usage(counts);
    }

    choice_parts* parts_of(std::int64_t index) {
        for (choice_parts& c : choices_) {
            if (c.index() == index) return &c;
        }
        if (index < 0 || index >= choices_max) return nullptr;
        return &choices_.emplace_back(index, repairs_);
    }

    result<void> read_choice(const chunk& whole, const chunk_choice& v, json raw, std::string_view data,
                             stream_steps& out) {
        choice_parts* const c = parts_of(v.index);
        if (c == nullptr) return unreadable(data);
        const delta_fields d = look_at_delta(v.delta);
        if (c->finished()) {
            // Some give the reason twice. What is said behind it could only be lost.
            if (d.says_anything()) return unreadable(data);
            if (!v.finish.empty()) ++repairs_;
        } else if (auto read = read_delta(*c, d, v.logprobs, whole.id, data, out); !read) {
            return read;
        } else if (!v.failure.empty()) {
            fail(read_openai_error(502, raw), out);
        } else if (says(v.finish, "error")) {
            fail({502, "The upstream says that its answer failed, and not why.", "upstream_error", {}, {}}, out);
        } else if (!v.finish.empty()) {
            c->end(finish_of(v.finish), scratch_, out);
        }
        if (!v.usage.empty() && whole.usage.empty() && !ended_) usage(v.usage, out);
        return {};
    }

    result<void> read_delta(choice_parts& c, const delta_fields& d, json logprobs, json answer, std::string_view data,
                            stream_steps& out) {
        c.reasoning(d.reasoning, scratch_, out);
        each_element(d.thinking_blocks, [&](const json_value& b) { c.thinking_block(b.raw, scratch_, out); });
        if (is_string(d.content)) {
            c.flow(part_type::text, d.content, logprobs, scratch_, out);
        } else {
            read_content_parts(c, d.content, out);
        }
        if (!d.annotations.empty()) c.annotations(d.annotations);
        if (!d.images.empty()) c.images(d.images, scratch_, out);
        c.flow(part_type::refusal, d.refusal, logprobs, scratch_, out);
        result<void> read;
        each_element(d.tool_calls, [&](const json_value& call) {
            if (read && !c.call_piece(call.raw, answer, scratch_, out)) read = unreadable(data);
        });
        return read;
    }

    // Mistral's: [{"type":"thinking","thinking":[{"type":"text","text":...}]},{"type":"text","text":...}]
    void read_content_parts(choice_parts& c, json content, stream_steps& out) {
        each_element(content, [&](const json_value& p) {
            each_member(p.raw, [&](std::string_view key, const json_value& v) {
                if (key == "text") c.flow(part_type::text, v.raw, {}, scratch_, out);
                if (key != "thinking") return;
                c.flow(part_type::reasoning, v.raw, {}, scratch_, out);
                each_element(v.raw, [&](const json_value& inner) {
                    each_member(inner.raw, [&](std::string_view k, const json_value& x) {
                        if (k == "text") c.flow(part_type::reasoning, x.raw, {}, scratch_, out);
                    });
                });
            });
        });
    }

    bool started_ = false, ended_ = false, failed_ = false;
    std::deque<choice_parts> choices_;
    step_scratch scratch_;
};

}  // namespace

std::unique_ptr<stream_reader> make_chat_stream_reader() {
    return std::make_unique<chunk_reader>();
}

}  // namespace sluice::chat::openai
