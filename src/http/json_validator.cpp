#include "http/json_validator.hpp"

#include "http/json_number.hpp"
#include "http/json_scan.hpp"

#include <simdjson.h>

#include <cstring>

namespace sluice::http {

bool json_validator::run() {
    next state = next::value;
    while (true) {
        switch (state) {
            case next::value:
                state = read_value();
                break;
            case next::key:
                state = read_key();
                break;
            case next::after_value:
                if (depth_ == 0) {
                    skip_space();
                    return p_ == end_ || refuse(p_, "unexpected text behind the JSON value");
                }
                state = read_after_value();
                break;
            case next::failed:
                return false;
        }
    }
}

json_validator::next json_validator::read_value() {
    skip_space();
    if (p_ == end_) return fail("the text ends where a value is expected");
    const char* const value = p_;
    bool good = false;
    json_type type = json_type::null;
    switch (*p_) {
        case '{':
            if (indexing()) root_value_ = value;
            return open(true);
        case '[':
            if (indexing()) root_value_ = value;
            return open(false);
        case '"':
            type = json_type::string;
            good = read_string();
            break;
        case 't':
            type = json_type::boolean;
            good = read_literal("true");
            break;
        case 'f':
            type = json_type::boolean;
            good = read_literal("false");
            break;
        case 'n':
            good = read_literal("null");
            break;
        default:
            type = json_type::number;
            good = read_number();
    }
    if (!good) return next::failed;
    if (indexing()) note_value(value, type);
    return next::after_value;
}

json_validator::next json_validator::open(bool object) {
    if (depth_ == json_depth_max) return fail("nested deeper than 64 levels");
    ++depth_;
    objects_ = objects_ << 1 | (object ? 1 : 0);
    ++p_;
    skip_space();
    if (p_ != end_ && *p_ == (object ? '}' : ']')) return next::after_value;  // read there as the end
    return object ? next::key : next::value;
}

json_validator::next json_validator::read_key() {
    if (p_ == end_) return fail("the text ends where a key is expected");
    if (*p_ != '"') return fail("expected a key in double quotes");
    const char* const key = p_;
    escaped_ = false;
    if (!read_string()) return next::failed;
    if (indexing()) {
        if (members_->size() == json_members_max) {
            p_ = key;
            return fail("more than 65536 members");
        }
        json_member& m = members_->emplace_back();
        m.key = {key + 1, static_cast<std::size_t>(p_ - key - 2)};
        m.key_escaped = escaped_;
        m.begin = static_cast<std::uint32_t>(key - begin_);
    }
    skip_space();
    if (p_ == end_ || *p_ != ':') return fail("expected ':' behind the key");
    ++p_;
    return next::value;
}

json_validator::next json_validator::read_after_value() {
    skip_space();
    if (p_ == end_) return fail(in_object() ? "the text ends inside an object" : "the text ends inside an array");
    const bool object = in_object();
    if (*p_ == ',') {
        ++p_;
        skip_space();
        return object ? next::key : next::value;
    }
    if (*p_ != (object ? '}' : ']')) return fail(object ? "expected ',' or '}'" : "expected ',' or ']'");
    ++p_;
    --depth_;
    objects_ >>= 1;
    if (indexing()) note_value(root_value_, object ? json_type::object : json_type::array);
    return next::after_value;
}

void json_validator::note_value(const char* value, json_type type) {
    json_member& m = members_->back();
    m.value = {type, {value, static_cast<std::size_t>(p_ - value)}};
    m.end = static_cast<std::uint32_t>(p_ - begin_);
}

bool json_validator::read_string() {
    const char* const first = ++p_;
    if (const char* const quote = short_string_end(p_, end_)) {
        p_ = quote + 1;
        return true;
    }
    bool ascii = true;
    while (true) {
        const json_text_run run = skip_string_text(p_, end_);
        p_ = run.stop;
        ascii = ascii && run.ascii;
        escaped_ = escaped_ || run.escaped;
        if (p_ == end_) return refuse(p_, "the text ends inside a string");
        if (*p_ == '"') break;
        if (*p_ != '\\') return refuse(p_, "a control character in a string must be escaped");
        escaped_ = true;
        if (!read_long_escape()) return false;
    }
    const std::string_view inside{first, static_cast<std::size_t>(p_ - first)};
    if (!ascii && !simdjson::validate_utf8(inside)) {
        return refuse(first + valid_utf8_prefix(inside), "not valid UTF-8");
    }
    ++p_;
    return true;
}

bool json_validator::read_long_escape() {
    const char* const slash = p_;
    if (end_ - p_ < 2) return refuse(end_, "the text ends inside a string");
    if (p_[1] != 'u') return refuse(slash, "an escape that JSON does not have");
    p_ += 2;
    unsigned unit = 0, second = 0;
    if (!read_hex4(unit)) return refuse(slash, "expected four hexadecimal digits behind \\u");
    if (unit < 0xd800 || unit > 0xdfff) return true;
    const bool paired = unit < 0xdc00 && end_ - p_ >= 2 && p_[0] == '\\' && p_[1] == 'u';
    if (paired) p_ += 2;
    if (!paired || !read_hex4(second) || second < 0xdc00 || second > 0xdfff) {
        return refuse(slash, "half of a surrogate pair");
    }
    return true;
}

bool json_validator::read_hex4(unsigned& unit) {
    if (end_ - p_ < 4) return false;
    unit = 0;
    for (int i = 0; i < 4; ++i, ++p_) {
        const char c = *p_;
        const char lower = static_cast<char>(c | 0x20);
        if (c >= '0' && c <= '9') {
            unit = unit << 4 | static_cast<unsigned>(c - '0');
        } else if (lower >= 'a' && lower <= 'f') {
            unit = unit << 4 | static_cast<unsigned>(lower - 'a' + 10);
        } else {
            return false;
        }
    }
    return true;
}

bool json_validator::read_literal(std::string_view word) {
    if (static_cast<std::size_t>(end_ - p_) < word.size() || std::memcmp(p_, word.data(), word.size()) != 0) {
        return refuse(p_, "expected a value");
    }
    p_ += word.size();
    return true;
}

bool json_validator::read_number() {
    if (*p_ != '-' && (*p_ < '0' || *p_ > '9')) {
        if (*p_ == '\0') return refuse(p_, "a NUL byte");
        if (p_ == begin_ && *p_ == '\xef') return refuse(p_, "a byte order mark is not allowed");
        return refuse(p_, "expected a value");
    }
    const json_number_scan n = scan_json_number(p_, end_);
    p_ = n.stop;
    reason_ = n.problem;
    return n.problem == nullptr;
}

}  // namespace sluice::http
