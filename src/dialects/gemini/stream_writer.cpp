#include "dialects/gemini/content_writer.hpp"
#include "dialects/gemini/gemini.hpp"
#include "dialects/gemini/signatures.hpp"
#include "dialects/values.hpp"
#include "http/json_writer.hpp"

#include <algorithm>
#include <deque>
#include <vector>

namespace sluice::chat::gemini {
namespace {

using kind = stream_step::kind;
using part_type = stream_step::part_type;

constexpr std::size_t arguments_bytes_max = std::size_t{8} << 20;

struct open_call {
    std::int32_t choice = 0, part = 0;
    std::string id, name;   // JSON strings
    std::string arguments;  // the inside of one
};

// A line end between the tokens of a value would end its event. Strings hold none that is not escaped.
void join_lines(std::string& value) {
    std::replace_if(value.begin(), value.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
}

struct ended_choice {
    std::int32_t choice = 0;
    finish_reason why = finish_reason::none;
};

class chunk_writer final : public stream_writer {
public:
    explicit chunk_writer(const client_call& call) : model_(call.model), id_(call.request_id) {}

    void write(const stream_step& s, std::string& out) override {
        if (failed_) return;
        switch (s.what) {
            case kind::start:
                begin(s);
                break;
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
                ended_.push_back({s.choice, s.why});
                break;
            case kind::usage:
                usage_ = s.usage;
                break;
            case kind::failure:
                failure(decode(s.text), decode(s.name), out);
                break;
            case kind::ping:
                out += ": ping\n\n";
                break;
            case kind::end:
                end(out);
                break;
        }
    }

private:
    void begin(const stream_step& s) {
        if (!s.id.empty()) id_text_ = s.id;
        if (!s.name.empty()) model_text_ = s.name;
    }

    void open(std::int32_t choice, std::string& out) {
        if (tail_.empty()) {
            tail_ = R"(,"modelVersion":)";
            tail_ += model_text_.empty() ? to_json_string(model_) : model_text_;
            tail_ += R"(,"responseId":)";
            tail_ += id_text_.empty() ? to_json_string(id_) : id_text_;
            tail_ += "}\n\n";
        }
        choice_ = choice;
        out += R"(data: {"candidates":[{"content":{"parts":[)";
    }
    void close(std::string& out) {
        out += R"(],"role":"model"},"index":)";
        out += std::to_string(choice_);
        out += "}]";
        out += tail_;
    }

    void part_start(const stream_step& s, std::string& out) {
        if (s.type == part_type::tool_call || s.type == part_type::custom_call) {
            calls_.push_back({s.choice, s.part, std::string(s.id), std::string(s.name), {}});
        } else if (s.type == part_type::whole && s.whole != nullptr) {
            std::string text;
            text_arena arena;
            http::json_writer w(text);
            write_answer_part(*s.whole, arena, w);
            if (text.empty()) return;
            join_lines(text);
            open(s.choice, out);
            out += text;
            close(out);
        }
    }

    void delta(const stream_step& s, std::string& out) {
        if (s.type == part_type::tool_call || s.type == part_type::custom_call) {
            open_call* call = find(s);
            if (call == nullptr) return;
            if (call->arguments.size() + s.text.size() > arguments_bytes_max)
                return failure("The arguments of a call are larger than the gateway translates.", {}, out);
            call->arguments += chars_of(s.text);
            return;
        }
        open(s.choice, out);
        out.append(R"({"text":)").append(s.text);
        out += s.type == part_type::reasoning ? R"(,"thought":true})" : "}";
        close(out);
    }

    void part_end(const stream_step& s, std::string& out) {
        text_arena arena;
        if (s.type == part_type::reasoning) {
            const json_chars secret = wrap_signature(s.signature.empty() ? s.encrypted : s.signature, s.from, arena);
            if (secret.empty()) return;
            open(s.choice, out);
            out.append(R"({"text":"","thought":true,"thoughtSignature":")").append(secret).append("\"}");
            return close(out);
        }
        open_call* call = find(s);
        if (call == nullptr) return;
        tool_call whole;
        whole.arguments = enclose(call->arguments, arena);
        const auto arguments = arguments_object(whole, arena);
        if (!arguments) return failure("The model's arguments of a call are not a JSON object.", {}, out);
        std::string object{*arguments};
        join_lines(object);
        open(s.choice, out);
        http::json_writer w(out);
        write_call(call->id, call->name, object, wrap_signature(s.signature, s.from, arena), w);
        close(out);
        std::string().swap(call->arguments);
    }

    open_call* find(const stream_step& s) {
        for (open_call& c : calls_) {
            if (c.choice == s.choice && c.part == s.part) return &c;
        }
        return nullptr;
    }

    // The last chunk says why each candidate ended, and what all of it cost.
    void end(std::string& out) {
        std::string body;
        http::json_writer w(body);
        w.begin_object().key("candidates").begin_array();
        for (const ended_choice& e : ended_) {
            w.begin_object().key("content").begin_object().key("parts").begin_array().end_array();
            w.key("role").string("model").end_object().key("finishReason").string(finish_name(e.why));
            w.key("index").integer(e.choice).end_object();
        }
        w.end_array();
        if (usage_.reported()) {
            std::string usage;
            write_usage(usage_, usage);
            w.key("usageMetadata").raw(usage);
        }
        std::string ignored;
        if (tail_.empty()) open(0, ignored);
        out.append("data: ").append(body).append(tail_);
    }

    void failure(std::string_view message, std::string_view type, std::string& out) {
        failed_ = true;
        error_facts e;
        e.status = 502;
        e.message = message;
        e.type = type;
        out += "data: ";
        write_error(e, out);
        out += "\n\n";
    }

    const std::string model_, id_;
    std::string model_text_, id_text_;  // JSON strings, as the upstream says them
    std::string tail_;                  // of every chunk, behind its candidates
    std::int32_t choice_ = 0;           // of the chunk that is being written
    std::deque<open_call> calls_;
    std::vector<ended_choice> ended_;
    token_usage usage_;
    bool failed_ = false;
};

}  // namespace

std::unique_ptr<stream_writer> make_stream_writer(const client_call& call) {
    return std::make_unique<chunk_writer>(call);
}

}  // namespace sluice::chat::gemini
