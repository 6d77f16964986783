// Reads the objects of a client's request member by member, strictly: the first wrong type is kept as the error of the
// whole request and names the place in the client's spelling. What was not asked for is left for the extras.
#pragma once

#include "dialects/values.hpp"

#include <sluice/conversation.hpp>
#include <sluice/json.hpp>
#include <sluice/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::chat::anthropic {

inline constexpr std::size_t elements_max = 65'536;  // messages, parts, tools

// Where a value stands. A chain on the stack, written out only when something is wrong: each place must outlive those
// inside it.
class place {
public:
    place() = default;
    place in(std::string_view key) const { return place(this, key, no_index); }
    place at(std::size_t index) const { return place(this, {}, index); }
    std::string text() const;  // "messages[2].content[0].text"

private:
    static constexpr std::size_t no_index = static_cast<std::size_t>(-1);
    place(const place* outer, std::string_view key, std::size_t index) : outer_(outer), key_(key), index_(index) {}
    const place* outer_ = nullptr;
    std::string_view key_;
    std::size_t index_ = no_index;
};

// What one reading shares: the first thing that is wrong, after which nothing else counts.
class request_check {
public:
    bool ok() const { return !wrong_; }
    result<void> outcome() const;
    // "<place> <what>", as "max_tokens must be an integer."
    void refuse(const place& where, std::string_view what);
    void refuse(error e);

private:
    std::optional<error> wrong_;
};

enum class need : std::uint8_t { optional, required };

// One object. Members that are null count as absent. Everything it returns is empty once the check failed.
class fields {
public:
    fields(request_check& check, const json_value& object, const place& where);   // refuses what is no object
    fields(request_check& check, const json_object& object, const place& where);  // which must outlive this
    fields(const fields&) = delete;
    fields& operator=(const fields&) = delete;

    json string(std::string_view key, need n = need::optional);
    json object(std::string_view key, need n = need::optional);
    json array(std::string_view key, need n = need::optional);
    json number(std::string_view key);
    json boolean(std::string_view key);
    std::optional<std::int64_t> integer(std::string_view key);
    std::optional<json_value> any(std::string_view key);  // null counts as absent here too

    // All members that none of the above asked for; names with `prefix` before them.
    void rest(extra_fields& out) const;
    void rest(extra_fields& out, std::string_view prefix, text_arena& arena) const;

    const place& where() const { return *where_; }

private:
    std::optional<json_value> take(std::string_view key, json_type type, need n, std::string_view what);
    request_check& check_;
    json_object own_;
    const json_object* object_ = nullptr;  // null: there is none
    const place* where_;
    std::vector<bool> taken_;
};

// The elements of an array, at most elements_max.
std::vector<json_value> elements(request_check& check, json array, const place& where);

inline json_value value_of(json text) {
    return {type_of(text), text};
}

}  // namespace sluice::chat::anthropic
