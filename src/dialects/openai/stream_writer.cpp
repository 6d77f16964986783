#include "dialects/openai/openai.hpp"
#include "dialects/openai/part_writer.hpp"
#include "dialects/values.hpp"
#include "http/json_writer.hpp"

#include <vector>

namespace sluice::chat::openai {
namespace {

constexpr std::size_t thought_bytes_max = std::size_t{8} << 20;

using kind = stream_step::kind;
using part_type = stream_step::part_type;

// What a part is called in chunks: calls are counted by themselves.
struct part_place {
    std::int32_t choice = 0, part = 0;
    std::int32_t call = 0;  // of a call: its number within the choice
};

class chunk_writer final : public stream_writer {
public:
    explicit chunk_writer(const client_call& call)
        : model_(call.model), id_(call.request_id), now_(call.now), wants_usage_(call.wants_usage) {}

    void write(const stream_step& s, std::string& out) override {
        if (s.what == kind::ping) {
            out += ": ping\n\n";
            return;
        }
        if (s.what == kind::failure) return write_failure(s, out);
        if (s.what == kind::usage) {
            usage_ = s.usage;
            return;
        }
        if (s.what == kind::start) return begin(s);
        if (prefix_.empty()) begin(s);
        if (s.what == kind::end) return end(out);
        role(s.choice, out);
        switch (s.what) {
            case kind::part_start:
                part_start(s, out);
                break;
            case kind::delta:
                delta(s, out);
                break;
            case kind::part_end:
                part_end(s, out);
                break;
            case kind::finish:
                open(s.choice, out);
                out += "{}";
                close(out, s.logprobs, finish_name(s.why));
                break;
            default:
                break;
        }
    }

private:
    void begin(const stream_step& s) {
        const bool told = s.what == kind::start;
        prefix_ = R"(data: {"id":)";
        prefix_ += told && !s.id.empty() ? std::string(s.id) : to_json_string("chatcmpl-" + id_);
        prefix_ += R"(,"object":"chat.completion.chunk","created":)";
        prefix_ += std::to_string(told && s.created > 0 ? s.created : now_);
        prefix_ += R"(,"model":)";
        prefix_ += told && !s.name.empty() ? std::string(s.name) : to_json_string(model_);
        if (s.usage.reported()) usage_ = s.usage;
    }

    // A chunk is: open(), the delta object, close().
    void open(std::int32_t choice, std::string& out) {
        out += prefix_;
        out += R"(,"choices":[{"index":)";
        out += std::to_string(choice);
        out += R"(,"delta":)";
    }
    void close(std::string& out, json logprobs = {}, std::string_view finish = {}) {
        out += R"(,"logprobs":)";
        out += logprobs.empty() ? json{"null"} : logprobs;
        out += R"(,"finish_reason":)";
        if (finish.empty()) {
            out += "null";
        } else {
            out.append(1, '"').append(finish).append(1, '"');
        }
        out += "}]";
        if (wants_usage_) out += R"(,"usage":null)";
        out += "}\n\n";
    }

    // The first chunk of a choice says whose it is.
    void role(std::int32_t choice, std::string& out) {
        const auto index = static_cast<std::size_t>(choice);
        if (begun_.size() <= index) begun_.resize(index + 1, false);
        if (begun_[index]) return;
        begun_[index] = true;
        open(choice, out);
        out += R"({"role":"assistant","content":"","refusal":null})";
        close(out);
    }

    void simple(const stream_step& s, std::string_view field, json value, std::string& out) {
        open(s.choice, out);
        out.append("{\"").append(field).append("\":").append(value).append(1, '}');
        close(out, s.logprobs);
    }

    void part_start(const stream_step& s, std::string& out) {
        if (s.type == part_type::tool_call || s.type == part_type::custom_call) {
            std::int32_t call = 0;
            for (const part_place& p : calls_) call += p.choice == s.choice ? 1 : 0;
            calls_.push_back({s.choice, s.part, call});
            const bool custom = s.type == part_type::custom_call;
            open(s.choice, out);
            http::json_writer w(out);
            w.begin_object().key("tool_calls").begin_array().begin_object().key("index").integer(call);
            w.key("id").raw(s.id.empty() ? json{R"("")"} : s.id).key("type").string(custom ? "custom" : "function");
            w.key(custom ? "custom" : "function").begin_object().key("name").raw(s.name);
            w.key(custom ? "input" : "arguments").string("").end_object().end_object().end_array().end_object();
            close(out);
        } else if (s.type == part_type::whole && s.whole != nullptr) {
            whole(s, out);
        } else if (s.type == part_type::reasoning) {
            thought_.clear();
            thought_lost_ = false;
        }
    }

