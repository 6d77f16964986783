#include "http/json_validator.hpp"

#include "http/json_number.hpp"
#include "http/json_scan.hpp"

#include <simdjson.h>

#include <cstring>

namespace sluice::http {

// The text may stand elsewhere than before: what points into it moves along.
void json_validator::stand_on(std::string_view text) {
    p_ = text.data() + offset();
    begin_ = text.data();
    end_ = begin_ + text.size();
    if (members_ == nullptr) return;
    for (json_member& m : *members_) {
        m.key = {begin_ + m.begin + 1, m.key.size()};
        if (m.end != 0) m.value.raw = {begin_ + m.end - m.value.raw.size(), m.value.raw.size()};
    }
}

json_validator::next json_validator::step(next state) {
    switch (state) {
        case next::value:
            return read_value();
        case next::key:
            return read_key();
        case next::after_value:
            return read_after_value();
        case next::failed:
            break;
    }
    return next::failed;
}

void json_validator::advance(std::string_view so_far) {
    if (stuck_) return;
    stand_on(so_far);
    const char* const from = p_;
    const std::size_t open_from = open_.at;
    while (state_ != next::after_value || depth_ > 0) {
        const char* const token = p_;
        const auto depth = depth_;
        const auto objects = objects_;
        const std::size_t members = members_ == nullptr ? 0 : members_->size();
        const next then = step(state_);
        // A token that ends with the bytes may go on: a number, an array that is not empty.
        if (then != next::failed && p_ != end_) {
            state_ = then;
            continue;
        }
        p_ = token;
        depth_ = depth;
        objects_ = objects;
        if (members_ != nullptr) members_->resize(members);
        break;
    }
    stuck_ = p_ == from && open_.at == open_from;
}

bool json_validator::finish(std::string_view text) {
    stand_on(text);
    for (next state = state_; state != next::failed; state = step(state)) {
        if (state != next::after_value || depth_ > 0) continue;
        skip_space();
        return p_ == end_ || refuse(p_, "unexpected text behind the JSON value");
    }
    return false;
}

json_validator::next json_validator::read_value() {
    skip_space();
    if (p_ == end_) return fail("the text ends where a value is expected");
    const char* const value = p_;
    bool good = false;
    json_type type = json_type::null;
    switch (*p_) {
        case '{':
            if (indexing()) root_value_ = offset();
            return open(true);
        case '[':
            if (indexing()) root_value_ = offset();
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
    if (indexing()) note_value(begin_ + root_value_, object ? json_type::object : json_type::array);
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
    if (open_.at != 0 && open_.first == static_cast<std::size_t>(first - begin_)) {
        p_ = begin_ + open_.at;
        ascii = open_.ascii;
        escaped_ = escaped_ || open_.escaped;
    }
    while (true) {
        const json_text_run run = skip_string_text(p_, end_);
        p_ = run.stop;
        ascii = ascii && run.ascii;
        escaped_ = escaped_ || run.escaped;
        open_ = {static_cast<std::size_t>(first - begin_), offset(), ascii, escaped_};
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
