#include "dialects/bedrock/bedrock.hpp"

#include "dialects/bedrock/embeddings.hpp"

#include "dialects/bedrock/answers.hpp"
#include "dialects/bedrock/message_writer.hpp"
#include "dialects/bedrock/model_path.hpp"
#include "dialects/bedrock/models.hpp"
#include "dialects/bedrock/options.hpp"
#include "dialects/context_overflow.hpp"
#include "dialects/values.hpp"
#include "http/json_writer.hpp"

#include <array>

namespace sluice::chat::bedrock {

namespace {

// What a status of Bedrock's says, and the status that says it to clients: 424 and 408 are the model's failures.
struct status_words {
    int status, said;
    std::string_view type;
};
constexpr std::array words = std::to_array<status_words>({
    {400, 400, "invalid_request_error"},
    {401, 401, "authentication_error"},
    {403, 403, "permission_error"},
    {404, 404, "not_found_error"},
    {408, 504, "timeout_error"},
    {413, 413, "request_too_large"},
    {424, 502, "api_error"},
    {429, 429, "rate_limit_error"},
    {503, 503, "overloaded_error"},
});

error_facts words_of(int status) {
    error_facts e;
    e.status = status;
    e.type = status < 500 ? "invalid_request_error" : "api_error";
    for (const status_words& w : words) {
        if (w.status != status) continue;
        e.status = w.said;
        e.type = w.type;
    }
    return e;
}

class converse_upstream final : public upstream_dialect {
public:
    std::string_view name() const override { return dialect_name; }
    family maker() const override { return maker_name; }
    stream_framing framing() const override { return stream_framing::aws_event_stream; }

    std::string path(const target_facts& t, bool stream) const override {
        return "/model/" + path_segment(t.model) + (stream ? "/converse-stream" : "/converse");
    }

    result<void> write_request(const conversation& c, const target_facts& t, losses& lost,
                               std::string& out) const override {
        const model_facts facts = facts_of_model(t.model);
        text_arena arena;
        http::json_writer w(out);
        w.begin_object();
        auto written = message_writer(c, facts, lost, arena, w).write();
        if (written) written = options_writer(c, facts, lost, arena, w).write();
        w.end_object();
        return written;
    }

    result<void> read_answer(std::string_view body, answer& out) const override {
        return read_converse_answer(body, out);
    }
    std::unique_ptr<stream_reader> read_stream() const override { return make_stream_reader(); }

    error_facts read_error(int status, std::string_view body) const override;
    const embedding_upstream* embeddings() const override {
        static constexpr embedding_upstream form{embed_path, write_embed_request, read_embed_answer};
        return &form;
    }
};

// {"message":...}, with {"__type":"com.amazon...#ThrottlingException"} from some fronts.
error_facts converse_upstream::read_error(int status, std::string_view body) const {
    error_facts e = words_of(status);
    if (const auto parsed = json_object::parse(body)) {
        for (const json_member& m : parsed->members()) {
            if (m.key == "message" || m.key == "Message") e.message = decode(m.value.raw);
            if (m.key != "__type") continue;
            const std::string type = decode(m.value.raw);
            e.code = type.substr(type.find('#') + 1);
        }
    }
    if (e.code == "ServiceQuotaExceededException") e = {429, e.message, "rate_limit_error", e.code, {}};
    if (says_too_long(status, body)) e.code = "context_length_exceeded";
    if (e.message.empty()) {
        e.message = "The upstream answered with status " + std::to_string(status) + ".";
        if (!body.empty()) e.message.back() = ':';
        if (!body.empty()) e.message += " " + excerpt(body);
    }
    return e;
}

}  // namespace

const upstream_dialect& converse() {
    static const converse_upstream dialect;
    return dialect;
}

}  // namespace sluice::chat::bedrock
