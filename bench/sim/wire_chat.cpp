// Chat completions and the older completions.

#include <algorithm>

#include "sim/json_out.hpp"
#include "sim/wire.hpp"

namespace sluice::sim {
namespace {

std::string_view finish_reason(const spoken_choice& c) {
    return !c.calls.empty() ? "tool_calls" : c.cut ? "length" : "stop";
}

void put_usage(std::string& out, const answer& a) {
    const std::size_t said = a.completion_tokens();
    put(out, R"({"prompt_tokens":)", a.prompt_tokens, R"(,"completion_tokens":)", said, R"(,"total_tokens":)",
        a.prompt_tokens + said, R"(,"prompt_tokens_details":{"cached_tokens":)", a.cached_tokens,
        R"(},"completion_tokens_details":{"reasoning_tokens":0}})");
}

// An invented but stable probability for each token.
void put_logprob(std::string& out, std::string_view piece) {
    const double p = -static_cast<double>(hash_bytes(piece) % 300) / 100.0;
    put(out, R"({"token":)", quoted{piece}, R"(,"logprob":)", p, R"(,"bytes":null,"top_logprobs":[]})");
}

void put_logprobs(std::string& out, const answer& a, const token_text& t, std::size_t first, std::size_t last) {
    if (!a.logprobs) {
        out += "null";
        return;
    }
    out += R"({"content":[)";
    for (std::size_t i = first; i < last; ++i) {
        if (i > first) out += ',';
        put_logprob(out, t.piece(i));
    }
    out += R"(],"refusal":null})";
}

void put_calls(std::string& out, const std::vector<tool_call>& calls) {
    out += R"(,"tool_calls":[)";
    for (std::size_t i = 0; i < calls.size(); ++i) {
        put(out, i > 0 ? "," : "", R"({"id":)", quoted{calls[i].id}, R"(,"type":"function","function":{"name":)",
            quoted{calls[i].name}, R"(,"arguments":)", quoted{calls[i].arguments.text}, "}}");
    }
    out += ']';
}

// Opens one chunk up to and without its choices.
void open_chunk(std::string& out, const answer& a) {
    put(out, R"(data: {"id":"chatcmpl-)", a.id, R"(","object":"chat.completion.chunk","created":)", a.created,
        R"(,"model":)", quoted{a.model}, R"(,"system_fingerprint":"fp_sim")");
}

void close_chunk(event_list& out, const answer& a, std::size_t after_tokens) {
    if (a.include_usage && !a.no_usage) out.buffer() += R"(,"usage":null)";
    out.buffer() += "}\n\n";
    out.close(after_tokens);
}

template <class Delta>
void chunk(event_list& out, const answer& a, std::size_t choice, std::size_t after_tokens, std::string_view finish,
           const Delta& write_delta) {
    std::string& b = out.buffer();
    open_chunk(b, a);
    put(b, R"(,"choices":[{"index":)", choice, R"(,"delta":{)");
    write_delta(b);
    b += '}';
    if (finish.empty()) {
        b += R"(,"finish_reason":null}])";
    } else {
        put(b, R"(,"finish_reason":)", quoted{finish}, "}]");
    }
    close_chunk(out, a, after_tokens);
}

void call_events(event_list& out, const answer& a, std::size_t c) {
    std::size_t after = 0;
    const auto& calls = a.choices[c].calls;
    for (std::size_t i = 0; i < calls.size(); ++i) {
        chunk(out, a, c, after + 1, "", [&](std::string& b) {
            put(b, R"("tool_calls":[{"index":)", i, R"(,"id":)", quoted{calls[i].id},
                R"(,"type":"function","function":{"name":)", quoted{calls[i].name}, R"(,"arguments":""}}])");
        });
        for (std::size_t k = 0; k < calls[i].arguments.tokens(); ++k) {
            chunk(out, a, c, ++after, "", [&](std::string& b) {
                put(b, R"("tool_calls":[{"index":)", i, R"(,"function":{"arguments":)",
                    quoted{calls[i].arguments.piece(k)}, "}}]");
            });
        }
    }
}

void done(event_list& out, const answer& a) {
    if (a.no_done) return;
    out.buffer() += "data: [DONE]\n\n";
    out.close(a.longest());
}

}  // namespace

void write_chat(std::string& out, const answer& a) {
    put(out, R"({"id":"chatcmpl-)", a.id, R"(","object":"chat.completion","created":)", a.created, R"(,"model":)",
        quoted{a.model}, R"(,"system_fingerprint":"fp_sim","choices":[)");
    for (std::size_t i = 0; i < a.choices.size(); ++i) {
        const spoken_choice& c = a.choices[i];
        put(out, i > 0 ? "," : "", R"({"index":)", i, R"(,"message":{"role":"assistant","content":)");
        if (c.calls.empty()) {
            put(out, quoted{c.text.text}, R"(,"refusal":null)");
        } else {
            out += R"(null,"refusal":null)";
            put_calls(out, c.calls);
        }
        put(out, R"(},"logprobs":)");
        put_logprobs(out, a, c.text, 0, c.text.tokens());
        put(out, R"(,"finish_reason":)", quoted{finish_reason(c)}, "}");
    }
    out += ']';
    if (!a.no_usage) {
        out += R"(,"usage":)";
        put_usage(out, a);
    }
    out += '}';
}

void write_chat_events(event_list& out, const answer& a) {
    for (std::size_t c = 0; c < a.choices.size(); ++c) {
        chunk(out, a, c, 1, "", [](std::string& b) { put(b, R"("role":"assistant","content":"","refusal":null)"); });
    }
    for (std::size_t c = 0; c < a.choices.size(); ++c) call_events(out, a, c);
    // Choices are spoken side by side, one token each per step.
    for (std::size_t k = 0; k < a.longest(); ++k) {
        for (std::size_t c = 0; c < a.choices.size(); ++c) {
            const token_text& t = a.choices[c].text;
            if (k >= t.tokens()) continue;
            std::string& b = out.buffer();
            open_chunk(b, a);
            put(b, R"(,"choices":[{"index":)", c, R"(,"delta":{"content":)", quoted{t.piece(k)}, "}");
            if (a.logprobs) {
                b += R"(,"logprobs":)";
                put_logprobs(b, a, t, k, k + 1);
            }
            b += R"(,"finish_reason":null}])";
            close_chunk(out, a, k + 1);
        }
    }
    for (std::size_t c = 0; c < a.choices.size(); ++c) {
        chunk(out, a, c, a.longest(), finish_reason(a.choices[c]), [](std::string&) {});
    }
    if (a.include_usage && !a.no_usage) {
        open_chunk(out.buffer(), a);
        out.buffer() += R"(,"choices":[],"usage":)";
        put_usage(out.buffer(), a);
        out.buffer() += "}\n\n";
        out.close(a.longest());
    }
    done(out, a);
}

void write_completion(std::string& out, const answer& a) {
    put(out, R"({"id":"cmpl-)", a.id, R"(","object":"text_completion","created":)", a.created, R"(,"model":)",
        quoted{a.model}, R"(,"choices":[)");
    for (std::size_t i = 0; i < a.choices.size(); ++i) {
        put(out, i > 0 ? "," : "", R"({"index":)", i, R"(,"text":)", quoted{a.choices[i].text.text},
            R"(,"logprobs":null,"finish_reason":)", quoted{finish_reason(a.choices[i])}, "}");
    }
    out += ']';
    if (!a.no_usage) {
        out += R"(,"usage":)";
        put_usage(out, a);
    }
    out += '}';
}

void write_completion_events(event_list& out, const answer& a) {
    const auto open = [&out, &a] {
        put(out.buffer(), R"(data: {"id":"cmpl-)", a.id, R"(","object":"text_completion","created":)", a.created,
            R"(,"model":)", quoted{a.model}, R"(,"choices":[)");
    };
    for (std::size_t k = 0; k < a.longest(); ++k) {
        for (std::size_t c = 0; c < a.choices.size(); ++c) {
            const token_text& t = a.choices[c].text;
            if (k >= t.tokens()) continue;
            open();
            put(out.buffer(), R"({"index":)", c, R"(,"text":)", quoted{t.piece(k)},
                R"(,"logprobs":null,"finish_reason":)");
            if (k + 1 == t.tokens()) {
                put(out.buffer(), quoted{finish_reason(a.choices[c])});
            } else {
                out.buffer() += "null";
            }
            out.buffer() += "}]}\n\n";
            out.close(k + 1);
        }
    }
    if (a.include_usage && !a.no_usage) {
        open();
        out.buffer() += R"(],"usage":)";
        put_usage(out.buffer(), a);
        out.buffer() += "}\n\n";
        out.close(a.longest());
    }
    done(out, a);
}

}  // namespace sluice::sim
