#include "dialects/openai/completions.hpp"

#include "dialects/openai/message_reader.hpp"
#include "dialects/openai/openai.hpp"
#include "dialects/values.hpp"
#include "http/json_writer.hpp"

namespace sluice::chat::openai {
namespace {

using http::json_writer;

struct plain_field {
    std::string_view name;
    json sampling_options::* field;
};
constexpr plain_field numbers[] = {
    {"temperature", &sampling_options::temperature},
    {"top_p", &sampling_options::top_p},
    {"presence_penalty", &sampling_options::presence_penalty},
    {"frequency_penalty", &sampling_options::frequency_penalty},
    {"seed", &sampling_options::seed},
    {"n", &sampling_options::candidates},
    {"top_k", &sampling_options::top_k},
    {"min_p", &sampling_options::min_p},
    {"repetition_penalty", &sampling_options::repetition_penalty},
};

// What says nothing may stand there: many clients send all fields.
bool idle(std::string_view key, const json_value& v) {
    return (key == "echo" && v.raw == "false") || (key == "best_of" && v.raw == "1") ||
           (key == "suffix" && is_empty_string(v.raw));
}

result<void> read_prompt(const json_value& v, conversation& out) {
    json prompt = v.raw;
    if (v.type == json_type::array) {
        const auto all = json_elements(v);
        if (all.size() != 1 || all.front().type != json_type::string) {
            return error{error_kind::bad_request,
                         "`prompt` must be one text: this model takes neither several prompts nor token numbers.",
                         "prompt"};
        }
        prompt = all.front().raw;
    }
    if (!is_string(prompt)) return wrong_type("prompt", "a string");
    message m;
    m.content.push_back({text_part{prompt, {}, {}}});
    out.messages.push_back(std::move(m));
    return {};
}

result<void> read_stop(const json_value& v, conversation& out) {
    result<void> read;
    const auto take = [&](const json_value& s) {
        if (s.type != json_type::string) read = wrong_type("stop", "a string or an array of strings");
        out.sampling.stop.push_back(s.raw);
    };
    if (v.type == json_type::array) {
        each_element(v.raw, take);
    } else {
        take(v);
    }
    return read;
}

result<void> read_stream_options(const json_value& v, conversation& out) {
    const auto o = json_object::inside(v);
    if (!o) return v.type == json_type::object ? o.error() : wrong_type("stream_options", "an object");
    const auto wanted = o->find("include_usage");
    if (!wanted || wanted->type == json_type::null) return {};
    if (!wanted->boolean()) return wrong_type("stream_options.include_usage", "a boolean");
    out.stream_usage = *wanted->boolean();
    return {};
}

result<void> read_field(const json_member& m, conversation& out) {
    const json_value& v = m.value;
    if (m.key == "prompt") return read_prompt(v, out);
    if (m.key == "stop") return read_stop(v, out);
    if (m.key == "suffix" || m.key == "echo" || m.key == "best_of") {
        if (idle(m.key, v)) return {};
        return error{error_kind::bad_request, "This model takes no `" + std::string(m.key) + "`.", std::string(m.key)};
    }
    for (const plain_field& n : numbers) {
        if (m.key != n.name) continue;
        if (v.type != json_type::number) return wrong_type(n.name, "a number");
        out.sampling.*n.field = v.raw;
        return {};
    }
    if (m.key == "model" || m.key == "user") {
        if (v.type != json_type::string) return wrong_type(m.key, "a string");
        (m.key == "model" ? out.model : out.user) = v.raw;
    } else if (m.key == "max_tokens") {
        out.sampling.tokens_max = v.integer();
        if (!out.sampling.tokens_max || *out.sampling.tokens_max < 0)
            return wrong_type("max_tokens", "an integer that is not negative");
    } else if (m.key == "stream") {
        if (v.type != json_type::boolean) return wrong_type("stream", "a boolean");
        out.stream = *v.boolean();
    } else if (m.key == "stream_options") {
        return read_stream_options(v, out);
    } else if (m.key == "logit_bias") {
        if (v.type != json_type::object) return wrong_type("logit_bias", "an object");
        out.sampling.logit_bias = v.raw;
    } else {
        out.extras.push_back({m.key, v.raw});
    }
    return {};
}

void begin(json_writer& w, json id, json model, std::int64_t created, const client_call& call) {
    w.begin_object().key("id");
    if (id.empty()) {
        w.string("cmpl-" + std::string(call.request_id));
    } else {
        w.raw(id);
    }
    w.key("object").string("text_completion").key("created").integer(created > 0 ? created : call.now).key("model");
    if (model.empty()) {
        w.string(call.model);
    } else {
        w.raw(model);
    }
}

void write_choice(json_writer& w, json text, std::int64_t index, finish_reason why) {
    w.begin_object().key("text").raw(text).key("index").integer(index).key("logprobs").null().key("finish_reason");
    if (why == finish_reason::none) {
        w.null();
    } else {
        w.string(finish_name(why));
    }
    w.end_object();
}

void write_usage(json_writer& w, const token_usage& u) {
    std::string usage;
    write_chat_usage(u, usage);
    w.key("usage").raw(usage);
}

class chunk_writer final : public stream_writer {
public:
    explicit chunk_writer(const client_call& call) : model_(call.model), id_(call.request_id), call_(call) {
        call_.model = model_;
        call_.request_id = id_;
    }

