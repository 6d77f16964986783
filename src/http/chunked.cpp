#include "http/chunked.hpp"

#include "base/ascii.hpp"

#include <algorithm>
#include <bit>
#include <cassert>

namespace sluice::http {
namespace {

constexpr std::uint8_t digits_max = 16;

bool is_control(char c) {
    return ascii::find_control(&c, &c + 1) == &c;
}

}  // namespace

chunked_decoder::step chunked_decoder::feed(std::string_view bytes) {
    std::size_t i = 0;
    while (at_ != at::done && at_ != at::bad && i < bytes.size()) {
        if (at_ == at::size && digits_ == 0) i += eat_plain_size(bytes.substr(i));
        if (at_ != at::data) {
            if (i < bytes.size()) eat(bytes[i++]);
            continue;
        }
        const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size() - i));
        const std::string_view run = bytes.substr(i, n);
        i += n;
        left_ -= n;
        if (left_ == 0) at_ = at::data_cr;
        // The line end of a whole chunk goes along, so that a chunk per read is a call per read.
        if (left_ == 0 && bytes.substr(i).starts_with(chunk_end)) {
            at_ = at::size;
            i += chunk_end.size();
        }
        return {progress::need_more, i, run, {}};
    }
    if (at_ == at::bad) return {progress::bad, i, {}, reason_};
    return {at_ == at::done ? progress::done : progress::need_more, i, {}, {}};
}

// A whole size line of the usual kind: some digits and CRLF. Returns how many bytes it had; 0 leaves everything
// to the byte-wise way, which also finds the words for what is wrong.
std::size_t chunked_decoder::eat_plain_size(std::string_view bytes) {
    constexpr std::size_t digits_usual_max = 8;
    std::uint64_t size = 0;
    std::size_t n = 0;
    for (; n < std::min(bytes.size(), digits_usual_max); ++n) {
        const int digit = ascii::hex_value(bytes[n]);
        if (digit < 0) break;
        size = size << 4 | static_cast<unsigned>(digit);
    }
    if (n == 0 || size == 0 || bytes.size() < n + 2 || bytes[n] != '\r' || bytes[n + 1] != '\n') return 0;
    left_ = size;
    at_ = at::data;
    return n + 2;
}

void chunked_decoder::eat(char c) {
    switch (at_) {
        case at::size:
            return eat_size(c);
        case at::extension:
            if (c == '\r') {
                at_ = at::size_lf;
            } else if (is_control(c)) {
                fail("chunk_extension");
            } else if (++line_bytes_ > chunk_extension_bytes_max) {
                fail("chunk_extension_too_long");
            }
            return;
        case at::size_lf:
            if (c != '\n') return fail("chunk_size");
            at_ = left_ == 0 ? at::line : at::data;
            digits_ = 0;
            line_bytes_ = 0;
            return;
        case at::data_cr:
            if (c != '\r') return fail("chunk_end");
            at_ = at::data_lf;
            return;
        case at::data_lf:
            if (c != '\n') return fail("chunk_end");
            at_ = at::size;
            return;
        default:
            return eat_trailer(c);
    }
}

void chunked_decoder::eat_size(char c) {
    if (const int digit = ascii::hex_value(c); digit >= 0) {
        if (++digits_ > digits_max) return fail("chunk_size_too_large");
        left_ = left_ << 4 | static_cast<unsigned>(digit);
        return;
    }
    if (digits_ == 0) return fail("chunk_size");
    if (left_ > static_cast<std::uint64_t>(INT64_MAX)) return fail("chunk_size_too_large");
    if (c == ';') {
        at_ = at::extension;
        line_bytes_ = 1;
    } else if (c == '\r') {
        at_ = at::size_lf;
    } else {
        fail("chunk_size");
    }
}

void chunked_decoder::eat_trailer(char c) {
    if (at_ == at::last_lf) {
        if (c != '\n') return fail("trailer");
        at_ = at::done;
        return;
    }
    if (at_ == at::line && c == '\r') {
        at_ = at::last_lf;
        return;
    }
    if (++line_bytes_ > trailer_bytes_max) return fail("trailers_too_large");
    switch (at_) {
        case at::line:
            if (!ascii::token(c)) return fail("trailer");
            at_ = at::trailer_name;
            return;
        case at::trailer_name:
            if (c == ':') {
                at_ = at::trailer_value;
            } else if (!ascii::token(c)) {
                fail("trailer");
            }
            return;
        case at::trailer_value:
            if (c == '\r') {
                at_ = at::trailer_lf;
            } else if (is_control(c)) {
                fail("trailer");
            }
            return;
        default:
            assert(at_ == at::trailer_lf);
            if (c != '\n') return fail("trailer");
            at_ = at::line;
            return;
    }
}

void chunked_decoder::fail(std::string_view reason) {
    at_ = at::bad;
    reason_ = reason;
}

std::size_t write_chunk_size(char (&out)[18], std::size_t n) {
    static_assert(sizeof(std::size_t) * 2 + chunk_end.size() <= sizeof(out));
    assert(n > 0);
    const int digits = std::max(1, (static_cast<int>(std::bit_width(n)) + 3) / 4);
    char* p = out;
    for (int i = digits - 1; i >= 0; --i) *p++ = "0123456789abcdef"[n >> (4 * i) & 0xf];
    *p++ = '\r';
    *p++ = '\n';
    return static_cast<std::size_t>(p - out);
}

}  // namespace sluice::http
