#include "dialects/gemini/gemini.hpp"

#include "dialects/gemini/embeddings.hpp"
#include "http/path.hpp"

namespace sluice::chat::gemini {
namespace {

class client final : public client_dialect {
public:
    std::string_view name() const override { return dialect_name; }
    family maker() const override { return "gemini"; }
    result<void> read_request(const json_object& body, const client_call&, conversation& out) const override {
        // countTokens may hold the whole request instead of its contents.
        const auto inner = body.find("generateContentRequest");
        if (!inner) return gemini::read_request(body, out);
        const auto whole = json_object::inside(*inner);
        return whole ? gemini::read_request(*whole, out) : result<void>(whole.error());
    }
    void write_answer(const answer& a, const client_call& call, std::string& out) const override {
        gemini::write_answer(a, call, out);
    }
    std::unique_ptr<stream_writer> write_stream(const client_call& call) const override {
        return call.json_array ? make_array_stream_writer(call) : make_stream_writer(call);
    }
    void write_error(const error_facts& e, std::string& out) const override { gemini::write_error(e, out); }
    void write_token_count(std::int64_t n, std::string& out) const override {
        out += R"({"totalTokens":)" + std::to_string(n) + "}";
    }
    const embedding_client* embeddings() const override {
        static constexpr embedding_client form{read_embed_request, write_embed_answer};
        return &form;
    }
};

class upstream final : public upstream_dialect {
public:
    upstream(std::string_view name, std::string_view publisher) : name_(name), publisher_(publisher) {}
    std::string_view name() const override { return name_; }
    family maker() const override { return "gemini"; }

    std::string path(const target_facts& t, bool stream) const override {
        std::string text;
        append_model_path(text, publisher_, t.model);
        return text += stream ? ":streamGenerateContent?alt=sse" : ":generateContent";
    }
    result<void> write_request(const conversation& c, const target_facts& t, losses& lost,
                               std::string& out) const override {
        return gemini::write_request(c, t, lost, out);
    }
    result<void> read_answer(std::string_view body, answer& out) const override {
        return gemini::read_answer(body, out);
    }
    std::unique_ptr<stream_reader> read_stream() const override { return make_stream_reader(); }
    error_facts read_error(int status, std::string_view body) const override {
        return gemini::read_error(status, body);
    }
    const embedding_upstream* embeddings() const override {
        static constexpr embedding_upstream form{embed_path, write_embed_request, read_embed_answer};
        // Vertex AI has another form for them.
        return name_ == dialect_name ? &form : nullptr;
    }

private:
    const std::string_view name_, publisher_;
};

}  // namespace

void append_model_path(std::string& path, std::string_view publisher, std::string_view model) {
    path += publisher;
    std::string_view folder = "models/";
    for (const std::string_view named : {"models/", "tunedModels/"}) {
        if (!model.starts_with(named)) continue;
        folder = named;
        model.remove_prefix(named.size());
        break;
    }
    path.append(1, '/').append(folder);
    http::percent_encode(path, model);
}

const client_dialect& gemini_client() {
    static const client dialect;
    return dialect;
}

const upstream_dialect& gemini_upstream() {
    static const upstream dialect(dialect_name, "");
    return dialect;
}

const upstream_dialect& vertex_upstream() {
    static const upstream dialect("vertex.gemini", "/publishers/google");
    return dialect;
}

}  // namespace sluice::chat::gemini
