#include "http/websocket_frames.hpp"

#include <algorithm>

namespace sluice::http {
namespace {

enum opcode : unsigned char { continuation = 0, text_frame = 1, binary_frame = 2, close_frame = 8, pong_frame = 10 };
constexpr unsigned char final_bit = 0x80, reserved_bits = 0x70, mask_bit = 0x80;
constexpr std::uint64_t control_bytes_max = 125;

char byte(std::uint64_t n) {
    return static_cast<char>(n & 0xff);
}

}  // namespace

std::size_t websocket_scanner::header_bytes() const {
    if (header_size_ < 2) return 2;
    const unsigned size = header_[1] & 0x7f;
    return 2u + (size == 127 ? 8u : size == 126 ? 2u : 0u) + (masked_ ? 4u : 0u);
}

websocket_scanner::step websocket_scanner::next(std::string_view bytes) {
    step s;
    if (left_ > 0) {
        s.consumed = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
        if (!control_ && text_) s.text = bytes.substr(0, s.consumed);
        left_ -= s.consumed;
        if (left_ == 0) end_step(s);
        return s;
    }
    while (header_size_ < header_bytes() && s.consumed < bytes.size())
        header_[header_size_++] = static_cast<unsigned char>(bytes[s.consumed++]);
    // Who leaves the mask out sends a shorter header than the one that would be waited for.
    if (header_size_ >= 2 && ((header_[1] & mask_bit) != 0) != masked_) {
        s.violation = close_code::protocol_error;
        s.consumed = 0;
        return s;
    }
    if (header_size_ < header_bytes()) return s;
    const bool within = in_message_;
    s.violation = begin_frame();
    if (s.violation != 0) {
        s.consumed = 0;
        return s;
    }
    s.message_begins = !control_ && !within;
    header_size_ = 0;
    if (left_ == 0) end_step(s);
    return s;
}

std::uint16_t websocket_scanner::begin_frame() {
    const unsigned code = header_[0] & 0x0f;
    final_ = (header_[0] & final_bit) != 0;
    control_ = code >= close_frame;
    close_ = code == close_frame;
    const bool known = code <= binary_frame || (control_ && code <= pong_frame);
    if (closed_ || !known || (header_[0] & reserved_bits) != 0) return close_code::protocol_error;

    const unsigned short_size = header_[1] & 0x7f;
    const std::size_t size_bytes = short_size == 127 ? 8 : short_size == 126 ? 2 : 0;
    left_ = size_bytes == 0 ? short_size : 0;
    for (std::size_t i = 0; i < size_bytes; ++i) left_ = left_ << 8 | header_[2 + i];
    // The shortest form is the only one (section 5.2), and the highest bit is not used.
    const bool longer_than_needed = (size_bytes == 2 && left_ < 126) || (size_bytes == 8 && left_ < 65536);
    if (longer_than_needed || left_ >> 63 != 0) return close_code::protocol_error;

    if (control_) {
        const bool half_a_code = close_ && left_ == 1;
        return !final_ || left_ > control_bytes_max || half_a_code ? close_code::protocol_error : std::uint16_t{0};
    }
    if ((code == continuation) != in_message_) return close_code::protocol_error;
    if (code != continuation) {
        text_ = code == text_frame;
        message_bytes_ = 0;
    }
    if (left_ > message_bytes_max_ - message_bytes_) return close_code::too_big;
    message_bytes_ += left_;
    in_message_ = true;
    return 0;
}

void websocket_scanner::end_step(step& s) {
    if (control_) {
        s.closes = closed_ = close_;
    } else if (final_) {
        s.message_ends = true;
        in_message_ = false;
    }
}

std::string write_websocket_close(websocket_side from, std::uint16_t code, std::string_view reason,
                                  std::array<unsigned char, 4> mask) {
    const bool masked = from == websocket_side::client;
    reason = reason.substr(0, control_bytes_max - 2);
    std::string frame;
    frame += byte(final_bit | close_frame);
    frame += byte((masked ? mask_bit : 0u) | (2 + reason.size()));
    if (masked) {
        for (const unsigned char m : mask) frame += byte(m);
    }
    const std::size_t payload = frame.size();
    frame += byte(code >> 8);
    frame += byte(code);
    frame += reason;
    for (std::size_t i = payload; masked && i < frame.size(); ++i)
        frame[i] = byte(static_cast<unsigned char>(frame[i]) ^ mask[(i - payload) % 4]);
    return frame;
}

std::string write_websocket_text(std::string_view text) {
    std::string frame;
    frame += byte(final_bit | text_frame);
    const int size_bytes = text.size() < 126 ? 0 : text.size() < 65536 ? 2 : 8;
    frame += byte(size_bytes == 0 ? text.size() : size_bytes == 2 ? 126u : 127u);
    for (int i = size_bytes; i-- > 0;) frame += byte(std::uint64_t{text.size()} >> (8 * i));
    frame += text;
    return frame;
}

}  // namespace sluice::http
