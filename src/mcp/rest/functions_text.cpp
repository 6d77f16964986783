// Text: cases, edges, parts, printf.
#include "mcp/rest/functions.hpp"
#include "mcp/rest/printf.hpp"

#include <sluice/json.hpp>

#include "base/ascii.hpp"

#include <algorithm>
#include <vector>

namespace sluice::mcp::rest {

namespace {

std::size_t text_max(const call& c) {
    return c.context.limits.output_bytes_max;
}
std::string text(const call& c, std::size_t i) {
    return c.args[i].text(text_max(c));
}
error too_long() {
    return error{error_kind::payload_too_large, "a text becomes too long"};
}
std::size_t count(const value& v) {
    return static_cast<std::size_t>(std::clamp<std::int64_t>(v.to_integer().value_or(0), 0, 1 << 24));
}

// Go puts a space between neighbours of which neither is a string.
result<value> print(const call& c) {
    std::string out;
    for (std::size_t i = 0; i < c.args.size(); ++i) {
        const auto is_text = [&](std::size_t at) { return c.args[at].is(value::kind::string); };
        if (i > 0 && !is_text(i) && !is_text(i - 1)) out += ' ';
        out += text(c, i);
        if (out.size() > text_max(c)) return too_long();
    }
    return value::string(std::move(out));
}

result<value> joined(const call& c, std::string_view end, bool skip_empty) {
    std::string out;
    for (std::size_t i = 0; i < c.args.size(); ++i) {
        const std::string piece = text(c, i);
        if (skip_empty && piece.empty()) continue;
        if (!out.empty()) out += ' ';
        out += piece;
        if (out.size() > text_max(c)) return too_long();
    }
    return value::string(out.append(end));
}
result<value> println(const call& c) {
    return joined(c, "\n", false);
}
result<value> cat(const call& c) {
    return joined(c, {}, true);
}

result<value> printf_(const call& c) {
    auto made = format_go(c.args[0].text_view(), c.args.subspan(1), text_max(c));
    if (!made) return made.error();
    return value::string(std::move(*made));
}

// Quoted as JSON does, so that it is one value where JSON is expected.
result<value> quote(const call& c) {
    std::string out;
    for (std::size_t i = 0; i < c.args.size(); ++i) {
        if (c.args[i].is(value::kind::missing)) continue;
        if (!out.empty()) out += ' ';
        append_json_string(out, text(c, i));
    }
    value made = value::string(std::move(out));
    return c.args.size() == 1 && made.size() > 0 ? made.as_json() : made;
}

result<value> squote(const call& c) {
    return value::string('\'' + text(c, 0) + '\'');
}

// Of ASCII letters: other alphabets pass as they are.
result<value> lower(const call& c) {
    std::string s = text(c, 0);
    std::transform(s.begin(), s.end(), s.begin(), [](char ch) { return ascii::lower(ch); });
    return value::string(std::move(s));
}
char upper_of(char ch) {
    return ch >= 'a' && ch <= 'z' ? static_cast<char>(ch - 32) : ch;
}
result<value> upper(const call& c) {
    std::string s = text(c, 0);
    std::transform(s.begin(), s.end(), s.begin(), upper_of);
    return value::string(std::move(s));
}
result<value> title(const call& c) {
    std::string s = text(c, 0);
    for (std::size_t i = 0; i < s.size(); ++i) {
        if (i == 0 || s[i - 1] == ' ') s[i] = upper_of(s[i]);
    }
    return value::string(std::move(s));
}

std::string trimmed(std::string_view s, std::string_view set) {
    const std::size_t from = std::min(s.find_first_not_of(set), s.size());
    const std::size_t to = s.find_last_not_of(set) + 1;
    return std::string{s.substr(from, to > from ? to - from : 0)};
}
result<value> trim(const call& c) {
    return value::string(trimmed(text(c, 0), " \t\r\n\v\f"));
}
result<value> trim_all(const call& c) {
    return value::string(trimmed(text(c, 1), text(c, 0)));
}
result<value> trim_prefix(const call& c) {
    std::string s = text(c, 1);
    const std::string prefix = text(c, 0);
    if (s.starts_with(prefix)) s.erase(0, prefix.size());
    return value::string(std::move(s));
}
result<value> trim_suffix(const call& c) {
    std::string s = text(c, 1);
    const std::string suffix = text(c, 0);
    if (s.ends_with(suffix)) s.resize(s.size() - suffix.size());
    return value::string(std::move(s));
}

// Bytes of the first n characters, so that none is cut in two.
std::size_t bytes_of(std::string_view s, std::size_t n) {
    std::size_t i = 0;
    for (; i < s.size(); ++i) {
        const bool begins = (static_cast<unsigned char>(s[i]) & 0xc0) != 0x80;
        if (begins && n-- == 0) break;
    }
    return i;
}
result<value> trunc(const call& c) {
    const std::string s = text(c, 1);
    if (const auto n = c.args[0].to_integer().value_or(0); n < 0) {
        const std::size_t all = bytes_of(s, s.size());
        std::size_t characters = 0;
        for (const char ch : s) characters += (static_cast<unsigned char>(ch) & 0xc0) != 0x80 ? 1 : 0;
        const auto keep =
            static_cast<std::size_t>(std::min<std::int64_t>(-std::max<std::int64_t>(n, -(1 << 24)), 1 << 24));
        return value::string(s.substr(characters > keep ? bytes_of(s, characters - keep) : 0, all));
    }
    return value::string(s.substr(0, bytes_of(s, count(c.args[0]))));
}
result<value> abbrev(const call& c) {
    const std::string s = text(c, 1);
    const std::size_t n = std::max<std::size_t>(count(c.args[0]), 4);
    if (bytes_of(s, n) == s.size()) return value::string(s);
    return value::string(s.substr(0, bytes_of(s, n - 3)) + "...");
}
// substr from to text
result<value> substr(const call& c) {
    const std::string s = text(c, 2);
    const std::size_t from = std::min(count(c.args[0]), s.size());
    const bool open = c.args[1].to_integer().value_or(0) < 0;
    const std::size_t to = open ? s.size() : std::clamp(count(c.args[1]), from, s.size());
    return value::string(s.substr(from, to - from));
}

// replace old new text
result<value> replace(const call& c) {
    const std::string from = text(c, 0);
    const std::string to = text(c, 1);
    const std::string s = text(c, 2);
    if (from.empty()) return value::string(s);
    std::string out;
    std::size_t at = 0;
    for (std::size_t hit; (hit = s.find(from, at)) != std::string::npos; at = hit + from.size()) {
        out.append(s, at, hit - at).append(to);
        if (out.size() > text_max(c)) return too_long();
    }
    return value::string(out.append(s, at));
}
result<value> contains(const call& c) {
    return value::boolean(text(c, 1).find(text(c, 0)) != std::string::npos);
}
result<value> has_prefix(const call& c) {
    return value::boolean(text(c, 1).starts_with(text(c, 0)));
}
result<value> has_suffix(const call& c) {
    return value::boolean(text(c, 1).ends_with(text(c, 0)));
}
result<value> repeat(const call& c) {
    const std::string s = text(c, 1);
    const std::size_t n = count(c.args[0]);
    if (s.size() * n > text_max(c)) return too_long();
    std::string out;
    for (std::size_t i = 0; i < n && !s.empty(); ++i) out += s;
    return value::string(std::move(out));
}
// join separator list
result<value> join(const call& c) {
    const std::string separator = text(c, 0);
    if (!c.args[1].is(value::kind::array)) return value::string(text(c, 1));
    std::string out;
    for (std::size_t i = 0; i < c.args[1].size(); ++i) {
        if (i > 0) out += separator;
        out += c.args[1].at(i).text(text_max(c));
        if (out.size() > text_max(c)) return too_long();
    }
    return value::string(std::move(out));
}
// The text between separators. Error: more pieces than a parsed text may have values.
result<std::vector<std::string>> pieces_of(const call& c) {
    const std::string separator = text(c, 0);
    const std::string s = text(c, 1);
    std::vector<std::string> out;
    std::size_t at = 0;
    while (!separator.empty()) {
        const std::size_t hit = s.find(separator, at);
        if (hit == std::string::npos) break;
        if (out.size() == value::parsed_max) return error{error_kind::payload_too_large, "split makes too many pieces"};
        out.push_back(s.substr(at, hit - at));
        at = hit + separator.size();
    }
    out.push_back(s.substr(at));
    return out;
}
result<value> split_list(const call& c) {
    auto pieces = pieces_of(c);
    if (!pieces) return pieces.error();
    value::list out;
    for (std::string& piece : *pieces) out.push_back(value::string(std::move(piece)));
    return value::array(std::move(out));
}
// Sprig's split makes an object: ._0 ._1
result<value> split(const call& c) {
    auto pieces = pieces_of(c);
    if (!pieces) return pieces.error();
    value::members out;
    for (std::string& piece : *pieces) {
        out.emplace_back('_' + std::to_string(out.size()), value::string(std::move(piece)));
    }
    return value::object(std::move(out));
}
result<value> nospace(const call& c) {
    std::string s = text(c, 0);
    std::erase_if(s, [](char ch) { return std::string_view{" \t\r\n\v\f"}.find(ch) != std::string_view::npos; });
    return value::string(std::move(s));
}
result<value> indented(const call& c, std::string_view before) {
    const std::string margin(std::min<std::size_t>(count(c.args[0]), 256), ' ');
    std::string out = std::string{before} + margin;
    for (const char ch : text(c, 1)) {
        out += ch;
        if (ch == '\n') out += margin;
        if (out.size() > text_max(c)) return too_long();
    }
    return value::string(std::move(out));
}
result<value> indent(const call& c) {
    return indented(c, {});
}
result<value> nindent(const call& c) {
    return indented(c, "\n");
}

constexpr function table[] = {
    {"print", 0, any_number, print},
    {"println", 0, any_number, println},
    {"printf", 1, any_number, printf_},
    {"quote", 1, any_number, quote},
    {"squote", 1, 1, squote},
    {"upper", 1, 1, upper},
    {"lower", 1, 1, lower},
    {"title", 1, 1, title},
    {"trim", 1, 1, trim},
    {"trimAll", 2, 2, trim_all},
    {"trimPrefix", 2, 2, trim_prefix},
    {"trimSuffix", 2, 2, trim_suffix},
    {"trunc", 2, 2, trunc},
    {"abbrev", 2, 2, abbrev},
    {"substr", 3, 3, substr},
    {"replace", 3, 3, replace},
    {"contains", 2, 2, contains},
    {"hasPrefix", 2, 2, has_prefix},
    {"hasSuffix", 2, 2, has_suffix},
    {"repeat", 2, 2, repeat},
    {"join", 2, 2, join},
    {"splitList", 2, 2, split_list},
    {"split", 2, 2, split},
    {"nospace", 1, 1, nospace},
    {"indent", 2, 2, indent},
    {"nindent", 2, 2, nindent},
    {"cat", 1, any_number, cat},
};

}  // namespace

std::span<const function> text_functions() {
    return table;
}

}  // namespace sluice::mcp::rest
