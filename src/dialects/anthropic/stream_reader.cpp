#include "dialects/anthropic/answers.hpp"
#include "dialects/anthropic/base64.hpp"
#include "dialects/anthropic/events.hpp"
#include "dialects/anthropic/streams.hpp"
#include "dialects/anthropic/terms.hpp"
#include "dialects/anthropic/usage.hpp"
#include "dialects/values.hpp"

#include <algorithm>
#include <deque>

namespace sluice::chat::anthropic {
namespace {

using step_kind = stream_step::kind;
using part_type = stream_step::part_type;

// What is gathered of blocks until they are whole: signatures, inputs of server tools, citations.
constexpr std::size_t gathered_max = 8U << 20;
constexpr std::size_t open_blocks_max = 128;

struct open_block {
    std::int64_t index = 0;
    std::int32_t part = 0;
    part_type type = part_type::text;
    bool redacted = false;
    bool said = false;      // a piece of it came
    std::string secret;     // signature, or the whole of a redacted one: inside of a string
    std::string input;      // of a call: the object that its start brought; of a native block: what came in pieces
    std::string native;     // of a native block: the object of its start
    std::string content;    // of a compaction: inside of a string
    std::string encrypted;  // the same
    std::string citations;  // objects with commas between
};

class message_stream_reader final : public stream_reader {
public:
    explicit message_stream_reader(event_wrapping wrapping) : wrapping_(wrapping) {}

    result<void> read(std::string_view name, std::string_view data, std::vector<stream_step>& out) override;
    result<void> finish(std::vector<stream_step>& out) override;

private:
    // False: `data` was no event but a failure of the cloud around it, and is dealt with.
    result<bool> unwrap(std::string_view name, std::string_view& data, std::vector<stream_step>& out);
    result<void> dispatch(const event_members& e, std::vector<stream_step>& out);
    void start_message(json message, std::vector<stream_step>& out);
    void start_if_missing(std::vector<stream_step>& out);
    result<void> start_block(const event_members& e, std::vector<stream_step>& out);
    result<void> continue_block(const event_members& e, std::vector<stream_step>& out);
    result<void> gather(std::string& into, std::string_view more);
    void stop_block(const event_members& e, std::vector<stream_step>& out);
    void close(open_block& b, std::vector<stream_step>& out);
    void close_all(std::vector<stream_step>& out);
    void end_native(open_block& b, std::vector<stream_step>& out);
    result<void> delta_message(const event_members& e, std::vector<stream_step>& out);
    void fail(json error, std::vector<stream_step>& out);
    open_block* find(json index);
    open_block& open(json index, part_type type);
    static stream_step step(step_kind what, const open_block& b);
    static void say(const open_block& b, json text, std::vector<stream_step>& out);

