#include "dialects/anthropic/answers.hpp"
#include "dialects/anthropic/anthropic.hpp"
#include "dialects/anthropic/errors.hpp"
#include "dialects/anthropic/request_reader.hpp"
#include "dialects/anthropic/request_writer.hpp"
#include "dialects/anthropic/streams.hpp"
#include "dialects/anthropic/terms.hpp"

namespace sluice::chat::anthropic {
namespace {

class messages_client_dialect final : public client_dialect {
public:
    std::string_view name() const override { return dialect_name; }
    family maker() const override { return maker_name; }
    result<void> read_request(const json_object& body, const client_call& call, conversation& out) const override {
        return read_messages_request(body, call, out);
    }
    void write_answer(const answer& a, const client_call& call, std::string& out) const override {
        write_message(a, call, out);
    }
    std::unique_ptr<stream_writer> write_stream(const client_call& call) const override {
        return make_stream_writer(call);
    }
    void write_error(const error_facts& e, std::string& out) const override { write_error_body(e, out); }
    void write_token_count(std::int64_t n, std::string& out) const override {
        out += R"({"input_tokens":)" + std::to_string(n) + "}";
    }
};

class messages_upstream_dialect : public upstream_dialect {
public:
    explicit messages_upstream_dialect(const variant& v) : variant_(v) {}
    std::string_view name() const final { return variant_.name; }
    family maker() const final { return maker_name; }
    std::string path(const target_facts&, bool) const override { return "/messages"; }
    result<void> write_request(const conversation& c, const target_facts& t, losses& lost,
                               std::string& out) const final {
        return write_messages_request(c, t, variant_, lost, out);
    }
    result<void> read_answer(std::string_view body, answer& out) const final { return read_message(body, out); }
    std::unique_ptr<stream_reader> read_stream() const override { return make_stream_reader(event_wrapping::none); }
    error_facts read_error(int status, std::string_view body) const final { return read_error_body(status, body); }

private:
    const variant variant_;
};

// One segment of a path: what RFC 3986 does not reserve stands bare.
std::string percent_encoded(std::string_view text, std::string_view also_bare = {}) {
    constexpr std::string_view bare = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    constexpr std::string_view hex = "0123456789ABCDEF";
    std::string encoded;
    for (const char c : text) {
        if (bare.find(c) != std::string_view::npos || also_bare.find(c) != std::string_view::npos) {
            encoded += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        encoded.append(1, '%').append(1, hex[byte >> 4]).append(1, hex[byte & 0xf]);
    }
    return encoded;
}

class bedrock_invoke_dialect final : public messages_upstream_dialect {
public:
    using messages_upstream_dialect::messages_upstream_dialect;
    std::string path(const target_facts& t, bool stream) const override {
        return "/model/" + percent_encoded(t.model) + (stream ? "/invoke-with-response-stream" : "/invoke");
    }
    stream_framing framing() const override { return stream_framing::aws_event_stream; }
    std::unique_ptr<stream_reader> read_stream() const override {
        return make_stream_reader(event_wrapping::bedrock_bytes);
    }
};

class vertex_dialect final : public messages_upstream_dialect {
public:
    using messages_upstream_dialect::messages_upstream_dialect;
    std::string path(const target_facts& t, bool stream) const override {
        return "/publishers/anthropic/models/" + percent_encoded(t.model, "@") +
               (stream ? ":streamRawPredict" : ":rawPredict");
    }
};

}  // namespace

const client_dialect& messages_client() {
    static const messages_client_dialect dialect;
    return dialect;
}

const upstream_dialect& messages_upstream() {
    static const messages_upstream_dialect dialect({.name = dialect_name, .version = {}});
    return dialect;
}

const upstream_dialect& bedrock_invoke_upstream() {
    static const bedrock_invoke_dialect dialect({.name = "bedrock.invoke",
                                                 .version = "bedrock-2023-05-31",
                                                 .urls_and_files = false,
                                                 .strict_tools = false,
                                                 .account_options = false,
                                                 .betas = true});
    return dialect;
}

const upstream_dialect& vertex_anthropic_upstream() {
    static const vertex_dialect dialect({.name = "vertex.anthropic",
                                         .version = "vertex-2023-10-16",
                                         .urls_and_files = false,
                                         .strict_tools = true,
                                         .account_options = false});
    return dialect;
}

}  // namespace sluice::chat::anthropic
