// The Responses API: items, and events with a type and a sequence number.

#include "sim/json_out.hpp"
#include "sim/wire.hpp"

namespace sluice::sim {
namespace {

// What the writers share about the one choice that this API knows.
struct view {
    const answer& a;
    const spoken_choice& c;
    bool calls() const { return !c.calls.empty(); }
};

void put_part(std::string& out, std::string_view text) {
    put(out, R"({"type":"output_text","text":)", quoted{text}, R"(,"annotations":[],"logprobs":[]})");
}

void put_message(std::string& out, const view& v, bool complete) {
    put(out, R"({"type":"message","id":"msg_)", v.a.id, R"(","status":")", complete ? "completed" : "in_progress",
        R"(","role":"assistant","content":[)");
    if (complete) put_part(out, v.c.text.text);
    out += "]}";
}

void put_call(std::string& out, const tool_call& call, bool complete) {
    put(out, R"({"type":"function_call","id":"fc_)", call.id, R"(","call_id":)", quoted{call.id}, R"(,"name":)",
        quoted{call.name}, R"(,"arguments":)", quoted{complete ? std::string_view(call.arguments.text) : ""},
        R"(,"status":")", complete ? "completed" : "in_progress", R"("})");
}

void put_output(std::string& out, const view& v) {
    if (!v.calls()) return put_message(out, v, true);
    for (std::size_t i = 0; i < v.c.calls.size(); ++i) {
        if (i > 0) out += ',';
        put_call(out, v.c.calls[i], true);
    }
}

void put_usage(std::string& out, const answer& a) {
    const std::size_t said = a.completion_tokens();
    put(out, R"({"input_tokens":)", a.prompt_tokens, R"(,"input_tokens_details":{"cached_tokens":)", a.cached_tokens,
        R"(},"output_tokens":)", said, R"(,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":)",
        a.prompt_tokens + said, "}");
}

void put_object(std::string& out, const view& v, bool complete) {
    const std::string_view status = !complete ? "in_progress" : v.c.cut ? "incomplete" : "completed";
    put(out, R"({"id":"resp_)", v.a.id, R"(","object":"response","created_at":)", v.a.created, R"(,"status":)",
        quoted{status}, R"(,"error":null,"incomplete_details":)",
        complete && v.c.cut ? R"({"reason":"max_output_tokens"})" : "null", R"(,"model":)", quoted{v.a.model},
        R"(,"instructions":null,"metadata":{},"parallel_tool_calls":true,"temperature":1.0,"top_p":1.0,)",
        R"("tool_choice":"auto","tools":[],"previous_response_id":null,"store":false,"output":[)");
    if (complete) put_output(out, v);
    out += R"(],"usage":)";
    if (complete && !v.a.no_usage) {
        put_usage(out, v.a);
    } else {
        out += "null";
    }
    out += '}';
}

// Writes "event: NAME\ndata: {type, sequence_number, <body>}".
class event_writer {
public:
    explicit event_writer(event_list& out) : out_(out) {}

    template <class... Parts>
    void operator()(std::string_view type, std::size_t after_tokens, const Parts&... parts) {
        open(type);
        put(out_.buffer(), parts...);
        close(after_tokens);
    }
    void open(std::string_view type) {
        put(out_.buffer(), "event: ", type, "\ndata: {\"type\":", quoted{type}, R"(,"sequence_number":)", sequence_++);
    }
    void close(std::size_t after_tokens) {
        out_.buffer() += "}\n\n";
        out_.close(after_tokens);
    }
    void with_object(std::string_view type, std::size_t after_tokens, const view& v, bool complete) {
        open(type);
        out_.buffer() += R"(,"response":)";
        put_object(out_.buffer(), v, complete);
        close(after_tokens);
    }
    std::string& buffer() { return out_.buffer(); }

private:
    event_list& out_;
    std::size_t sequence_ = 0;
};

void text_events(event_writer& event, const view& v) {
    const std::size_t all = v.c.text.tokens();
    const std::string where = R"(,"item_id":"msg_)" + v.a.id + R"(","output_index":0,"content_index":0)";
    event.open("response.output_item.added");
    event.buffer() += R"(,"output_index":0,"item":)";
    put_message(event.buffer(), v, false);
    event.close(1);
    event("response.content_part.added", 1, where,
          R"(,"part":{"type":"output_text","text":"","annotations":[],"logprobs":[]})");
    for (std::size_t k = 0; k < all; ++k) {
        event("response.output_text.delta", k + 1, where, R"(,"delta":)", quoted{v.c.text.piece(k)},
              R"(,"logprobs":[])");
    }
    event("response.output_text.done", all, where, R"(,"text":)", quoted{v.c.text.text}, R"(,"logprobs":[])");
    event.open("response.content_part.done");
    put(event.buffer(), where, R"(,"part":)");
    put_part(event.buffer(), v.c.text.text);
    event.close(all);
    event.open("response.output_item.done");
    event.buffer() += R"(,"output_index":0,"item":)";
    put_message(event.buffer(), v, true);
    event.close(all);
}

void call_events(event_writer& event, const view& v) {
    std::size_t after = 0;
    for (std::size_t i = 0; i < v.c.calls.size(); ++i) {
        const tool_call& call = v.c.calls[i];
        event.open("response.output_item.added");
        put(event.buffer(), R"(,"output_index":)", i, R"(,"item":)");
        put_call(event.buffer(), call, false);
        event.close(after + 1);
        for (std::size_t k = 0; k < call.arguments.tokens(); ++k) {
            event("response.function_call_arguments.delta", ++after, R"(,"item_id":"fc_)", call.id,
                  R"(","output_index":)", i, R"(,"delta":)", quoted{call.arguments.piece(k)});
        }
        event("response.function_call_arguments.done", after, R"(,"item_id":"fc_)", call.id, R"(","output_index":)", i,
              R"(,"name":)", quoted{call.name}, R"(,"arguments":)", quoted{call.arguments.text});
        event.open("response.output_item.done");
        put(event.buffer(), R"(,"output_index":)", i, R"(,"item":)");
        put_call(event.buffer(), call, true);
        event.close(after);
    }
}

}  // namespace

void write_response(std::string& out, const answer& a) {
    put_object(out, view{a, a.choices.front()}, true);
}

void write_response_events(event_list& out, const answer& a) {
    const view v{a, a.choices.front()};
    event_writer event(out);
    event.with_object("response.created", 0, v, false);
    event.with_object("response.in_progress", 0, v, false);
    if (v.calls()) {
        call_events(event, v);
    } else {
        text_events(event, v);
    }
    event.with_object(v.c.cut ? "response.incomplete" : "response.completed", a.longest(), v, true);
}

}  // namespace sluice::sim
