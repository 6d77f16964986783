#include "http/usage_scanner.hpp"

#include <sluice/json.hpp>

#include <bit>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace sluice::http {
namespace {

constexpr std::string_view plain_key = "\"usage\"";
constexpr std::string_view gemini_key = "\"usageMetadata\"";
constexpr std::size_t common = 6;  // bytes both keys begin with

bool space(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

// The first place in [p, end) where `"u` stands, or where the last byte is a quote; else `end`. Text has many
// quotes and many a `u`, but few of them together.
const char* find_quote_u(const char* p, const char* end) {
#if defined(__SSE2__)
    for (; end - p >= 17; p += 16) {
        const __m128i quotes = _mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)), _mm_set1_epi8('"'));
        const __m128i us = _mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 1)), _mm_set1_epi8('u'));
        const auto mask = static_cast<unsigned>(_mm_movemask_epi8(_mm_and_si128(quotes, us)));
        if (mask != 0) return p + std::countr_zero(mask);
    }
#endif
    for (; p != end; ++p) {
        if (*p == '"' && (p + 1 == end || p[1] == 'u')) return p;
    }
    return end;
}

std::optional<std::int64_t> count(const json_object& o, std::string_view name) {
    const auto value = o.find(name);
    if (!value) return std::nullopt;
    const auto n = value->integer();
    return n && *n >= 0 ? n : std::nullopt;
}

// Takes the field over if it is there.
void update(std::int64_t& into, const json_object& o, std::string_view name) {
    if (const auto n = count(o, name)) into = *n;
}

void update_inside(std::int64_t& into, const json_object& o, std::string_view details, std::string_view name) {
    const auto value = o.find(details);
    if (!value || value->type != json_type::object) return;
    if (const auto inner = json_object::inside(*value)) update(into, *inner, name);
}

// Sums of hostile counts must not overflow.
std::int64_t sum(std::int64_t counted, std::int64_t beside) {
    if (beside < 0) return counted;
    std::int64_t total = 0;
    return __builtin_add_overflow(counted < 0 ? 0 : counted, beside, &total) ? INT64_MAX : total;
}

}  // namespace

void usage_scanner::feed(std::string_view piece) {
    const char* p = piece.data();
    const char* const end = p + piece.size();
    while (p != end) {
        switch (place_) {
            case place::searching:
                p = search(p, end);
                break;
            case place::in_key:
                step_key(*p++);
                break;
            case place::behind_key:
                if (*p == ':') {
                    place_ = place::behind_colon;
                } else if (!space(*p)) {
                    place_ = place::searching;
                    continue;
                }
                ++p;
                break;
            case place::behind_colon:
                if (*p == '{') {
                    place_ = place::in_object;
                    depth_ = 0;
                    in_string_ = escape_ = false;
                } else if (!space(*p)) {  // null
                    place_ = place::searching;
                } else {
                    ++p;
                }
                break;
            case place::in_object:
                p = take_object(p, end);
                break;
        }
    }
}

// Leaves behind the quote that may open the key, or at the end.
const char* usage_scanner::search(const char* p, const char* end) {
    const char* const begin = p;
    while (true) {
        p = find_quote_u(p, end);
        if (p == end) {
            after_backslash_ = end[-1] == '\\';
            return end;
        }
        const bool escaped = p == begin ? after_backslash_ : p[-1] == '\\';
        ++p;
        if (!escaped) break;
    }
    after_backslash_ = false;
    place_ = place::in_key;
    matched_ = 1;
    return p;
}

void usage_scanner::step_key(char c) {
    if (matched_ == common) gemini_ = c == gemini_key[common];
    const std::string_view key = matched_ < common || gemini_ ? gemini_key : plain_key;
    if (c != key[matched_]) {
        after_backslash_ = c == '\\';
        matched_ = 1;
        if (c != '"') place_ = place::searching;
        return;
    }
    if (++matched_ == key.size()) {
        place_ = place::behind_key;
        after_backslash_ = false;
    }
}

