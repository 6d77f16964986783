#include "dialects/anthropic/answers.hpp"
#include "dialects/anthropic/errors.hpp"
#include "dialects/anthropic/streams.hpp"
#include "dialects/anthropic/terms.hpp"
#include "dialects/anthropic/usage.hpp"
#include "dialects/values.hpp"
#include "http/json_writer.hpp"
#include "http/sse_reader.hpp"

#include <deque>

namespace sluice::chat::anthropic {
namespace {

using step_kind = stream_step::kind;
using part_type = stream_step::part_type;

// What is held of parts that came while another was open.
constexpr std::size_t held_max = 8U << 20;
constexpr std::size_t open_parts_max = 1024;

// What a part_end says, kept for as long as the part waits.
struct part_ending {
    std::string secret;     // signature or encrypted reasoning, tagged
    bool hidden = false;    // it is the whole reasoning
    std::string citations;  // array
};

struct open_part {
    std::int32_t number = 0;
    part_type type = part_type::text;
    std::string id, name;  // JSON strings
    std::string held;      // inside of the string of all deltas so far
    std::string whole;     // a block that came in one piece
    bool begun = false;    // its content_block_start is written
    bool ended = false;
    part_ending ending;
};

std::string redacted_block(const std::string& data) {
    return "{\"type\":\"redacted_thinking\",\"data\":\"" + data + "\"}";
}

// Blocks of this format follow each other, parts of other formats may overlap (calls made side by side): the first part
// that is open is written, the others wait for its end.
class message_stream_writer final : public stream_writer {
public:
    explicit message_stream_writer(const client_call& call) : model_(call.model), request_id_(call.request_id) {}

    void write(const stream_step& s, std::string& out) override;

private:
    void start(const stream_step& s, std::string& out);
    void begin_part(const stream_step& s, std::string& out);
    void continue_part(const stream_step& s, std::string& out);
    void end_part(const stream_step& s, std::string& out);
    void take_whole(open_part& p, const part& whole);
    // Writes what may be written: the first part, and those behind it as long as the one before has ended.
    void advance(std::string& out);
    void begin_block(open_part& p, std::string& out);
    void delta(const open_part& p, json_chars text, std::string& out);
    void end_block(open_part& p, std::string& out);
    void close_all(std::string& out);
    void check_held(std::string& out);
    void end_message(std::string& out);
    void fail(std::string_view type, json message, std::string& out);
    open_part* find(std::int32_t number);