    void write(const stream_step& s, std::string& out) override {
        using kind = stream_step::kind;
        const bool text = s.type == stream_step::part_type::text || s.type == stream_step::part_type::refusal;
        if (s.what == kind::start) {
            answer_id_ = s.id;
            answer_model_ = s.name;
            created_ = s.created;
        } else if (s.what == kind::delta && text) {
            chunk(s.text, s.choice, finish_reason::none, out);
        } else if (s.what == kind::finish) {
            chunk(R"("")", s.choice, s.why, out);
        } else if (s.what == kind::usage) {
            usage_ = s.usage;
        } else if (s.what == kind::ping) {
            out += ": ping\n\n";
        } else if (s.what == kind::end) {
            end(out);
        } else if (s.what == kind::failure) {
            error_facts e;
            e.message = decode(s.text);
            e.code = decode(s.name);
            e.type = "upstream_error";
            out += "data: ";
            write_openai_error(e, out);
            out += "\n\n";
        }
    }

private:
    void chunk(json text, std::int64_t index, finish_reason why, std::string& out) {
        out += "data: ";
        json_writer w(out);
        begin(w, answer_id_, answer_model_, created_, call_);
        w.key("choices").begin_array();
        write_choice(w, text, index, why);
        w.end_array().end_object();
        out += "\n\n";
    }

    void end(std::string& out) {
        if (call_.wants_usage && usage_.reported()) {
            out += "data: ";
            json_writer w(out);
            begin(w, answer_id_, answer_model_, created_, call_);
            w.key("choices").begin_array().end_array();
            write_usage(w, usage_);
            w.end_object();
            out += "\n\n";
        }
        out += "data: [DONE]\n\n";
    }

    const std::string model_, id_;
    client_call call_;
    std::string answer_id_, answer_model_;  // JSON strings
    std::int64_t created_ = 0;
    token_usage usage_;
};

class completions final : public client_dialect {
public:
    std::string_view name() const override { return completions_name; }
    family maker() const override { return "openai"; }

    result<void> read_request(const json_object& body, const client_call&, conversation& out) const override {
        out.dialect = completions_name;
        for (const json_member& m : body.members()) {
            if (m.value.type == json_type::null) continue;
            if (auto read = read_field(m, out); !read) return read;
        }
        if (out.messages.empty()) return error{error_kind::bad_request, "The request has no `prompt`.", "prompt"};
        return {};
    }

    void write_answer(const answer& a, const client_call& call, std::string& out) const override {
        text_arena arena;
        json_writer w(out);
        begin(w, a.id, a.model, a.created, call);
        w.key("choices").begin_array();
        for (const choice& c : a.choices) {
            std::string text;
            for (const part& p : c.content) {
                if (const auto* t = std::get_if<text_part>(&p.value)) text += chars_of(t->text);
                if (const auto* r = std::get_if<refusal_part>(&p.value)) text += chars_of(r->text);
            }
            write_choice(w, enclose(text, arena), c.index, c.finish);
        }
        w.end_array();
        if (a.usage.reported()) write_usage(w, a.usage);
        w.end_object();
    }

    std::unique_ptr<stream_writer> write_stream(const client_call& call) const override {
        return std::make_unique<chunk_writer>(call);
    }
    void write_error(const error_facts& e, std::string& out) const override { write_openai_error(e, out); }
};

}  // namespace

const client_dialect& completions_client() {
    static const completions dialect;
    return dialect;
}

}  // namespace sluice::chat::openai
