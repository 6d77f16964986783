#include "dialects/responses/stream_parts.hpp"

#include <algorithm>

namespace sluice::chat::responses {
namespace {

// FNV-1a, 64 bit.
std::uint64_t hash_on(std::uint64_t hash, std::string_view bytes) {
    for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return hash;
}

}  // namespace

void told_text::add(json piece) {
    const std::string_view chars = chars_of(piece);
    if (chars.find('\\') == std::string_view::npos) {
        hash_ = hash_on(hash_, chars);
        bytes_ += chars.size();
        return;
    }
    // The same text may be escaped in another way when it comes again.
    const std::string text = decode(piece);
    hash_ = hash_on(hash_, text);
    bytes_ += text.size();
}

told_text::verdict told_text::compare(json whole, std::string& rest) const {
    const std::string text = decode(whole);
    if (text.size() < bytes_) return verdict::other;
    const std::string_view all = text;
    if (hash_on(told_text{}.hash_, all.substr(0, bytes_)) != hash_) return verdict::other;
    if (text.size() == bytes_) return verdict::same;
    rest = all.substr(bytes_);
    return verdict::more;
}

namespace {

bool is_call(stream_step::part_type t) {
    return t == stream_step::part_type::tool_call || t == stream_step::part_type::custom_call;
}

}  // namespace

stream_step& part_steps::step(kind what) {
    if (!started_ && what != kind::start && what != kind::ping && what != kind::failure)
        out_->emplace_back().what = kind::start;
    started_ |= what != kind::ping && what != kind::failure;
    stream_step& s = out_->emplace_back();
    s.what = what;
    return s;
}

bool part_steps::any_call() const {
    return std::any_of(parts_.begin(), parts_.end(), [](const streamed_part& p) { return is_call(p.type); });
}

streamed_part* part_steps::find(std::int64_t item, part_type type, bool summary, std::int64_t sub) {
    const auto p = std::find_if(parts_.rbegin(), parts_.rend(), [&](const streamed_part& x) {
        return x.item == item && x.sub == sub && x.type == type && x.summary == summary;
    });
    return p == parts_.rend() ? nullptr : &*p;
}

streamed_part* part_steps::open_thought(std::int64_t item) {
    const auto p = std::find_if(parts_.rbegin(), parts_.rend(), [&](const streamed_part& x) {
        return x.item == item && x.type == part_type::reasoning && !x.ended;
    });
    return p == parts_.rend() ? nullptr : &*p;
}

streamed_part* part_steps::start(std::int64_t item, part_type type, bool summary, std::int64_t sub) {
    if (static_cast<std::int64_t>(parts_.size()) == stream_parts_max) return nullptr;
    const auto number = static_cast<std::int32_t>(parts_.size());
    parts_.push_back({item, sub, number, type, summary, false, {}});
    stream_step& s = step(kind::part_start);
    s.part = number;
    s.type = type;
    s.summary = summary;
    return &parts_.back();
}

streamed_part* part_steps::start_thought(std::int64_t item, bool summary, std::int64_t sub) {
    if (auto* const open = open_thought(item)) end_part(*open);
    return start(item, part_type::reasoning, summary, sub);
}

bool part_steps::put_whole(const part& whole) {
    // No item has this number: what is whole is never looked for.
    auto* const p = start(-1, part_type::whole, false, 0);
    if (p == nullptr) return false;
    last().whole = &whole;
    end_part(*p);
    return true;
}

void part_steps::tell(streamed_part& p, json text) {
    if (is_empty_string(text)) return;
    p.told.add(text);
    stream_step& s = step(kind::delta);
    s.part = p.number;
    s.type = p.type;
    s.summary = p.summary;
    s.text = text;
}

void part_steps::end_part(streamed_part& p) {
    p.ended = true;
    stream_step& s = step(kind::part_end);
    s.part = p.number;
    s.type = p.type;
    s.summary = p.summary;
}

void part_steps::end_all() {
    for (streamed_part& p : parts_) {
        if (!p.ended) end_part(p);
    }
}

part_steps::repaired part_steps::repair(streamed_part& p, json whole, text_arena& arena) {
    if (!is_string(whole) || p.ended) return repaired::no;
    if (p.told.empty()) {
        if (is_empty_string(whole)) return repaired::no;
        tell(p, whole);
        return repaired::yes;
    }
    std::string rest;
    switch (p.told.compare(whole, rest)) {
        case told_text::verdict::same:
            return repaired::no;
        case told_text::verdict::other:
            return is_call(p.type) ? repaired::differs : repaired::no;
        case told_text::verdict::more:
            tell(p, quote(rest, arena));
            break;
    }
    return repaired::yes;
}

}  // namespace sluice::chat::responses