    const std::string model_, request_id_;
    bool started_ = false, over_ = false;
    bool finished_ = false, ended_message_ = false;
    bool calls_ = false;
    std::deque<open_part> parts_;  // the first one is being written
    std::size_t held_ = 0;
    std::int64_t index_ = 0;  // of the block that is open or comes next
    finish_reason why_ = finish_reason::none;
    std::string stop_sequence_;  // JSON
    token_usage usage_;
};

void message_stream_writer::write(const stream_step& s, std::string& out) {
    if (over_ || s.choice != 0) return;  // this format has one answer
    switch (s.what) {
        case step_kind::start:
            start(s, out);
            break;
        case step_kind::part_start:
            begin_part(s, out);
            break;
        case step_kind::delta:
            continue_part(s, out);
            break;
        case step_kind::part_end:
            end_part(s, out);
            break;
        case step_kind::finish:
            close_all(out);
            finished_ = true;
            why_ = s.why;
            stop_sequence_ = s.stop_sequence;
            break;
        case step_kind::usage:
            usage_ = s.usage;
            if (finished_) end_message(out);
            break;
        case step_kind::failure:
            fail(decode(s.name), s.text, out);
            break;
        case step_kind::ping:
            out += "event: ping\ndata: {\"type\":\"ping\"}\n\n";
            break;
        case step_kind::end:
            close_all(out);
            end_message(out);
            out += "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
            over_ = true;
            break;
    }
}

void message_stream_writer::start(const stream_step& s, std::string& out) {
    if (started_) return;
    started_ = true;
    usage_ = s.usage;
    text_arena arena;
    out += "event: message_start\ndata: ";
    http::json_writer w(out);
    w.begin_object().key("type").raw("\"message_start\"").key("message").begin_object();
    w.key("id").raw(s.id.empty() ? make_message_id(request_id_, arena) : s.id);
    w.key("type").raw("\"message\"").key("role").raw("\"assistant\"");
    w.key("model").raw(s.name.empty() ? quote(model_, arena) : s.name);
    w.key("content").raw("[]").key("stop_reason").null().key("stop_sequence").null();
    w.key("usage");
    write_usage(w, s.usage, {});
    w.end_object().end_object();
    out += "\n\n";
}

open_part* message_stream_writer::find(std::int32_t number) {
    for (open_part& p : parts_) {
        if (p.number == number && !p.ended) return &p;
    }
    return nullptr;
}

void message_stream_writer::begin_part(const stream_step& s, std::string& out) {
    start({}, out);
    open_part& p = parts_.emplace_back();
    p.number = s.part;
    p.type = s.type;
    p.name = s.name;
    p.id = s.id;
    if (s.type == part_type::tool_call || s.type == part_type::custom_call) {
        text_arena arena;
        if (p.id.empty()) p.id = make_call_id(request_id_, static_cast<std::size_t>(s.part), arena);
        if (p.name.empty()) p.name = "\"\"";
        calls_ = true;
    }
    if (s.type == part_type::whole && s.whole != nullptr) {
        take_whole(p, *s.whole);
        held_ += p.whole.size() + p.held.size();
    }
    advance(out);
    check_held(out);
}

void message_stream_writer::check_held(std::string& out) {
    if (held_ > held_max || parts_.size() > open_parts_max)
        fail("api_error", "\"The answer's parts overlap by more than can be held.\"", out);
}

// A text is streamed like any other; the rest is one block that starts as it is.
void message_stream_writer::take_whole(open_part& p, const part& whole) {
    if (const auto* text = std::get_if<text_part>(&whole.value)) {
        p.type = part_type::text;
        p.held = chars_of(text->text);
    } else if (const auto* call = std::get_if<tool_call>(&whole.value)) {
        text_arena arena;
        p.type = part_type::tool_call;
        p.id = call->id.empty() ? make_call_id(request_id_, static_cast<std::size_t>(p.number), arena) : call->id;
        p.name = call->name.empty() ? json{"\"\""} : call->name;
        p.held = chars_of(arguments_string(*call, arena));
        calls_ = true;
    } else {
        write_answer_block(whole, request_id_, static_cast<std::size_t>(p.number), p.whole);
    }
}

void message_stream_writer::continue_part(const stream_step& s, std::string& out) {
    open_part* p = find(s.part);
    if (p == nullptr) return;
    const json_chars text = chars_of(s.text);
    if (text.empty()) return;
    if (p == &parts_.front()) {
        begin_block(*p, out);
        delta(*p, text, out);
        return;
    }
    p->held.append(text);
    held_ += text.size();
    check_held(out);
}

void message_stream_writer::end_part(const stream_step& s, std::string& out) {
    open_part* p = find(s.part);
    if (p == nullptr) return;
    text_arena arena;
    p->ended = true;
    p->ending.hidden = s.signature.empty();
    if (p->type == part_type::tool_call || p->type == part_type::custom_call) {
        p->ending.secret = pack_call_secret(s.signature, s.from, arena);
    } else {
        const json_chars secret = s.signature.empty() ? s.encrypted : s.signature;
        p->ending.secret = pack_secret(secret, s.from, s.id.empty() ? json{p->id} : s.id, arena);
    }
    if (s.from == maker_name) p->ending.citations = s.citations;
    advance(out);
}

void message_stream_writer::advance(std::string& out) {
    while (!parts_.empty()) {
        open_part& p = parts_.front();
        // Reasoning begins with its first piece: what stays hidden to the end is another kind of block.
        if (p.type != part_type::reasoning || !p.held.empty()) begin_block(p, out);
        if (!p.held.empty()) {
            delta(p, p.held, out);
            held_ -= std::min(held_, p.held.size());
            p.held.clear();
        }
        if (!p.ended) return;
        end_block(p, out);
        parts_.pop_front();
    }
}

void message_stream_writer::begin_block(open_part& p, std::string& out) {
    if (p.begun) return;
    if (p.type == part_type::whole && p.whole.empty()) return;  // no block can say it
    p.begun = true;
    std::string event = "{\"type\":\"content_block_start\",\"index\":" + std::to_string(index_) + ",\"content_block\":";
    switch (p.type) {
        case part_type::whole:
            event += p.whole;
            held_ -= std::min(held_, p.whole.size());
            break;
        case part_type::reasoning:
            event += "{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}";
            break;
        case part_type::tool_call:
        case part_type::custom_call:
            event.append("{\"type\":\"tool_use\",\"id\":").append(p.id).append(",\"name\":").append(p.name);
            event += ",\"input\":{}}";
            break;
        case part_type::text:
        case part_type::refusal:
            event += "{\"type\":\"text\",\"text\":\"\"}";
            break;
    }
    event += '}';
    http::append_sse(out, "content_block_start", event);
}

void message_stream_writer::delta(const open_part& p, json_chars text, std::string& out) {
    std::string_view kind;
    switch (p.type) {
        case part_type::reasoning:
            kind = ",\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"";
            break;
        case part_type::tool_call:
        case part_type::custom_call:
            kind = ",\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"";
            break;
        case part_type::text:
        case part_type::refusal:
            kind = ",\"delta\":{\"type\":\"text_delta\",\"text\":\"";
            break;
        case part_type::whole:
            return;
    }
    out += "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":";
    out.append(std::to_string(index_)).append(kind).append(text).append("\"}}\n\n");
}

void message_stream_writer::end_block(open_part& p, std::string& out) {
    const std::string index = std::to_string(index_);
    const std::string delta_head = "{\"type\":\"content_block_delta\",\"index\":" + index + ",\"delta\":";
    if (p.type == part_type::reasoning) {
        if (!p.begun && p.ending.secret.empty()) return;  // nothing was said
        if (!p.begun && p.ending.hidden) {
            p.type = part_type::whole;
            p.whole = redacted_block(p.ending.secret);
        }
        begin_block(p, out);
        if (p.type == part_type::reasoning && !p.ending.secret.empty()) {
            http::append_sse(out, "content_block_delta",
                             delta_head + "{\"type\":\"signature_delta\",\"signature\":\"" + p.ending.secret + "\"}}");
        }
    }
    if (!p.begun) return;
    each_element(p.ending.citations, [&](const json_value& citation) {
        http::append_sse(out, "content_block_delta",
                         delta_head + "{\"type\":\"citations_delta\",\"citation\":" + std::string(citation.raw) + "}}");
    });
    out.append("event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":").append(index);
    out += "}\n\n";
    ++index_;
    if ((p.type != part_type::tool_call && p.type != part_type::custom_call) || p.ending.secret.empty()) return;
    open_part sealed;  // what another provider signed the call with
    sealed.type = part_type::whole;
    sealed.whole = redacted_block(p.ending.secret);
    begin_block(sealed, out);
    end_block(sealed, out);
}

void message_stream_writer::close_all(std::string& out) {
    for (open_part& p : parts_) p.ended = true;
    advance(out);
}

// Reason and usage are one event: it waits for both.
void message_stream_writer::end_message(std::string& out) {
    if (ended_message_) return;
    ended_message_ = true;
    start({}, out);
    out += "event: message_delta\ndata: ";
    http::json_writer w(out);
    w.begin_object().key("type").raw("\"message_delta\"").key("delta").begin_object();
    w.key("stop_reason").raw(stop_reason_of(why_, calls_));
    w.key("stop_sequence").raw(stop_sequence_.empty() ? "null" : stop_sequence_).end_object();
    w.key("usage");
    write_usage_delta(w, usage_);
    w.end_object();
    out += "\n\n";
}

void message_stream_writer::fail(std::string_view type, json message, std::string& out) {
    over_ = true;
    parts_.clear();
    error_facts facts;
    facts.type = type;
    facts.message = decode(message);
    std::string body;
    write_error_body(facts, body);
    http::append_sse(out, "error", body);
}

}  // namespace

std::unique_ptr<stream_writer> make_stream_writer(const client_call& call) {
    return std::make_unique<message_stream_writer>(call);
}

}  // namespace sluice::chat::anthropic