    const event_wrapping wrapping_;
    bool started_ = false, finished_ = false, ended_ = false, failed_ = false;
    std::int32_t parts_ = 0;
    std::size_t gathered_ = 0;
    std::vector<open_block> open_;  // rarely more than one
    usage_counts counts_;
    std::string tier_;
    // What the steps of the last call look at.
    std::string unwrapped_;
    text_arena arena_;
    bool arena_used_ = false;
    std::deque<part> wholes_;
};

error protocol_error(std::string_view what, std::string_view data) {
    return error{error_kind::upstream_protocol, "The upstream's stream " + std::string(what) + ": " + excerpt(data)};
}

result<void> message_stream_reader::read(std::string_view name, std::string_view data, std::vector<stream_step>& out) {
    if (ended_ || failed_) return {};
    if (arena_used_) {
        arena_ = {};
        wholes_.clear();
        arena_used_ = false;
    }
    if (!validate_json(data)) return protocol_error("holds an event that is not JSON", data);
    if (wrapping_ == event_wrapping::bedrock_bytes) {
        const auto goes_on = unwrap(name, data, out);
        if (!goes_on) return goes_on.error();
        if (!*goes_on) return {};
    }
    const event_members e = members_of(data);
    if (!is_string(e.type) && e.error.empty()) return protocol_error("holds an event without a type", data);
    const auto done = dispatch(e, out);
    if (!done) return protocol_error(done.error().message, data);
    return {};
}

result<bool> message_stream_reader::unwrap(std::string_view name, std::string_view& data,
                                           std::vector<stream_step>& out) {
    const json bytes = member(data, "bytes");
    if (is_string(bytes)) {
        unwrapped_.clear();
        if (!decode_base64(chars_of(bytes), unwrapped_) || !validate_json(unwrapped_))
            return protocol_error("holds bytes that are no event", data);
        data = unwrapped_;
        return true;
    }
    const json message = string_member(data, "message");
    if (message.empty()) return protocol_error("holds an event without bytes", data);
    stream_step failure;
    failure.what = step_kind::failure;
    failure.text = message;
    failure.name = quote(name, arena_);
    arena_used_ = failed_ = true;
    out.push_back(failure);
    return false;
}

result<void> message_stream_reader::dispatch(const event_members& e, std::vector<stream_step>& out) {
    if (says(e.type, "content_block_delta")) return continue_block(e, out);
    if (!is_string(e.type)) {  // the error of a server that is not Anthropic's own
        fail(e.error, out);
        return {};
    }
    if (says(e.type, "content_block_start")) return start_block(e, out);
    if (says(e.type, "message_delta")) return delta_message(e, out);
    if (says(e.type, "content_block_stop")) {
        stop_block(e, out);
    } else if (says(e.type, "message_start")) {
        start_message(e.message, out);
    } else if (says(e.type, "message_stop")) {
        close_all(out);
        ended_ = true;
        out.emplace_back().what = step_kind::end;
    } else if (says(e.type, "ping")) {
        out.emplace_back().what = step_kind::ping;
    } else if (says(e.type, "error")) {
        fail(e.error, out);
    }
    return {};  // other types are of versions to come, and may be ignored
}

void message_stream_reader::start_message(json message, std::vector<stream_step>& out) {
    if (started_) {
        ++repairs_;
        return;
    }
    started_ = true;
    counts_.merge(member(message, "usage"));
    counts_.service_tier = {};  // a view of this event
    stream_step& s = out.emplace_back();
    s.what = step_kind::start;
    s.id = string_member(message, "id");
    s.name = string_member(message, "model");
    s.usage = counts_.total();
}

void message_stream_reader::start_if_missing(std::vector<stream_step>& out) {
    if (started_) return;
    ++repairs_;
    start_message({}, out);
}

open_block* message_stream_reader::find(json index) {
    const auto n = json_value{type_of(index), index}.integer();
    if (!n) return nullptr;
    const auto found = std::find_if(open_.begin(), open_.end(), [&](const open_block& b) { return b.index == *n; });
    return found == open_.end() ? nullptr : &*found;
}

open_block& message_stream_reader::open(json index, part_type type) {
    open_block& b = open_.emplace_back();
    b.index = json_value{type_of(index), index}.integer().value_or(parts_);
    b.part = parts_++;
    b.type = type;
    return b;
}

stream_step message_stream_reader::step(step_kind what, const open_block& b) {
    stream_step s;
    s.what = what;
    s.part = b.part;
    s.type = b.type;
    return s;
}

void message_stream_reader::say(const open_block& b, json text, std::vector<stream_step>& out) {
    if (!is_string(text) || is_empty_string(text)) return;
    stream_step s = step(step_kind::delta, b);
    s.text = text;
    out.push_back(s);
}

result<void> message_stream_reader::gather(std::string& into, std::string_view more) {
    gathered_ += more.size();
    if (gathered_ > gathered_max) return error{error_kind::upstream_protocol, "gathers more than 8 MiB"};
    into.append(more);
    return {};
}

result<void> message_stream_reader::start_block(const event_members& e, std::vector<stream_step>& out) {
    start_if_missing(out);
    if (finished_) return error{error_kind::upstream_protocol, "goes on behind its end"};
    if (open_block* same = find(e.index)) {
        ++repairs_;
        close(*same, out);
    }
    const json type = string_member(e.block, "type");
    if (type.empty()) return error{error_kind::upstream_protocol, "holds a block without a type"};
    if (parts_ == 65'536 || open_.size() == open_blocks_max)
        return error{error_kind::upstream_protocol, "holds too many blocks"};
    if (says(type, "text")) {
        const open_block& b = open(e.index, part_type::text);
        out.push_back(step(step_kind::part_start, b));
        say(b, member(e.block, "text"), out);
        return {};
    }
    if (says(type, "thinking") || says(type, "redacted_thinking")) {
        open_block& b = open(e.index, part_type::reasoning);
        b.redacted = says(type, "redacted_thinking");
        out.push_back(step(step_kind::part_start, b));
        say(b, member(e.block, "thinking"), out);
        return gather(b.secret, chars_of(member(e.block, b.redacted ? "data" : "signature")));
    }
    if (says(type, "tool_use")) {
        open_block& b = open(e.index, part_type::tool_call);
        stream_step s = step(step_kind::part_start, b);
        s.id = string_member(e.block, "id");
        s.name = string_member(e.block, "name");
        out.push_back(s);
        const json input = member(e.block, "input");
        return gather(b.input, type_of(input) == json_type::object ? input : json{"{}"});
    }
    open_block& b = open(e.index, part_type::whole);
    return gather(b.native, e.block);
}

result<void> message_stream_reader::continue_block(const event_members& e, std::vector<stream_step>& out) {
    open_block* b = find(e.index);
    json type, value, citation, encrypted;
    each_member(e.delta, [&](std::string_view key, const json_value& v) {
        if (key == "type") {
            type = v.raw;
        } else if (key == "citation") {
            citation = v.raw;
        } else if (key == "encrypted_content") {
            encrypted = v.raw;
        } else if (v.type == json_type::string && value.empty()) {
            value = v.raw;  // "text", "thinking", "partial_json", "signature", "content"
        }
    });
    if (b == nullptr) {
        const bool thinking = says(type, "thinking_delta");
        if (!thinking && !says(type, "text_delta")) return error{error_kind::upstream_protocol, "continues no block"};
        start_if_missing(out);
        if (finished_) return error{error_kind::upstream_protocol, "goes on behind its end"};
        ++repairs_;
        b = &open(e.index, thinking ? part_type::reasoning : part_type::text);
        out.push_back(step(step_kind::part_start, *b));
    }
    if (says(type, "text_delta") || says(type, "thinking_delta")) {
        if (b->type == part_type::text || b->type == part_type::reasoning) say(*b, value, out);
    } else if (says(type, "input_json_delta")) {
        if (b->type == part_type::whole) return gather(b->input, decode(value));
        if (b->type != part_type::tool_call || value.empty() || is_empty_string(value)) return {};
        b->said = true;
        say(*b, value, out);
    } else if (says(type, "signature_delta")) {
        return gather(b->secret, chars_of(value));
    } else if (says(type, "citations_delta") && b->type == part_type::text) {
        const auto separated = gather(b->citations, b->citations.empty() ? "" : ",");
        return separated ? gather(b->citations, citation) : separated;
    } else if (says(type, "compaction_delta") && b->type == part_type::whole) {
        const auto gathered = gather(b->content, chars_of(value));
        return gathered ? gather(b->encrypted, chars_of(encrypted)) : gathered;
    }
    return {};
}

void message_stream_reader::stop_block(const event_members& e, std::vector<stream_step>& out) {
    open_block* b = find(e.index);
    if (b == nullptr) {
        ++repairs_;
        return;
    }
    close(*b, out);
}

// Ends the part and forgets the block.
void message_stream_reader::close(open_block& b, std::vector<stream_step>& out) {
    if (b.type == part_type::whole) {
        end_native(b, out);
    } else {
        if (b.type == part_type::tool_call && !b.said) {
            say(b, quote(b.input, arena_), out);  // all at once, or a call without arguments
            arena_used_ = true;
        }
        stream_step s = step(step_kind::part_end, b);
        if (!b.secret.empty()) {
            (b.redacted ? s.encrypted : s.signature) = arena_.keep(std::move(b.secret));
            s.from = maker_name;
            arena_used_ = true;
        }
        if (!b.citations.empty()) {
            s.citations = arena_.keep("[" + b.citations + "]");
            s.from = maker_name;
            arena_used_ = true;
        }
        out.push_back(s);
    }
    open_.erase(open_.begin() + (&b - open_.data()));
}

void message_stream_reader::close_all(std::vector<stream_step>& out) {
    while (!open_.empty()) {
        ++repairs_;
        close(open_.front(), out);
    }
}

// A block that only this dialect has, with what came in pieces woven in.
void message_stream_reader::end_native(open_block& b, std::vector<stream_step>& out) {
    arena_used_ = true;
    std::string whole = std::move(b.native);
    if (!b.input.empty() && validate_json(b.input)) whole = with_member(whole, "input", b.input);
    if (!b.content.empty()) whole = with_member(whole, "content", enclose(b.content, arena_));
    if (!b.encrypted.empty()) whole = with_member(whole, "encrypted_content", enclose(b.encrypted, arena_));
    const json value = arena_.keep(std::move(whole));
    part& p = wholes_.emplace_back();
    p.value = native_part{value, dialect_name, decode(member(value, "type"), arena_)};
    stream_step s = step(step_kind::part_start, b);
    s.whole = &p;
    out.push_back(s);
    out.push_back(step(step_kind::part_end, b));
}

result<void> message_stream_reader::delta_message(const event_members& e, std::vector<stream_step>& out) {
    start_if_missing(out);
    const finish_reason why = finish_of(member(e.delta, "stop_reason"));
    if (why != finish_reason::none) {
        close_all(out);
        if (finished_) {
            ++repairs_;
        } else {
            stream_step& s = out.emplace_back();
            s.what = step_kind::finish;
            s.why = why;
            s.stop_sequence = string_member(e.delta, "stop_sequence");
            finished_ = true;
        }
    }
    if (type_of(e.usage) != json_type::object) return {};
    counts_.merge(e.usage);
    counts_.service_tier = {};
    stream_step& s = out.emplace_back();
    s.what = step_kind::usage;
    s.usage = counts_.total();
    return {};
}

void message_stream_reader::fail(json error, std::vector<stream_step>& out) {
    failed_ = true;
    stream_step& s = out.emplace_back();
    s.what = step_kind::failure;
    s.text = string_member(error, "message");
    s.name = string_member(error, "type");
}

result<void> message_stream_reader::finish(std::vector<stream_step>&) {
    if (ended_ || failed_) return {};
    return error{error_kind::upstream_reset, "The upstream's stream broke off before its end."};
}

}  // namespace

std::unique_ptr<stream_reader> make_stream_reader(event_wrapping wrapping) {
    return std::make_unique<message_stream_reader>(wrapping);
}

}  // namespace sluice::chat::anthropic
