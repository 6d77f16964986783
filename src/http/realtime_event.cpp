#include "http/realtime_event.hpp"

namespace sluice::http {
namespace {

void add_count(std::int64_t& total, std::int64_t more) {
    if (more < 0) return;
    if (total < 0) total = 0;
    if (__builtin_add_overflow(total, more, &total)) total = INT64_MAX;
}

}  // namespace

void realtime_event::feed(std::string_view piece) {
    // Of the bytes of an audio event only the first few are looked at.
    if (typed_ && text_ != "response.done") return;
    if (piece.empty()) return;
    usage_.feed(piece);
    for (const char c : piece) {
        if (typed_) return;
        step(c);
    }
}

void realtime_event::step(char c) {
    if (in_string_) {
        if (escape_) {
            escape_ = false;
        } else if (c == '\\') {
            escape_ = true;
        } else if (c == '"') {
            in_string_ = false;
            end_string();
            return;
        }
        if (role_ != role::other && text_.size() <= text_max) text_ += c;
        return;
    }
    switch (c) {
        case '"':
            in_string_ = true;
            role_ = depth_ != 1      ? role::other
                    : !behind_colon_ ? role::key
                    : key_is_type_   ? role::value_of_type
                                     : role::other;
            text_.clear();
            break;
        case '{':
        case '[':
            ++depth_;
            break;
        case '}':
        case ']':
            if (depth_ > 0) --depth_;
            break;
        case ':':
            if (depth_ == 1) behind_colon_ = true;
            break;
        case ',':
            if (depth_ == 1) behind_colon_ = key_is_type_ = false;
            break;
        default:
            break;
    }
}

void realtime_event::end_string() {
    if (role_ == role::key) key_is_type_ = text_ == "type";
    if (role_ == role::value_of_type) typed_ = true;
}

void add_usage(token_usage& total, const token_usage& more) {
    add_count(total.input, more.input);
    add_count(total.output, more.output);
    add_count(total.cached_input, more.cached_input);
    add_count(total.reasoning, more.reasoning);
}

}  // namespace sluice::http
