// What all dialects do with JSON texts: look at them, cut them, turn a string into what it holds and back.
#pragma once

#include "http/json_validator.hpp"

#include <sluice/conversation.hpp>
#include <sluice/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sluice::chat {

inline json_type type_of(json value) {
    return value.empty() ? json_type::null : http::json_type_of(value.front());
}
inline bool is_string(json value) {
    return !value.empty() && value.front() == '"';
}
inline bool is_null(json value) {
    return value.empty() || value.front() == 'n';
}

// Without its quotes.
inline json_chars chars_of(json string) {
    return is_string(string) ? string.substr(1, string.size() - 2) : json_chars{};
}
// Is it the string that decodes to `plain`, which is ASCII without quotes and backslashes? False for other spellings
// of it with escapes, which no client writes.
inline bool says(json value, std::string_view plain) {
    return is_string(value) && chars_of(value) == plain;
}
inline bool is_empty_string(json value) {
    return value == R"("")";
}
// What a string decodes to; empty for what is no string.
std::string decode(json string);
// As decode(), without a copy where it has no escapes.
std::string_view decode(json string, text_arena& arena);
// A JSON string that says `plain`.
json quote(std::string_view plain, text_arena& arena);
// The same from what stands between quotes already.
json enclose(json_chars chars, text_arena& arena);

// Calls f(key, json_value) for each member of an object in a validated text, in order and without a look at
// duplicates; keys as written. Allocates nothing.
template <class F>
void each_member(json object, F f);
// Calls f(json_value) for each element of an array in a validated text.
template <class F>
void each_element(json array, F f);

// The arguments of a call as an object, whichever form they came in: an empty string is {}.
// Error: bad_request when the string does not hold an object. Custom calls have none.
result<json> arguments_object(const tool_call& call, text_arena& arena);
// The arguments as a string.
json arguments_string(const tool_call& call, text_arena& arena);

// The name of the tool that a result answers: its own, or that of the call with its id. Empty: there is none.
json tool_name_of(const conversation& c, const tool_result& r);
// The text of a result for a dialect that takes nothing but text: its texts one behind the other (with a line end
// between), or its object. Parts that are no texts are left out.
json text_of(const std::vector<part>& content, text_arena& arena);
json text_of(const tool_result& r, text_arena& arena);

// "data:image/png;base64,...": nothing for another URL, or for data that is not base64.
struct data_url {
    std::string_view mime;  // "image/png"; "text/plain" where it has none
    json_chars base64;
};
std::optional<data_url> read_data_url(json url, text_arena& arena);
// The opposite: a JSON string.
json data_url_of(std::string_view mime, json_chars base64, text_arena& arena);

// Signatures and encrypted reasoning of one family pass through clients of another: they hold "gemini:..." where their
// own kind stands bare.
json_chars tag_foreign(json_chars secret, family from, family client, text_arena& arena);
// Splits what tag_foreign() made: `from` is `client` for what has no tag.
std::pair<json_chars, family> untag(json_chars secret, family client);

// Follows the text of a JSON object that comes in pieces, each the inside of a JSON string: is it whole?
class object_progress {
public:
    void feed(json_chars piece);
    bool whole() const { return began_ && depth_ == 0 && !in_string_; }
    bool began() const { return began_; }

private:
    void step(char c);
    int depth_ = 0;
    int hex_left_ = 0;  // digits of a \u escape of the outer string still to come
    unsigned hex_ = 0;  // the digits so far
    bool began_ = false, in_string_ = false;
    bool outer_escape_ = false;  // the outer string's backslash was seen
    bool inner_escape_ = false;  // the inner one's
};

// How thinking by effort and by budget relate: the table in docs/dialects.md. Tokens for an effort; 0 for "none" and
// for what is no effort. The smallest effort whose budget is no less; empty for a budget that is not given or -1.
std::int64_t budget_of(std::string_view effort);
std::string_view effort_of(std::optional<std::int64_t> budget);

// What an upstream said, for an error message: at most 512 bytes, on one line.
std::string excerpt(std::string_view body);

// --- templates ----------------------------------------------------------------------------------------------

namespace detail {
// Steps over one member or element of a validated text. At the end of the list p is null.
struct member_view {
    std::string_view key;
    json_value value;
};
const char* first_in(json list);
const char* next_member(const char* p, const char* end, member_view& out);
const char* next_element(const char* p, const char* end, json_value& out);
}  // namespace detail

template <class F>
void each_member(json object, F f) {
    if (type_of(object) != json_type::object) return;
    const char* const end = object.data() + object.size();
    detail::member_view m;
    for (const char* p = detail::next_member(detail::first_in(object), end, m); p != nullptr;
         p = detail::next_member(p, end, m)) {
        f(m.key, m.value);
    }
}

template <class F>
void each_element(json array, F f) {
    if (type_of(array) != json_type::array) return;
    const char* const end = array.data() + array.size();
    json_value v;
    for (const char* p = detail::next_element(detail::first_in(array), end, v); p != nullptr;
         p = detail::next_element(p, end, v)) {
        f(v);
    }
}

}  // namespace sluice::chat
