#include "governance/tokens/split.hpp"

#include "governance/tokens/code_points.hpp"

#include <cassert>

namespace sluice::tokens {
namespace {

// Every function below takes an offset and returns the end of what it matches there: the offset itself for nothing.

struct seen {
    bool inside;  // false: behind the text
    char_kind kind;
    std::size_t end;
};

seen look(std::string_view text, std::size_t at) {
    if (at >= text.size()) return {false, char_kind::other, at};
    const code_point c = code_point_at(text, at);
    return {true, c.kind, at + c.bytes};
}

template <class Accepts>
std::size_t skip(std::string_view text, std::size_t at, Accepts accepts) {
    for (seen c = look(text, at); c.inside && accepts(c.kind); c = look(text, at)) at = c.end;
    return at;
}

bool is_symbol(char_kind k) {  // [^\s\p{L}\p{N}]
    return k == char_kind::other || k == char_kind::mark;
}
bool may_be_capital(char_kind k) {  // [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]
    return k == char_kind::upper || k == char_kind::uncased || k == char_kind::mark;
}
bool may_be_small(char_kind k) {  // [\p{Ll}\p{Lm}\p{Lo}\p{M}]
    return k == char_kind::lower || k == char_kind::uncased || k == char_kind::mark;
}
bool may_lead(char_kind k) {  // [^\r\n\p{L}\p{N}]
    return k != char_kind::newline && k != char_kind::number && !is_letter(k);
}

char lowered(std::string_view text, std::size_t at) {
    const char c = at < text.size() ? text[at] : '\0';
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// (?i:'s|'t|'re|'ve|'m|'ll|'d). Where case is ignored, the long s (U+017F) is an s too.
std::size_t contraction_end(std::string_view text, std::size_t at) {
    if (at >= text.size() || text[at] != '\'') return at;
    const char a = lowered(text, at + 1), b = lowered(text, at + 2);
    if (a == 's' || a == 't' || a == 'm' || a == 'd') return at + 2;
    if ((a == 'l' && b == 'l') || ((a == 'r' || a == 'v') && b == 'e')) return at + 3;
    return text.substr(at + 1).starts_with("\xC5\xBF") ? at + 3 : at;
}

// [capital]*[small]+ or, where that fails, [capital]+[small]*. Characters that may be both (Chinese, marks) belong to
// the capitals unless nothing small follows: then the last of them is the small one and ends the word. What is left
// behind it are capitals only, so no run is walked more than twice.
std::size_t cased_word_end(std::string_view text, std::size_t at) {
    const std::size_t from = at;
    std::size_t last_both = from;
    for (seen c = look(text, at); c.inside && may_be_capital(c.kind); c = look(text, at)) {
        at = c.end;
        if (c.kind != char_kind::upper) last_both = at;
    }
    const std::size_t end = skip(text, at, may_be_small);
    if (end > at) return end;
    return last_both > from ? last_both : at;
}

// The two patterns of words of o200k_base. A mark may lead, and may as well be the word's first letter: the second
// reading matches whenever the first does, and alike.
std::size_t o200k_word_end(std::string_view text, std::size_t at) {
    const seen first = look(text, at);
    const std::size_t word = may_lead(first.kind) && first.kind != char_kind::mark ? first.end : at;
    const std::size_t end = cased_word_end(text, word);
    return end > word ? contraction_end(text, end) : at;
}

std::size_t cl100k_word_end(std::string_view text, std::size_t at) {
    const seen first = look(text, at);
    const std::size_t word = may_lead(first.kind) ? first.end : at;
    const std::size_t end = skip(text, word, is_letter);
    return end > word ? end : at;
}

std::size_t number_end(std::string_view text, std::size_t at) {
    for (int digits = 0; digits < 3; ++digits) {
        const seen c = look(text, at);
        if (!c.inside || c.kind != char_kind::number) break;
        at = c.end;
    }
    return at;
}

std::size_t symbols_end(std::string_view text, std::size_t at, std::string_view may_follow) {
    const std::size_t first = text[at] == ' ' ? at + 1 : at;
    std::size_t end = skip(text, first, is_symbol);
    if (end == first) return at;
    while (end < text.size() && may_follow.find(text[end]) != std::string_view::npos) ++end;
    return end;
}

// What is left is white: cut behind its last newline; else before its last character, which leads the next word.
std::size_t white_end(std::string_view text, std::size_t at, encoding e) {
    std::size_t behind_newline = at, last = at, end = at;
    for (seen c = look(text, at); c.inside && is_white(c.kind); c = look(text, end)) {
        last = end;
        end = c.end;
        if (c.kind == char_kind::newline) behind_newline = end;
    }
    const bool at_the_end = end == text.size();
    if (at_the_end && e == encoding::cl100k_base) return end;
    if (behind_newline > at) return behind_newline;
    return at_the_end || last == at ? end : last;
}

std::size_t o200k_end(std::string_view text, std::size_t at) {
    std::size_t end = o200k_word_end(text, at);
    if (end == at) end = number_end(text, at);
    if (end == at) end = symbols_end(text, at, "\r\n/");
    return end == at ? white_end(text, at, encoding::o200k_base) : end;
}

std::size_t cl100k_end(std::string_view text, std::size_t at) {
    std::size_t end = contraction_end(text, at);
    if (end == at) end = cl100k_word_end(text, at);
    if (end == at) end = number_end(text, at);
    if (end == at) end = symbols_end(text, at, "\r\n");
    return end == at ? white_end(text, at, encoding::cl100k_base) : end;
}

}  // namespace

std::string_view splitter::next() {
    assert(!done());
    const std::size_t from = at_;
    at_ = encoding_ == encoding::o200k_base ? o200k_end(text_, from) : cl100k_end(text_, from);
    assert(at_ > from);
    return text_.substr(from, at_ - from);
}

}  // namespace sluice::tokens
