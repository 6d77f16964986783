#include "dialects/openai/openai.hpp"

#include "dialects/openai/embeddings.hpp"

namespace sluice::chat::openai {
namespace {

class chat_client_dialect final : public client_dialect {
public:
    std::string_view name() const override { return chat_name; }
    family maker() const override { return "openai"; }
    result<void> read_request(const json_object& body, const client_call&, conversation& out) const override {
        return read_chat_request(body, out);
    }
    void write_answer(const answer& a, const client_call& call, std::string& out) const override {
        write_chat_answer(a, call, out);
    }
    std::unique_ptr<stream_writer> write_stream(const client_call& call) const override {
        return make_chat_stream_writer(call);
    }
    void write_error(const error_facts& e, std::string& out) const override { write_openai_error(e, out); }
    const embedding_client* embeddings() const override {
        static constexpr embedding_client form{read_embedding_request, write_embedding_answer};
        return &form;
    }
};

}  // namespace

const client_dialect& chat_client() {
    static const chat_client_dialect dialect;
    return dialect;
}

result<void> chat_upstream::write_request(const conversation& c, const target_facts& t, losses& lost,
                                          std::string& out) const {
    return write_chat_request(c, t, quirks_, lost, out);
}

result<void> chat_upstream::read_answer(std::string_view body, answer& out) const {
    return read_chat_answer(body, out);
}

std::unique_ptr<stream_reader> chat_upstream::read_stream() const {
    return make_chat_stream_reader();
}

const embedding_upstream* chat_upstream::embeddings() const {
    static constexpr embedding_upstream form{[](const target_facts&) { return std::string("/embeddings"); },
                                             write_embedding_request, read_embedding_answer};
    return &form;
}

error_facts chat_upstream::read_error(int status, std::string_view body) const {
    return read_openai_error(status, body);
}

}  // namespace sluice::chat::openai
