#include "dialects/cohere/cohere.hpp"

#include "dialects/cohere/embeddings.hpp"

#include "dialects/cohere/parts.hpp"
#include "dialects/context_overflow.hpp"
#include "dialects/values.hpp"

#include <array>

namespace sluice::chat::cohere {

namespace {

class chat_upstream final : public upstream_dialect {
public:
    std::string_view name() const override { return dialect_name; }
    family maker() const override { return maker_name; }
    std::string path(const target_facts&, bool) const override { return "/chat"; }

    result<void> write_request(const conversation& c, const target_facts& t, losses& lost,
                               std::string& out) const override {
        return write_chat_request(c, t.model, lost, out);
    }
    result<void> read_answer(std::string_view body, answer& out) const override { return read_chat_answer(body, out); }
    std::unique_ptr<stream_reader> read_stream() const override { return make_stream_reader(); }
    error_facts read_error(int status, std::string_view body) const override { return read_cohere_error(status, body); }
    const embedding_upstream* embeddings() const override {
        static constexpr embedding_upstream form{[](const target_facts&) { return std::string(embed_path); },
                                                 write_embed_request, read_embed_answer};
        return &form;
    }
};

struct status_type {
    int status;
    std::string_view type;
};
// 498 is a token that Cohere holds for invalid, 499 a request that was cancelled.
constexpr std::array types = std::to_array<status_type>({
    {401, "authentication_error"},
    {403, "permission_error"},
    {404, "not_found_error"},
    {429, "rate_limit_error"},
    {498, "authentication_error"},
    {503, "overloaded_error"},
});

}  // namespace

error_facts read_cohere_error(int status, std::string_view body) {
    error_facts e;
    e.status = status == 498 ? 401 : status;
    e.type = status < 500 ? "invalid_request_error" : "api_error";
    for (const status_type& t : types) {
        if (t.status == status) e.type = t.type;
    }
    if (const auto parsed = json_object::parse(body)) {
        for (const json_member& m : parsed->members()) {
            if (m.key == "message" || (m.key == "data" && e.message.empty())) e.message = decode(m.value.raw);
        }
    }
    if (says_too_long(status, body)) e.code = "context_length_exceeded";
    if (e.message.empty()) {
        e.message = "The upstream answered with status " + std::to_string(status);
        e.message += body.empty() ? "." : ": " + excerpt(body);
    }
    return e;
}

const upstream_dialect& chat() {
    static const chat_upstream dialect;
    return dialect;
}

}  // namespace sluice::chat::cohere
