#include "dialects/openai/choice_parts.hpp"

#include "dialects/openai/part_reader.hpp"

#include <algorithm>

namespace sluice::chat::openai {
namespace {

constexpr std::size_t calls_max = 1024;
constexpr std::size_t signature_bytes_max = std::size_t{1} << 20;
constexpr std::size_t citation_bytes_max = std::size_t{1} << 20;

using kind = stream_step::kind;
using part_type = stream_step::part_type;

bool begins_object(json string) {
    const std::string_view chars = chars_of(string);
    const auto first = chars.find_first_not_of(" \t");
    return first != std::string_view::npos && chars[first] == '{';
}

}  // namespace

void step_scratch::clear() {
    texts_.reset();
    parts_.clear();
}

// What an entry of `tool_calls` says. Empty strings are what some servers write for nothing.
struct choice_parts::piece {
    std::int64_t index = -1;
    json id, name, signature;
    json text;  // string: of the arguments or of the input
    bool custom = false;
};

choice_parts::piece choice_parts::look_at(json entry, step_scratch& scratch) {
    piece p;
    const auto text_in = [](const json_value& v) {
        return v.type == json_type::string && !is_empty_string(v.raw) ? v.raw : json{};
    };
    each_member(entry, [&](std::string_view key, const json_value& v) {
        if (key == "index") p.index = v.integer().value_or(-1);
        if (key == "id") p.id = text_in(v);
        if (key == "extra_content") p.signature = thought_signature_in(v.raw);
        if ((key != "function" && key != "custom") || v.type != json_type::object) return;
        p.custom = key == "custom";
        each_member(v.raw, [&](std::string_view k, const json_value& f) {
            if (k == "name") p.name = text_in(f);
            if (k != "arguments" && k != "input") return;
            p.text = f.type == json_type::object ? quote(f.raw, scratch.texts()) : text_in(f);
        });
    });
    return p;
}

bool choice_parts::mid_call() const {
    return std::any_of(calls_.begin(), calls_.end(),
                       [](const call_state& c) { return c.open && !c.custom && c.progress.began() && !c.whole(); });
}

stream_step& choice_parts::step(kind what, std::int32_t part, stream_steps& out) const {
    stream_step& s = out.emplace_back();
    s.what = what;
    s.choice = static_cast<std::int32_t>(index_);
    s.part = part;
    return s;
}

void choice_parts::flow(part_type type, json text, json logprobs, step_scratch& scratch, stream_steps& out) {
    if (!is_string(text) || is_empty_string(text)) return;
    const bool signed_off = type == part_type::reasoning && !signature_.empty();  // what follows is another thought
    if (!flowing_ || flow_ != type || signed_off) {
        end_flow(scratch, out);
        end_whole_calls(out);
        flowing_ = true;
        flow_ = type;
        step(kind::part_start, parts_++, out).type = type;
    }
    stream_step& s = step(kind::delta, parts_ - 1, out);
    s.type = type;
    s.text = text;
    s.logprobs = logprobs;
}

void choice_parts::reasoning(json text, step_scratch& scratch, stream_steps& out) {
    if (!is_string(text) || is_empty_string(text)) return;
    thought_ = true;
    flow(part_type::reasoning, text, {}, scratch, out);
}

void choice_parts::thinking_block(json block, step_scratch& scratch, stream_steps& out) {
    json type, text, signature, data;
    each_member(block, [&](std::string_view key, const json_value& v) {
        if (v.type != json_type::string) return;
        if (key == "type") type = v.raw;
        if (key == "thinking") text = v.raw;
        if (key == "signature") signature = v.raw;
        if (key == "data") data = v.raw;
    });
    if (says(type, "redacted_thinking") && !data.empty()) {
        end_flow(scratch, out);
        end_whole_calls(out);
        step(kind::part_start, parts_++, out).type = part_type::reasoning;
        const auto [secret, from] = untag(chars_of(data), "anthropic");
        stream_step& s = step(kind::part_end, parts_ - 1, out);
        s.type = part_type::reasoning;
        s.encrypted = secret;
        s.from = from;
        return;
    }
    if (!thought_) flow(part_type::reasoning, text, {}, scratch, out);
    if (!flowing_ || flow_ != part_type::reasoning) return;
    if (!chars_of(signature).empty() && signature.size() <= signature_bytes_max) signature_ = chars_of(signature);
}

void choice_parts::end_flow(step_scratch& scratch, stream_steps& out) {
    if (!flowing_) return;
    flowing_ = false;
    stream_step& s = step(kind::part_end, parts_ - 1, out);
    s.type = flow_;
    s.from = "openai";
    if (flow_ == part_type::reasoning && !signature_.empty()) {
        const auto [secret, from] = untag(scratch.texts().keep(std::move(signature_)), "anthropic");
        s.signature = secret;
        s.from = from;
        signature_.clear();
    }
    if (flow_ != part_type::text || citations_.empty()) return;
    s.citations = scratch.texts().keep("[" + citations_ + "]");
    citations_.clear();
}

void choice_parts::annotations(json list) {
    each_element(list, [&](const json_value& v) {
        if (v.type != json_type::object || citations_.size() + v.raw.size() > citation_bytes_max) return;
        if (!citations_.empty()) citations_ += ',';
        citations_ += v.raw;
    });
}

void choice_parts::images(json list, step_scratch& scratch, stream_steps& out) {
    std::vector<part> read;
    read_images(list, scratch.texts(), read);
    for (part& image : read) {
        end_flow(scratch, out);
        end_whole_calls(out);
        stream_step& s = step(kind::part_start, parts_++, out);
        s.type = part_type::whole;
        s.whole = &scratch.keep(std::move(image));
        step(kind::part_end, parts_ - 1, out).type = part_type::whole;
    }
}

// The call that a piece continues. Its id tells, where it has one; its number does not suffice, as some servers number
// all calls 0.
choice_parts::call_state* choice_parts::call_of(const piece& p) {
    const auto latest = [&](auto fits) -> call_state* {
        const auto at = std::find_if(calls_.rbegin(), calls_.rend(), fits);
        return at == calls_.rend() ? nullptr : &*at;
    };
    const auto numbered = [&](const call_state& c) { return p.index < 0 || c.index == p.index; };
    if (!p.id.empty()) {
        if (call_state* const same = latest([&](const call_state& c) { return numbered(c) && c.id == p.id; }))
            return same;
        return latest([&](const call_state& c) { return numbered(c) && c.id.empty() && !c.whole(); });
    }
    call_state* const call = latest(numbered);
    // Without an id, a name with an object behind a whole one is another call.
    const bool another = call != nullptr && call->whole() && !p.name.empty() && begins_object(p.text);
    return another ? nullptr : call;
}

choice_parts::call_state& choice_parts::begin_call(const piece& p, json answer, step_scratch& scratch,
                                                   stream_steps& out) {
    end_flow(scratch, out);
    end_whole_calls(out);
    const auto count = static_cast<std::int64_t>(calls_.size());
    if (std::any_of(calls_.begin(), calls_.end(), [&](const call_state& c) { return c.index == p.index; })) ++repairs_;
    call_state& call = calls_.emplace_back();
    call.index = p.index < 0 ? count : p.index;
    call.part = parts_++;
    call.custom = p.custom;
    call.id = p.id;
    stream_step& s = step(kind::part_start, call.part, out);
    s.type = p.custom ? part_type::custom_call : part_type::tool_call;
    s.id = p.id.empty() ? make_call_id(answer, index_, count, scratch.texts()) : p.id;
    s.name = p.name;
    return call;
}

bool choice_parts::call_piece(json entry, json answer, step_scratch& scratch, stream_steps& out) {
    const piece p = look_at(entry, scratch);
    call_state* call = call_of(p);
    if (call == nullptr) {
        if (p.name.empty() || calls_.size() == calls_max) return false;
        call = &begin_call(p, answer, scratch, out);
    }
    if (!p.signature.empty()) call->signature = chars_of(p.signature);
    if (p.text.empty()) return true;
    if (!call->open) {
        ++repairs_;  // its arguments were whole: what follows says nothing
        return true;
    }
    call->progress.feed(chars_of(p.text));
    stream_step& s = step(kind::delta, call->part, out);
    s.type = call->custom ? part_type::custom_call : part_type::tool_call;
    s.text = p.text;
    if (call->part != parts_ - 1 && call->whole()) end_call(*call, out);
    return true;
}

void choice_parts::end_call(call_state& call, stream_steps& out) {
    call.open = false;
    stream_step& s = step(kind::part_end, call.part, out);
    s.type = call.custom ? part_type::custom_call : part_type::tool_call;
    if (call.signature.empty()) return;
    s.signature = call.signature;
    s.from = "gemini";
}

void choice_parts::end_whole_calls(stream_steps& out) {
    for (call_state& call : calls_) {
        if (call.open && call.whole()) end_call(call, out);
    }
}

void choice_parts::end(finish_reason why, step_scratch& scratch, stream_steps& out) {
    end_flow(scratch, out);
    for (call_state& call : calls_) {
        if (call.open) end_call(call, out);
    }
    finished_ = true;
    // Some say "stop" although they call tools: agents look at this field to know.
    if (!calls_.empty() && (why == finish_reason::stop || why == finish_reason::none)) {
        why = finish_reason::tool_calls;
        ++repairs_;
    }
    step(kind::finish, 0, out).why = why;
}

}  // namespace sluice::chat::openai