const char* usage_scanner::take_object(const char* p, const char* end) {
    const char* const begin = p;
    const bool ends = object_ends(p, end);
    const std::string_view part{begin, static_cast<std::size_t>(p - begin)};
    if (held_.size() + part.size() > object_bytes_max) {
        place_ = place::searching;
    } else if (!ends) {
        held_ += part;
        return p;
    } else {
        place_ = place::searching;
        if (held_.empty()) {
            read(part);
        } else {
            held_ += part;
            read(held_);
        }
    }
    std::string{}.swap(held_);
    after_backslash_ = escape_;
    return p;
}

// Moves `p` behind the closing brace, or to a place where the object is known to be too long.
bool usage_scanner::object_ends(const char*& p, const char* end) {
    const auto limit = static_cast<std::ptrdiff_t>(object_bytes_max + 1 - held_.size());
    if (end - p > limit) end = p + limit;
    // In registers while it runs: `p` and the members may be the same memory for all the compiler knows.
    const char* at = p;
    unsigned depth = depth_;
    bool in_string = in_string_, escape = escape_, ended = false;
    while (at != end && !ended) {
        const char c = *at++;
        if (escape) {
            escape = false;
        } else if (in_string) {
            in_string = c != '"';
            escape = c == '\\';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{') {
            ++depth;
        } else if (c == '}') {
            ended = --depth == 0;
        }
    }
    p = at;
    depth_ = depth;
    in_string_ = in_string;
    escape_ = escape;
    return ended;
}

void usage_scanner::read(std::string_view object) {
    const auto parsed = json_object::parse(object);
    if (!parsed) return;
    const json_object& o = *parsed;
    if (gemini_) {
        counts now;
        update(now.input, o, "promptTokenCount");
        update(now.output, o, "candidatesTokenCount");
        update(now.cached, o, "cachedContentTokenCount");
        update(now.reasoning, o, "thoughtsTokenCount");
        now.thoughts = now.reasoning;
        update(now.more_input, o, "toolUsePromptTokenCount");
        if (now.input >= 0 || now.output >= 0) counts_ = now;
        return;
    }
    counts now;
    update(now.input, o, "prompt_tokens");
    update(now.output, o, "completion_tokens");
    if (now.input >= 0 || now.output >= 0) {  // openai chat
        update_inside(now.cached, o, "prompt_tokens_details", "cached_tokens");
        update_inside(now.reasoning, o, "completion_tokens_details", "reasoning_tokens");
        counts_ = now;
    } else {  // openai responses, anthropic
        update(counts_.input, o, "input_tokens");
        update(counts_.output, o, "output_tokens");
        update_inside(counts_.cached, o, "input_tokens_details", "cached_tokens");
        update_inside(counts_.reasoning, o, "output_tokens_details", "reasoning_tokens");
        update_inside(counts_.cached, o, "input_token_details", "cached_tokens");  // openai realtime
        update(counts_.cache_read, o, "cache_read_input_tokens");
        update(counts_.more_input, o, "cache_creation_input_tokens");
        if (counts_.cache_read >= 0) counts_.cached = counts_.cache_read;
    }
}

token_usage usage_scanner::usage() const {
    token_usage u;
    u.input = sum(sum(counts_.input, counts_.cache_read), counts_.more_input);
    u.output = sum(counts_.output, counts_.thoughts);
    u.cached_input = counts_.cached;
    u.reasoning = counts_.reasoning;
    return u;
}

bool is_usage_only_chunk(std::string_view data) {
    // Almost every chunk ends here: no usage, or "usage":null, with no choices in front of it.
    const char* const end = data.data() + data.size();
    const char* key = find_quote_u(data.data(), end);
    const auto left = [&] { return std::string_view{key, static_cast<std::size_t>(end - key)}; };
    while (key != end && !left().starts_with(plain_key)) key = find_quote_u(key + 1, end);
    if (key == end) return false;
    std::size_t at = static_cast<std::size_t>(key - data.data()) + plain_key.size();
    while (at < data.size() && (space(data[at]) || data[at] == ':')) ++at;
    if (at == data.size() || data[at] != '{') return false;
    const auto chunk = json_object::parse(data);
    if (!chunk) return false;
    const auto choices = chunk->find("choices");
    const auto usage = chunk->find("usage");
    return choices && usage && usage->type == json_type::object && choices->type == json_type::array &&
           json_elements(*choices).empty();
}

}  // namespace sluice::http
