#include "dialects/values.hpp"

#include <sluice/message.hpp>

#include <algorithm>

namespace sluice::chat {
namespace {

constexpr std::size_t excerpt_bytes_max = 512;

bool has_escapes(std::string_view chars) {
    return chars.find('\\') != std::string_view::npos;
}

struct effort_budget {
    std::string_view effort;
    std::int64_t tokens;
};
// For an effort the first line that names it, for a budget the first that is no less.
constexpr effort_budget efforts[] = {{"low", 1024},   {"minimal", 1024}, {"medium", 8192},
                                     {"high", 24576}, {"xhigh", 32768},  {"max", 32768}};

constexpr family tagged_families[] = {"anthropic", "openai", "gemini", "cohere"};

}  // namespace

std::string decode(json string) {
    return is_string(string) ? http::unescape_json(chars_of(string)) : std::string{};
}

std::string_view decode(json string, text_arena& arena) {
    const std::string_view chars = chars_of(string);
    return has_escapes(chars) ? arena.keep(http::unescape_json(chars)) : chars;
}

json quote(std::string_view plain, text_arena& arena) {
    return arena.keep(to_json_string(plain));
}

json enclose(json_chars chars, text_arena& arena) {
    std::string text;
    text.reserve(chars.size() + 2);
    text.append(1, '"').append(chars).append(1, '"');
    return arena.keep(std::move(text));
}

result<json> arguments_object(const tool_call& call, text_arena& arena) {
    if (type_of(call.arguments) == json_type::object) return call.arguments;
    if (call.arguments.empty()) return json{"{}"};
    if (is_string(call.arguments)) {
        const std::string_view text = decode(call.arguments, arena);
        if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return json{"{}"};
        const auto begin = text.find_first_not_of(" \t\r\n");
        const auto end = text.find_last_not_of(" \t\r\n");
        const std::string_view trimmed = text.substr(begin, end - begin + 1);
        const auto valid = validate_json(trimmed);
        if (valid && trimmed.front() == '{') return json{trimmed};
    }
    return error{error_kind::bad_request, "The arguments of the call of " +
                                              std::string(call.name.empty() ? "a tool" : call.name) +
                                              " are not a JSON object."};
}

json arguments_string(const tool_call& call, text_arena& arena) {
    if (is_string(call.arguments)) return call.arguments;
    return quote(call.arguments.empty() ? "{}" : call.arguments, arena);
}

json tool_name_of(const conversation& c, const tool_result& r) {
    if (!r.name.empty() || r.call_id.empty()) return r.name;
    // The latest call of that id: ids of one conversation may repeat after an edit of its history.
    json name;
    for (const message& m : c.messages) {
        for (const part& p : m.content) {
            const auto* call = std::get_if<tool_call>(&p.value);
            if (call != nullptr && call->id == r.call_id) name = call->name;
        }
    }
    return name;
}

json text_of(const std::vector<part>& content, text_arena& arena) {
    json only;
    std::string joined;
    for (const part& p : content) {
        const auto* text = std::get_if<text_part>(&p.value);
        if (text == nullptr) continue;
        if (only.empty() && joined.empty()) {
            only = text->text;
            continue;
        }
        if (joined.empty()) joined.append(1, '"').append(chars_of(only));
        joined.append("\\n").append(chars_of(text->text));
    }
    if (joined.empty()) return only.empty() ? json{R"("")"} : only;
    joined += '"';
    return arena.keep(std::move(joined));
}

json text_of(const tool_result& r, text_arena& arena) {
    return r.structured.empty() ? text_of(r.content, arena) : quote(r.structured, arena);
}

std::optional<data_url> read_data_url(json url, text_arena& arena) {
    const std::string_view chars = chars_of(url);
    if (chars.size() < 5 || !iequals(chars.substr(0, 5), "data:")) return std::nullopt;
    const auto comma = chars.find(',');
    if (comma == std::string_view::npos) return std::nullopt;
    std::string_view head = chars.substr(5, comma - 5);
    if (has_escapes(head)) head = arena.keep(http::unescape_json(head));  // "image\/png"
    constexpr std::string_view base64 = ";base64";
    if (head.size() < base64.size() || !iequals(head.substr(head.size() - base64.size()), base64)) return std::nullopt;
    head.remove_suffix(base64.size());
    head = head.substr(0, head.find(';'));  // a character set says nothing of what the model sees
    return data_url{head.empty() ? std::string_view{"text/plain"} : head, chars.substr(comma + 1)};
}

json data_url_of(std::string_view mime, json_chars base64, text_arena& arena) {
    std::string text = to_json_string(mime.empty() ? "application/octet-stream" : mime);
    text.pop_back();
    text.insert(1, "data:");
    text.append(";base64,").append(base64).append(1, '"');
    return arena.keep(std::move(text));
}

json_chars tag_foreign(json_chars secret, family from, family client, text_arena& arena) {
    if (secret.empty() || from.empty() || from == client) return secret;
    return arena.keep(std::string(from).append(1, ':').append(secret));
}

std::pair<json_chars, family> untag(json_chars secret, family client) {
    for (const family f : tagged_families) {
        if (secret.size() > f.size() && secret[f.size()] == ':' && secret.starts_with(f))
            return {secret.substr(f.size() + 1), f};
    }
    return {secret, client};
}

void object_progress::feed(json_chars piece) {
    for (const char c : piece) {
        if (hex_left_ > 0) {
            const auto digit = static_cast<unsigned>(static_cast<unsigned char>(c));
            hex_ = hex_ << 4 | (digit <= '9' ? digit - '0' : ((digit | 0x20) - 'a' + 10) & 0xf);
            if (--hex_left_ == 0) step(hex_ < 0x80 ? static_cast<char>(hex_) : 'x');
        } else if (outer_escape_) {
            outer_escape_ = false;
            if (c == 'u') {
                hex_left_ = 4;
                hex_ = 0;
            } else {
                step(c == '"' || c == '\\' || c == '/' ? c : ' ');  // the others are white space
            }
        } else if (c == '\\') {
            outer_escape_ = true;
        } else {
            step(c);
        }
    }
}

void object_progress::step(char c) {
    if (in_string_) {
        if (inner_escape_) {
            inner_escape_ = false;
        } else if (c == '\\') {
            inner_escape_ = true;
        } else if (c == '"') {
            in_string_ = false;
        }
        return;
    }
    switch (c) {
        case '"':
            in_string_ = true;
            break;
        case '{':
        case '[':
            began_ = true;
            ++depth_;
            break;
        case '}':
        case ']':
            if (depth_ > 0) --depth_;
            break;
        default:
            break;
    }
}

std::int64_t budget_of(std::string_view effort) {
    for (const effort_budget& e : efforts) {
        if (e.effort == effort) return e.tokens;
    }
    return 0;
}

std::string_view effort_of(std::optional<std::int64_t> budget) {
    if (!budget || *budget < 0) return {};
    for (const effort_budget& e : efforts) {
        if (*budget <= e.tokens) return e.effort;
    }
    return "xhigh";
}

std::string excerpt(std::string_view body) {
    std::string text(body.substr(0, excerpt_bytes_max));
    for (char& c : text) {
        if (static_cast<unsigned char>(c) < 0x20) c = ' ';
    }
    if (body.size() > excerpt_bytes_max) text += "...";
    return text;
}

namespace detail {

const char* first_in(json list) {
    return http::skip_json_space(list.data() + 1, list.data() + list.size());
}

// Steps to what follows a member or element: the next one's first byte, or the closing bracket.
static const char* behind(const char* p, const char* end) {
    p = http::skip_json_space(p, end);
    return p != end && *p == ',' ? http::skip_json_space(p + 1, end) : p;
}

const char* next_member(const char* p, const char* end, member_view& out) {
    if (p == end || *p != '"') return nullptr;
    bool escaped = false;
    const char* const key = p + 1;
    p = http::skip_valid_string(p, end, escaped);
    out.key = {key, static_cast<std::size_t>(p - key - 1)};
    p = http::skip_json_space(p, end);
    p = http::skip_json_space(p == end ? end : p + 1, end);  // the colon
    if (p == end) return nullptr;
    const char* const value = p;
    p = http::skip_valid_json(p, end);
    out.value = {http::json_type_of(*value), {value, static_cast<std::size_t>(p - value)}};
    return behind(p, end);
}

const char* next_element(const char* p, const char* end, json_value& out) {
    if (p == end || *p == ']') return nullptr;
    const char* const value = p;
    p = http::skip_valid_json(p, end);
    if (p == value) return nullptr;  // not a validated text: do not stand still
    out = {http::json_type_of(*value), {value, static_cast<std::size_t>(p - value)}};
    return behind(p, end);
}

}  // namespace detail
}  // namespace sluice::chat
