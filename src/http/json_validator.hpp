// One pass over a JSON text: validates it and notes where the members of the outermost object stand.
//
// The depth of nesting costs no stack: it is a counter and one bit per level, so hostile nesting ends at
// the limit and not at a guard page.
#pragma once

#include <sluice/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::http {

inline constexpr unsigned json_depth_max = 64;                 // open arrays and objects
inline constexpr std::size_t json_text_bytes_max = 1UL << 30;  // offsets fit 32 bits
inline constexpr std::size_t json_members_max = 65'536;        // of an object that is indexed

class json_validator {
public:
    // `members` may be null: then the text is only validated. It is appended to only when the root is an
    // object.
    explicit json_validator(std::vector<json_member>* members) : members_(members) {}

    // Goes as far as it can with what has come of a text, all of it from its first byte; it may have moved since the
    // call before. Gives no verdict: what the bytes end within, and what is wrong, is read again when more is here.
    void advance(std::string_view so_far);
    // The whole text. False: reason() and offset() say why, the same ones whether advance() was called or not.
    bool finish(std::string_view text);

    const char* reason() const { return reason_; }
    std::size_t offset() const { return static_cast<std::size_t>(p_ - begin_); }

private:
    enum class next : std::uint8_t { value, key, after_value, failed };
    // A string that the bytes ended within: where reading goes on when its end is looked for again.
    struct open_string {
        std::size_t first = 0, at = 0;  // offsets: behind the quote, of the first byte not looked at. 0: there is none
        bool ascii = true;              // [first, at) is
        bool escaped = false;           // [first, at) holds a backslash
    };

    next step(next state);
    void stand_on(std::string_view text);
    next read_value();
    next read_key();
    next read_after_value();
    next open(bool object);
    bool read_string();
    bool read_long_escape();  // \u and its four digits
    bool read_hex4(unsigned& unit);
    bool read_literal(std::string_view word);
    bool read_number();
    void skip_space() {
        while (p_ != end_ && (*p_ == ' ' || *p_ == '\n' || *p_ == '\r' || *p_ == '\t')) ++p_;
    }
    bool in_object() const { return (objects_ & 1) != 0; }
    bool indexing() const { return members_ != nullptr && depth_ == 1 && in_object(); }
    void note_value(const char* value, json_type type);
    next fail(const char* reason) {
        reason_ = reason;
        return next::failed;
    }
    bool refuse(const char* at, const char* reason) {
        p_ = at;
        reason_ = reason;
        return false;
    }

    const char* begin_ = nullptr;
    const char* p_ = nullptr;
    const char* end_ = nullptr;
    std::vector<json_member>* members_;
    next state_ = next::value;
    bool stuck_ = false;  // advance() got nowhere: no use in trying again before the end
    open_string open_;
    const char* reason_ = nullptr;
    unsigned depth_ = 0;
    std::uint64_t objects_ = 0;   // bit 0: the innermost open level is an object; bit 1 the one around it; ...
    std::size_t root_value_ = 0;  // offset of the value of the outermost object that is being read
    bool escaped_ = false;        // the string read last holds a backslash
};

// The JSON pointer (RFC 6901) of the place `offset` in a text that is valid up to there; "" for the root
// and when the pointer would be longer than 256 bytes. Keys stand in it as written.
std::string json_pointer_at(std::string_view text, std::size_t offset);

// Behind the value at the start of [p, end), which was validated before. Never passes `end`.
const char* skip_valid_json(const char* p, const char* end);
// Behind the string whose opening quote stands at `p`; `escaped` tells of backslashes.
const char* skip_valid_string(const char* p, const char* end, bool& escaped);
const char* skip_json_space(const char* p, const char* end);
// By the first byte of a valid value.
json_type json_type_of(char first);

// The text between the quotes with escapes resolved, as UTF-8. `inside` must have been validated.
std::string unescape_json(std::string_view inside);

}  // namespace sluice::http
