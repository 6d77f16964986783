// The JSON object a client sent: validated once, read by field, edited in place.
//
// The original bytes are never re-serialised: unknown fields, number texts and white space reach the
// upstream byte for byte. Edits are kept beside the text and woven in when it is written.
#pragma once

#include <sluice/result.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {
namespace http {
class json_validator;
}

enum class json_type : std::uint8_t { null, boolean, number, string, array, object };

// One value inside a validated text: a view, valid as long as the text.
struct json_value {
    json_type type = json_type::null;
    std::string_view raw;  // exact bytes; strings with their quotes

    // Nothing when the type is another, or the number is not an integer in range. 1e3 and 2.0 are integers.
    std::optional<std::string> string() const;  // unescaped
    std::optional<std::int64_t> integer() const;
    std::optional<double> number() const;
    std::optional<bool> boolean() const;
};

struct json_member {
    std::string_view key;      // as written, without quotes
    bool key_escaped = false;  // `key` holds backslash escapes; no field we read is written so
    json_value value;
    std::uint32_t begin = 0;  // offset of the key's opening quote in the text
    std::uint32_t end = 0;    // offset behind the value
};

// Validates a text with any value at its root, as json_object::parse does, but looks for no duplicates.
result<void> validate_json(std::string_view text);

// The members of one object, in order.
class json_object {
public:
    // Reads an object and validates the whole text by RFC 8259: syntax, UTF-8, lone surrogates,
    // nesting (64 at most), numbers in the range of a double, nothing behind the object. Duplicate keys
    // (compared unescaped) at this object are refused, and more than 65,536 members. `text` must outlive the
    // object; at most 1 GiB. A root that is no object is refused.
    // Error: bad_request whose message gives byte offset and reason, and param the pointer.
    static result<json_object> parse(std::string_view text);
    // The same for an object inside a text that was already validated: only indexes its members
    // and refuses duplicates.
    static result<json_object> inside(const json_value& object);

    std::optional<json_value> find(std::string_view key) const;
    const json_member* member(std::string_view key) const;  // nullptr if absent
    const std::vector<json_member>& members() const { return members_; }
    std::string_view text() const { return text_; }

private:
    friend class json_reader;
    result<void> read(std::string_view text, http::json_validator& v);
    std::string_view text_;
    std::vector<json_member> members_;
};

// json_object::parse() in steps, for a text that is still arriving: bytes are validated while the processor has them
// at hand, and little is left to do when the last one is here.
class json_reader {
public:
    json_reader();
    ~json_reader();
    // All that is here, from the first byte; where it stands may change from call to call.
    void advance(std::string_view so_far);
    // The whole text: the same object or error as parse(text), however many steps came before. To be called once.
    result<json_object> finish(std::string_view text);

private:
    struct state;
    std::unique_ptr<state> state_;
};

// The elements of an array inside a validated text; none when the value is no array.
std::vector<json_value> json_elements(const json_value& array);

// Changes to one object's text, woven in when it is written. Cheap to copy: a retry starts again from a
// copy of what stood before the attempt.
class json_edits {
public:
    // `object` must be the same object in every call: the one whose text() is the `original` below.
    // Replaces the value of a member of `object`, or adds the member behind its last one. Setting the same
    // key again replaces the earlier edit. `raw_json` must be valid JSON.
    void set(const json_object& object, std::string_view key, std::string raw_json);
    void remove(const json_object& object, std::string_view key);
    bool empty() const { return edits_.empty(); }

    // The edited text as pieces of the original and of the edits, valid while both live unchanged.
    void pieces(std::string_view original, std::vector<std::string_view>& out) const;
    std::size_t size(std::string_view original) const;  // bytes of all pieces
    std::string apply(std::string_view original) const;

private:
    static constexpr std::uint32_t added_member = 0xffffffff;  // one that the original lacks
    struct edit {
        std::uint32_t at, erased;   // offsets in the original
        std::uint32_t member;       // index in the object, or added_member
        std::string key;            // of an added member
        std::string value;          // empty: the member goes; of an added member: `,"key":value`
        std::uint32_t skipped = 0;  // bytes of `value` not written: the comma of the only member
    };
    void put(const json_object& object, std::string_view key, std::string value);
    void place(const json_object& object);
    std::vector<edit> edits_;  // by member, which is by offset; never overlapping
};

// Appends `text` to `out` as a JSON string with quotes; control characters escaped, UTF-8 kept. Bytes that are
// not UTF-8 become U+FFFD, so that the result is always valid JSON.
void append_json_string(std::string& out, std::string_view text);
std::string to_json_string(std::string_view text);

}  // namespace sluice
