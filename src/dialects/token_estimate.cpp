#include "dialects/token_estimate.hpp"

#include "dialects/values.hpp"

#include <algorithm>

namespace sluice::chat {
namespace {

constexpr std::int64_t per_message = 4, per_answer = 3, per_tool = 8, per_image = 1600, per_page = 1500;

// Escapes count as what they are written with, which is a little too much and never too little.
std::int64_t of_text(json text) {
    std::int64_t ascii = 0, others = 0;
    for (const char ch : text) {
        const auto c = static_cast<unsigned char>(ch);
        if (c < 0x80) {
            ++ascii;
        } else if ((c & 0xc0) != 0x80) {
            ++others;
        }
    }
    return (std::max<std::int64_t>(ascii - (is_string(text) ? 2 : 0), 0) + 3) / 4 + others;
}

std::int64_t of_media(const media_part& m) {
    const auto bytes = static_cast<std::int64_t>(m.base64.size() / 4 * 3);
    switch (m.what) {
        case media_kind::image:
            return per_image;
        case media_kind::audio:
        case media_kind::video:
            return std::max<std::int64_t>(bytes / 320, 32);
        case media_kind::document:
            break;
    }
    return m.text.empty() ? std::max(bytes / 20, per_page) : of_text(m.text);
}

std::int64_t of_part(const part& p);

struct part_size {
    std::int64_t operator()(const text_part& t) const { return of_text(t.text); }
    std::int64_t operator()(const media_part& m) const { return of_media(m); }
    std::int64_t operator()(const tool_call& c) const { return per_tool + of_text(c.name) + of_text(c.arguments); }
    std::int64_t operator()(const tool_result& r) const {
        std::int64_t n = per_tool + of_text(r.structured);
        for (const part& p : r.content) n += of_part(p);
        return n;
    }
    std::int64_t operator()(const reasoning_part& r) const { return of_text(r.text); }
    std::int64_t operator()(const refusal_part& r) const { return of_text(r.text); }
    std::int64_t operator()(const native_part& n) const { return of_text(n.value); }
};

std::int64_t of_part(const part& p) {
    return std::visit(part_size{}, p.value);
}

}  // namespace

std::int64_t estimate_tokens(const conversation& c) {
    std::int64_t n = per_answer;
    for (const message& m : c.messages) {
        n += per_message;
        for (const part& p : m.content) n += of_part(p);
    }
    for (const tool& t : c.tools)
        n += per_tool + of_text(t.name) + of_text(t.description) + of_text(t.parameters) + of_text(t.definition);
    return n + of_text(c.format.schema);
}

}  // namespace sluice::chat
