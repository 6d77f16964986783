// Anthropic's Messages.

#include "sim/json_out.hpp"
#include "sim/wire.hpp"

namespace sluice::sim {
namespace {

std::string_view stop_reason(const spoken_choice& c) {
    if (!c.calls.empty()) return "tool_use";
    if (c.cut) return "max_tokens";
    return c.stopped_by.empty() ? "end_turn" : "stop_sequence";
}

void put_stop(std::string& out, const spoken_choice& c) {
    put(out, R"("stop_reason":)", quoted{stop_reason(c)}, R"(,"stop_sequence":)");
    if (c.stopped_by.empty()) {
        out += "null";
    } else {
        put(out, quoted{c.stopped_by});
    }
}

// Anthropic counts cached and uncached input apart.
void put_usage(std::string& out, const answer& a, std::size_t said) {
    put(out, R"({"input_tokens":)", a.prompt_tokens - a.cached_tokens,
        R"(,"cache_creation_input_tokens":0,"cache_read_input_tokens":)", a.cached_tokens, R"(,"output_tokens":)", said,
        "}");
}

template <class... Parts>
void event(event_list& out, std::string_view type, std::size_t after_tokens, const Parts&... parts) {
    put(out.buffer(), "event: ", type, "\ndata: {\"type\":", quoted{type}, parts..., "}\n\n");
    out.close(after_tokens);
}

void start_event(event_list& out, const answer& a) {
    std::string message;
    put(message, R"(,"message":{"id":"msg_)", a.id, R"(","type":"message","role":"assistant","model":)",
        quoted{a.model}, R"(,"content":[],"stop_reason":null,"stop_sequence":null)");
    if (!a.no_usage) {
        message += R"(,"usage":)";
        put_usage(message, a, 1);
    }
    message += '}';
    event(out, "message_start", 1, message);
}

void call_events(event_list& out, const spoken_choice& c) {
    std::size_t after = 0;
    for (std::size_t i = 0; i < c.calls.size(); ++i) {
        event(out, "content_block_start", after + 1, R"(,"index":)", i, R"(,"content_block":{"type":"tool_use","id":)",
              quoted{c.calls[i].id}, R"(,"name":)", quoted{c.calls[i].name}, R"(,"input":{}})");
        for (std::size_t k = 0; k < c.calls[i].arguments.tokens(); ++k) {
            event(out, "content_block_delta", ++after, R"(,"index":)", i,
                  R"(,"delta":{"type":"input_json_delta","partial_json":)", quoted{c.calls[i].arguments.piece(k)}, "}");
        }
        event(out, "content_block_stop", after, R"(,"index":)", i);
    }
}

void text_events(event_list& out, const spoken_choice& c) {
    event(out, "content_block_start", 1, R"(,"index":0,"content_block":{"type":"text","text":""})");
    event(out, "ping", 1);
    for (std::size_t k = 0; k < c.text.tokens(); ++k) {
        event(out, "content_block_delta", k + 1, R"(,"index":0,"delta":{"type":"text_delta","text":)",
              quoted{c.text.piece(k)}, "}");
    }
    event(out, "content_block_stop", c.text.tokens(), R"(,"index":0)");
}

}  // namespace

void write_message(std::string& out, const answer& a) {
    const spoken_choice& c = a.choices.front();
    put(out, R"({"id":"msg_)", a.id, R"(","type":"message","role":"assistant","model":)", quoted{a.model},
        R"(,"content":[)");
    if (c.calls.empty()) put(out, R"({"type":"text","text":)", quoted{c.text.text}, "}");
    for (std::size_t i = 0; i < c.calls.size(); ++i) {
        put(out, i > 0 ? "," : "", R"({"type":"tool_use","id":)", quoted{c.calls[i].id}, R"(,"name":)",
            quoted{c.calls[i].name}, R"(,"input":)", c.calls[i].arguments.text, "}");
    }
    out += "],";
    put_stop(out, c);
    if (!a.no_usage) {
        out += R"(,"usage":)";
        put_usage(out, a, a.completion_tokens());
    }
    out += '}';
}

void write_message_events(event_list& out, const answer& a) {
    const spoken_choice& c = a.choices.front();
    start_event(out, a);
    if (c.calls.empty()) {
        text_events(out, c);
    } else {
        call_events(out, c);
    }
    std::string end = R"(,"delta":{)";
    put_stop(end, c);
    end += '}';
    if (!a.no_usage) put(end, R"(,"usage":{"output_tokens":)", a.completion_tokens(), "}");
    event(out, "message_delta", a.longest(), end);
    event(out, "message_stop", a.longest());
}

}  // namespace sluice::sim
