#include "governance/tokens/conversation_tokens.hpp"

#include "dialects/values.hpp"
#include "governance/tokens/chat_overhead.hpp"
#include "governance/tokens/estimate.hpp"

#include <algorithm>

namespace sluice::tokens {
namespace {

constexpr std::int64_t per_role = 1, per_tool = 8, per_image = 1600, per_page = 1500;

// Cut between characters.
std::string_view piece_of(std::string_view text, std::size_t bytes) {
    if (bytes >= text.size()) return text;
    while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0) == 0x80) --bytes;
    return text.substr(0, std::max<std::size_t>(bytes, 1));
}

}  // namespace

conversation_count::conversation_count(const chat::conversation& c, const bpe_counter* counter) : counter_(counter) {
    std::int64_t names = 0;
    for (const chat::message& m : c.messages) {
        for (const chat::part& p : m.content) add(p, true);
        if (m.name.empty()) continue;
        ++names;
        add(m.name, false);
    }
    for (const chat::tool& t : c.tools) {
        fixed_ += per_tool;
        for (const chat::json value : {t.name, t.description, t.parameters, t.definition}) add(value, false);
    }
    add(c.format.schema, false);
    const auto messages = static_cast<std::int64_t>(c.messages.size());
    fixed_sure_ = chat_overhead(messages, 0);
    fixed_ += chat_overhead(messages, names) + per_role * messages;
}

void conversation_count::add(chat::json value, bool sure) {
    if (!value.empty()) texts_.push_back({value, sure});
}

void conversation_count::add(const chat::media_part& m) {
    const auto bytes = static_cast<std::int64_t>(m.base64.size() / 4 * 3);
    switch (m.what) {
        case chat::media_kind::image:
            fixed_ += per_image;
            return;
        case chat::media_kind::audio:
        case chat::media_kind::video:
            fixed_ += std::max<std::int64_t>(bytes / 320, 32);
            return;
        case chat::media_kind::document:
            if (m.text.empty()) fixed_ += std::max(bytes / 20, per_page);
            add(m.text, true);
    }
}

void conversation_count::add(const chat::part& p, bool sure) {
    if (const auto* t = std::get_if<chat::text_part>(&p.value)) {
        add(t->text, sure);
    } else if (const auto* m = std::get_if<chat::media_part>(&p.value)) {
        add(*m);
    } else if (const auto* call = std::get_if<chat::tool_call>(&p.value)) {
        fixed_ += per_tool;
        add(call->name, false);
        add(call->arguments, false);
    } else if (const auto* r = std::get_if<chat::tool_result>(&p.value)) {
        fixed_ += per_tool;
        add(r->structured, sure);
        for (const chat::part& inner : r->content) add(inner, sure);
    } else if (const auto* thinking = std::get_if<chat::reasoning_part>(&p.value)) {
        add(thinking->text, false);  // providers leave old thinking out as they see fit
    } else if (const auto* refusal = std::get_if<chat::refusal_part>(&p.value)) {
        add(refusal->text, sure);
    } else if (const auto* native = std::get_if<chat::native_part>(&p.value)) {
        add(native->value, false);
    }
}

bool conversation_count::step(std::size_t bytes) {
    while (bytes > 0 && at_ < texts_.size()) bytes -= std::min(bytes, count_some(bytes));
    return at_ < texts_.size();
}

// Returns how many bytes it took, at least one.
std::size_t conversation_count::count_some(std::size_t bytes) {
    const text& t = texts_[at_];
    if (done_ == 0) {
        plain_ = chat::is_string(t.value) ? chat::decode(t.value) : std::string(t.value);
        if (counter_ != nullptr) counting_.emplace(*counter_, plain_);
    }
    std::size_t taken = 0;
    bool more = false;
    std::int64_t tokens = 0;
    if (counting_) {
        const std::int64_t before = counting_->tokens();
        taken = std::min(bytes, plain_.size() - std::min(done_, plain_.size()));
        more = counting_->step(std::max<std::size_t>(bytes, 1));
        tokens = counting_->tokens() - before;
    } else {
        const std::string_view piece = piece_of(std::string_view(plain_).substr(done_), bytes);
        tokens = estimate(piece).typical;
        taken = piece.size();
        more = done_ + taken < plain_.size();
    }
    done_ += taken;
    (t.sure ? counted_sure_ : counted_) += tokens;
    if (!more) {
        counting_.reset();
        done_ = 0;
        ++at_;
    }
    return std::max<std::size_t>(taken, 1);
}

conversation_tokens conversation_count::sum() const {
    const std::int64_t sure = counter_ != nullptr ? counted_sure_ : counted_sure_ * 2 / 3;
    return {fixed_ + counted_ + counted_sure_, fixed_sure_ + sure};
}

}  // namespace sluice::tokens
