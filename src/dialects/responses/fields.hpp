// Reads objects member by member, strictly: the first wrong type is kept as the error of the whole text and names the
// place in the client's spelling ("input[2].content[0].text"). What was not asked for is left for the extras.
#pragma once

#include "dialects/values.hpp"

#include <sluice/conversation.hpp>
#include <sluice/json.hpp>
#include <sluice/result.hpp>

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::chat::responses {

inline constexpr std::size_t elements_max = 65'536;  // items, parts, tools

// Where a value stands: a chain on the stack that is written out only when something is wrong. Each place must outlive
// those inside it.
class place {
public:
    place() = default;
    place in(std::string_view key) const { return place(this, key, no_index); }
    place at(std::size_t index) const { return place(this, {}, index); }
    std::string text() const;

private:
    static constexpr std::size_t no_index = static_cast<std::size_t>(-1);
    place(const place* outer, std::string_view key, std::size_t index) : outer_(outer), key_(key), index_(index) {}
    const place* outer_ = nullptr;
    std::string_view key_;
    std::size_t index_ = no_index;
};

// What one reading shares: the first thing that is wrong, after which nothing counts.
class checker {
public:
    bool ok() const { return !wrong_; }
    result<void> outcome() const { return wrong_ ? result<void>(*wrong_) : result<void>{}; }
    // "`<place>` <what>", with what as "must be a string."
    void refuse(const place& where, std::string_view what);
    void refuse(error e) {
        if (!wrong_) wrong_ = std::move(e);
    }

private:
    std::optional<error> wrong_;
};

enum class need : std::uint8_t { optional, required };

// One object. Members that are null count as absent. After the first error everything reads as absent.
class fields {
public:
    fields(checker& check, const json_value& object, const place& where);   // refuses what is no object
    fields(checker& check, const json_object& object, const place& where);  // which must outlive this
    fields(const fields&) = delete;
    fields& operator=(const fields&) = delete;

    json string(std::string_view key, need n = need::optional);
    json object(std::string_view key) { return take(key, json_type::object, "must be an object."); }
    json array(std::string_view key) { return take(key, json_type::array, "must be an array."); }
    json number(std::string_view key) { return take(key, json_type::number, "must be a number."); }
    json boolean(std::string_view key) { return take(key, json_type::boolean, "must be a boolean."); }
    std::optional<std::int64_t> integer(std::string_view key);
    // A string that must be one of `words`; empty when absent. What it returns is the word itself.
    std::string_view word(std::string_view key, std::initializer_list<std::string_view> words);
    std::optional<json_value> any(std::string_view key, need n = need::optional);

    // A member that was looked at, and is to be among the rest nevertheless.
    void leave(std::string_view key);
    // All members that none of the above asked for, without nulls, as they follow each other.
    void rest(extra_fields& out) const;

    const place& where() const { return where_; }

private:
    json take(std::string_view key, json_type type, std::string_view what);
    checker& check_;
    json_object own_;
    const json_object* object_ = nullptr;  // null: there is none
    const place& where_;
    std::vector<bool> taken_;
};

// Calls f(value, place) for each element of an array while nothing is wrong; refuses more than elements_max.
template <class F>
void each_checked(checker& check, json array, const place& where, F f) {
    std::size_t index = 0;
    each_element(array, [&](const json_value& v) {
        if (!check.ok()) return;
        if (index == elements_max) return check.refuse(where, "has more than 65536 elements.");
        const place here = where.at(index++);
        f(v, here);
    });
}

inline json_value value_of(json text) {
    return {type_of(text), text};
}

}  // namespace sluice::chat::responses