    void whole(const stream_step& s, std::string& out) {
        const auto* m = std::get_if<media_part>(&s.whole->value);
        if (m == nullptr || m->what != media_kind::image) return;
        text_arena arena;
        open(s.choice, out);
        http::json_writer w(out);
        w.begin_object().key("images").begin_array().begin_object().key("index").integer(images_++);
        w.key("type").string("image_url").key("image_url").begin_object();
        w.key("url").raw(m->url.empty() ? data_url_of(m->mime, m->base64, arena) : m->url);
        w.end_object().end_object().end_array().end_object();
        close(out);
    }

    // Half a thought would not be what its signature signs.
    void remember(json_chars text) {
        thought_lost_ |= thought_.size() + text.size() > thought_bytes_max;
        if (!thought_lost_) thought_.append(text);
    }

    void delta(const stream_step& s, std::string& out) {
        switch (s.type) {
            case part_type::text:
                return simple(s, "content", s.text, out);
            case part_type::refusal:
                return simple(s, "refusal", s.text, out);
            case part_type::reasoning:
                remember(chars_of(s.text));
                return simple(s, "reasoning_content", s.text, out);
            default:
                break;
        }
        const bool custom = s.type == part_type::custom_call;
        open(s.choice, out);
        out += R"({"tool_calls":[{"index":)";
        out += std::to_string(call_number(s));
        out += custom ? R"(,"custom":{"input":)" : R"(,"function":{"arguments":)";
        out += s.text;
        out += "}}]}";
        close(out);
    }

    // A signature is known at the end of its part: it goes out with what it signs, as a client has to send it back.
    void part_end(const stream_step& s, std::string& out) {
        text_arena arena;
        if (s.type == part_type::text && s.from == "openai" && !s.citations.empty())
            simple(s, "annotations", s.citations, out);
        const bool hidden = s.signature.empty();
        if (s.type == part_type::reasoning && !(hidden ? s.encrypted.empty() : thought_lost_)) {
            const json_chars secret = tag_foreign(hidden ? s.encrypted : s.signature, s.from, "anthropic", arena);
            open(s.choice, out);
            http::json_writer w(out);
            w.begin_object().key("thinking_blocks").begin_array().begin_object().key("index").integer(thoughts_++);
            w.key("type").string(hidden ? "redacted_thinking" : "thinking");
            if (!hidden) w.key("thinking").raw(enclose(thought_, arena));
            w.key(hidden ? "data" : "signature").raw(enclose(secret, arena));
            w.end_object().end_array().end_object();
            close(out);
        }
        if (s.type == part_type::tool_call && !s.signature.empty() && s.from == "gemini") {
            open(s.choice, out);
            out += R"({"tool_calls":[{"index":)";
            out += std::to_string(call_number(s));
            out += R"(,"extra_content":{"google":{"thought_signature":")";
            out.append(s.signature).append("\"}}}]}");
            close(out);
        }
    }

    std::int32_t call_number(const stream_step& s) const {
        for (const part_place& p : calls_) {
            if (p.choice == s.choice && p.part == s.part) return p.call;
        }
        return 0;
    }

    void end(std::string& out) {
        if (wants_usage_ && usage_.reported()) {
            out += prefix_;
            out += R"(,"choices":[],"usage":)";
            write_chat_usage(usage_, out);
            out += "}\n\n";
        }
        out += "data: [DONE]\n\n";
    }

    static void write_failure(const stream_step& s, std::string& out) {
        error_facts e;
        e.message = decode(s.text);
        e.code = decode(s.name);
        e.type = "upstream_error";
        out += "data: ";
        write_openai_error(e, out);
        out += "\n\n";
    }

    const std::string model_, id_;
    const std::int64_t now_;
    const bool wants_usage_;
    std::string prefix_;  // of every chunk, up to its choices
    std::vector<bool> begun_;
    std::vector<part_place> calls_;
    std::string thought_;        // of the reasoning part that is open
    bool thought_lost_ = false;  // it was too long to be kept
    std::int32_t thoughts_ = 0, images_ = 0;
    token_usage usage_;
};

}  // namespace

std::unique_ptr<stream_writer> make_chat_stream_writer(const client_call& call) {
    return std::make_unique<chunk_writer>(call);
}

}  // namespace sluice::chat::openai
