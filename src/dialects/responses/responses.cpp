#include "dialects/responses/responses.hpp"

namespace sluice::chat::responses {
namespace {

class client final : public client_dialect {
public:
    std::string_view name() const override { return dialect_name; }
    family maker() const override { return "openai"; }
    result<void> read_request(const json_object& body, const client_call&, conversation& out) const override {
        // What OpenAI keeps cannot be read here, and leaving it out would change the question.
        if (auto whole = refuse_state(body); !whole) return whole;
        return responses::read_request(body, out);
    }
    void write_answer(const answer& a, const client_call& call, std::string& out) const override {
        responses::write_answer(a, call, out);
    }
    std::unique_ptr<stream_writer> write_stream(const client_call& call) const override {
        return make_stream_writer(call);
    }
    void write_error(const error_facts& e, std::string& out) const override { responses::write_error(e, out); }
};

class upstream final : public upstream_dialect {
public:
    std::string_view name() const override { return dialect_name; }
    family maker() const override { return "openai"; }
    std::string path(const target_facts&, bool) const override { return "/responses"; }
    result<void> write_request(const conversation& c, const target_facts& t, losses& lost,
                               std::string& out) const override {
        return responses::write_request(c, t, lost, out);
    }
    result<void> read_answer(std::string_view body, answer& out) const override {
        return responses::read_answer(body, out);
    }
    std::unique_ptr<stream_reader> read_stream() const override { return make_stream_reader(); }
    error_facts read_error(int status, std::string_view body) const override {
        return responses::read_error(status, body);
    }
};

}  // namespace

const client_dialect& responses_client() {
    static const client dialect;
    return dialect;
}

const upstream_dialect& responses_upstream() {
    static const upstream dialect;
    return dialect;
}

}  // namespace sluice::chat::responses
