#include "routing/picker/prompt_slices.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <optional>

namespace sluice::picker {
namespace {

constexpr std::string_view blank = " \t\r\n";

struct span_of {
    std::size_t begin, end;
};

constexpr auto base64_table = [] {
    std::array<bool, 256> t{};
    for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_"))
        t[static_cast<unsigned char>(c)] = true;
    return t;
}();

bool base64(char c) {
    return base64_table[static_cast<unsigned char>(c)];
}

// Is what ends here the beginning of encoded media: a data URL, or a member called "data"?
bool announces_media(std::string_view before) {
    if (before.ends_with("base64,")) return true;
    if (!before.ends_with('"')) return false;
    before.remove_suffix(1);
    before = before.substr(0, before.find_last_not_of(blank) + 1);
    if (!before.ends_with(':')) return false;
    before.remove_suffix(1);
    before = before.substr(0, before.find_last_not_of(blank) + 1);
    return before.ends_with("\"data\"");
}

// The first long run of base64 that was announced as such. Looks at one place in every KB: ordinary text has a blank
// or a quote within a few characters, so this costs next to nothing; a run of 2 KB cannot be missed.
std::optional<span_of> next_media(std::string_view text, std::size_t from) {
    constexpr std::size_t step = 1024, look = 256;
    for (std::size_t at = from; at + look < text.size(); at += step) {
        const std::string_view window = text.substr(at, look);
        if (!std::all_of(window.begin(), window.end(), base64)) continue;
        std::size_t begin = at, end = at + look;
        while (begin > from && base64(text[begin - 1])) --begin;
        while (end < text.size() && base64(text[end])) ++end;
        if (end - begin >= 2 * step && announces_media(text.substr(0, begin))) return span_of{begin, end};
        at = end;
    }
    return std::nullopt;
}

std::size_t end_of_string(std::string_view text, std::size_t quote) {
    std::size_t at = quote + 1;
    for (; at < text.size() && text[at] != '"'; ++at)
        if (text[at] == '\\') ++at;
    return std::min(at + 1, text.size());
}

// Behind an object or a literal; the text is valid JSON.
std::size_t end_of_value(std::string_view text, std::size_t at) {
    int depth = 0;
    while (at < text.size()) {
        const char c = text[at];
        if (c == '"') {
            at = end_of_string(text, at);
            if (depth == 0) return at;
            continue;
        }
        if (c == '{' || c == '[') ++depth;
        if (c == '}' || c == ']') {
            if (depth == 0) return at;
            if (--depth == 0) return at + 1;
        }
        if (c == ',' && depth == 0) return at;
        ++at;
    }
    return at;
}

// The next `cache_control` member with the comma that goes with it. Within a string it would be escaped, so its
// opening quote follows a blank, a comma or a brace.
std::optional<span_of> next_mark(std::string_view text, std::size_t from) {
    // Looked for by its rarest letter, five times as fast as memmem().
    constexpr std::string_view key = "\"cache_control\"", rare = key.substr(key.find('_'));
    constexpr std::size_t common = key.size() - rare.size();
    for (;;) {
        const std::size_t found = text.find(rare, from + common);
        if (found == text.npos) return std::nullopt;
        const std::size_t at = found - common;
        from = at + key.size();
        if (!text.substr(at).starts_with(key)) continue;
        const std::size_t colon = text.find_first_not_of(blank, from);
        if ((at > 0 && text[at - 1] == '\\') || colon == text.npos || text[colon] != ':') continue;
        const std::size_t value = text.find_first_not_of(blank, colon + 1);
        if (value == text.npos) return std::nullopt;
        span_of mark{at, end_of_value(text, value)};
        while (mark.end > value && blank.find(text[mark.end - 1]) != blank.npos) --mark.end;
        const std::size_t before = at == 0 ? text.npos : text.find_last_not_of(blank, at - 1);
        if (before != text.npos && text[before] == ',') {
            mark.begin = before;
        } else if (const auto after = text.find_first_not_of(blank, mark.end);
                   after != text.npos && text[after] == ',') {
            mark.end = after + 1;
        }
        return mark;
    }
}

void append_without_media(std::string_view text, std::vector<prompt_slice>& out) {
    std::size_t at = 0;
    while (const auto media = next_media(text, at)) {
        out.push_back({text.substr(at, media->begin - at), false});
        out.push_back({text.substr(media->begin, media->end - media->begin), true});
        at = media->end;
    }
    if (at < text.size()) out.push_back({text.substr(at), false});
}

void append(std::string_view text, std::vector<prompt_slice>& out) {
    std::size_t at = 0;
    while (const auto mark = next_mark(text, at)) {
        append_without_media(text.substr(at, mark->begin - at), out);
        at = mark->end;
    }
    append_without_media(text.substr(at), out);
}

// Without what closes it, for that stands elsewhere once something is appended.
std::string_view open_ended(const json_value& v) {
    if (v.type != json_type::array && v.type != json_type::string) return v.raw;
    const std::string_view open = v.raw.substr(0, v.raw.size() - 1);
    return v.type == json_type::array ? open.substr(0, open.find_last_not_of(blank) + 1) : open;
}

void append_first(const json_object& body, std::initializer_list<std::string_view> keys,
                  std::vector<prompt_slice>& out) {
    for (const std::string_view key : keys) {
        const auto value = body.find(key);
        if (!value || value->type == json_type::null) continue;
        append(open_ended(*value), out);
        return;
    }
}

}  // namespace

void find_prompt(const json_object& body, std::vector<prompt_slice>& out) {
    append_first(body, {"tools", "functions"}, out);
    append_first(body, {"system", "instructions", "systemInstruction", "system_instruction"}, out);
    append_first(body, {"messages", "contents", "input", "prompt"}, out);
}

}  // namespace sluice::picker
