#include "http/event_stream.hpp"

#include <sluice/json.hpp>

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>

namespace sluice::http {

namespace {

constexpr std::size_t prelude_bytes = 12;
constexpr std::size_t checksum_bytes = 4;

// Big-endian, of one to four bytes.
std::uint32_t number_of(std::string_view bytes) {
    std::uint32_t value = 0;
    for (const char c : bytes) value = value << 8U | static_cast<unsigned char>(c);
    return value;
}

void append_number(std::string& out, std::size_t bytes, std::size_t value) {
    while (bytes-- > 0) out += static_cast<char>(value >> (8 * bytes) & 0xffU);
}

std::uint32_t checksum(std::string_view bytes) {
    return static_cast<std::uint32_t>(
        ::crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
}

// Cuts `n` bytes off the front of `rest`; false: it has not that many.
bool take_off(std::string_view& rest, std::size_t n, std::string_view& out) {
    if (rest.size() < n) return false;
    out = rest.substr(0, n);
    rest.remove_prefix(n);
    return true;
}

struct header {
    std::string_view name;
    std::string_view text;  // of a string
    bool is_string = false;
};

// The number of bytes of each type: true, false, byte, short, integer, long, bytes, string, timestamp, uuid.
constexpr std::array<std::uint8_t, 10> value_sizes = {0, 0, 1, 2, 4, 8, 2, 2, 8, 16};
constexpr std::uint32_t type_bytes = 6;
constexpr std::uint32_t type_string = 7;

// Empty: read. Else what is wrong.
std::string_view take_header(std::string_view& rest, header& h) {
    constexpr std::string_view cut = "a header runs past the headers";
    std::string_view length, type;
    if (!take_off(rest, 1, length) || !take_off(rest, number_of(length), h.name) || !take_off(rest, 1, type)) {
        return cut;
    }
    if (h.name.empty()) return "a header has no name";
    const std::uint32_t what = number_of(type);
    if (what >= value_sizes.size()) return "a header has an unknown type";
    if (!take_off(rest, value_sizes[what], h.text)) return cut;
    h.is_string = what == type_string;
    const bool has_length = what == type_bytes || h.is_string;
    if (has_length && !take_off(rest, number_of(h.text), h.text)) return cut;
    return {};
}

// The headers that say what a message is.
struct envelope {
    std::string_view message_type, event_type, exception_type, content_type, error_code, error_message;

    std::string_view* field(std::string_view name) {
        if (name == ":event-type") return &event_type;
        if (name == ":content-type") return &content_type;
        if (name == ":message-type") return &message_type;
        if (name == ":exception-type") return &exception_type;
        if (name == ":error-code") return &error_code;
        if (name == ":error-message") return &error_message;
        return nullptr;
    }
};

}  // namespace

aws_event_reader::aws_event_reader(std::size_t message_bytes_max)
    : max_(std::min(message_bytes_max, message_bytes_limit)) {}

result<bool> aws_event_reader::next(aws_event& e) {
    e = {};
    if (failed_) return *failed_;
    if (handed_out_) release();
    result<bool> got = take(e);
    if (!got) {
        failed_ = got.error();
        e = {};
        piece_ = {};
        release();
    }
    return got;
}

result<void> aws_event_reader::finish() const {
    if (failed_) return *failed_;
    if (held_bytes() == 0) return {};
    error e = wrong("the stream ends inside a message", held_.size());
    e.kind = error_kind::upstream_reset;
    return e;
}

result<bool> aws_event_reader::take(aws_event& e) {
    const bool in_piece = held_.empty() && piece_.size() >= prelude_bytes;
    if (!in_piece && !fill(prelude_bytes)) return false;
    if (total_ == 0) {
        const std::string_view begin = in_piece ? piece_ : std::string_view(held_);
        const result<void> prelude = read_prelude(begin.substr(0, prelude_bytes));
        if (!prelude) return prelude.error();
    }
    std::string_view raw;
    if (!held_.empty() || !take_off(piece_, total_, raw)) {
        if (!fill(total_)) return false;
        raw = held_;
        handed_out_ = true;
    }
    const result<void> message = read_message(raw, e);
    if (!message) return message.error();
    start_ += total_;
    total_ = 0;
    return true;
}

// Moves bytes of the piece into held_ until it has `size`; false: the piece is used up.
bool aws_event_reader::fill(std::size_t size) {
    if (held_.size() < size) {
        std::string_view more;
        take_off(piece_, std::min(size - held_.size(), piece_.size()), more);
        held_.append(more);
    }
    return held_.size() >= size;
}

// Gives memory back: thousands of streams wait between two events.
void aws_event_reader::release() {
    std::string{}.swap(held_);
    handed_out_ = false;
}

// The checksum comes first: without it the lengths mean nothing.
result<void> aws_event_reader::read_prelude(std::string_view prelude) {
    if (number_of(prelude.substr(8)) != checksum(prelude.substr(0, 8))) {
        return wrong("the checksum of the prelude is wrong", 8);
    }
    const std::size_t total = number_of(prelude.substr(0, 4));
    const std::size_t headers = number_of(prelude.substr(4, 4));
    if (total < prelude_bytes + checksum_bytes) return wrong("a message has at least 16 bytes", 0);
    if (total > max_) {
        error e = wrong(fmt::format("a message of {} bytes is above the limit of {}", total, max_), 0);
        e.kind = error_kind::upstream_event_too_large;
        return e;
    }
    if (headers > headers_bytes_limit) return wrong("the headers are longer than 128 KiB", 4);
    if (headers > total - prelude_bytes - checksum_bytes) return wrong("the headers are longer than the message", 4);
    total_ = total;
    headers_ = headers;
    return {};
}

result<void> aws_event_reader::read_message(std::string_view raw, aws_event& e) {
    const std::string_view checked = raw.substr(0, raw.size() - checksum_bytes);
    if (number_of(raw.substr(checked.size())) != checksum(checked)) {
        return wrong("the checksum of the message is wrong", checked.size());
    }
    envelope about;
    std::string_view rest = checked.substr(prelude_bytes, headers_);
    while (!rest.empty()) {
        const std::size_t at = prelude_bytes + headers_ - rest.size();
        header h;
        const std::string_view problem = take_header(rest, h);
        if (!problem.empty()) return wrong(problem, at);
        std::string_view* const field = about.field(h.name);
        if (field != nullptr && (!h.is_string || !field->empty()))
            return wrong("a header's type is wrong, or it repeats", at);
        if (field != nullptr) *field = h.text;
    }
    e.data = checked.substr(prelude_bytes + headers_);
    e.content_type = about.content_type;
    if (about.message_type == "exception") {
        e.name = name_.assign("exception:").append(about.exception_type);
    } else if (about.message_type == "error") {
        e.name = name_.assign("error:").append(about.error_code);
        data_.assign("{\"message\":");
        append_json_string(data_, about.error_message);
        e.data = data_.append("}");
    } else {
        e.name = about.event_type;
    }
    return {};
}

error aws_event_reader::wrong(std::string_view what, std::size_t at) const {
    return error{error_kind::upstream_protocol, fmt::format("event stream, byte {}: {}", start_ + at, what)};
}

void append_aws_message(std::string& out, std::span<const aws_header> headers, std::string_view payload) {
    std::size_t block = 0;
    for (const auto& [name, value] : headers) block += 1 + name.size() + 1 + 2 + value.size();
    const std::size_t start = out.size();
    append_number(out, 4, prelude_bytes + block + payload.size() + checksum_bytes);
    append_number(out, 4, block);
    append_number(out, 4, checksum(std::string_view(out).substr(start)));
    for (const auto& [name, value] : headers) {
        append_number(out, 1, name.size());
        out += name;
        append_number(out, 1, type_string);
        append_number(out, 2, value.size());
        out += value;
    }
    out += payload;
    append_number(out, 4, checksum(std::string_view(out).substr(start)));
}

void append_aws_event(std::string& out, std::string_view type, std::string_view payload) {
    const std::array<aws_header, 3> headers = {
        {{":event-type", type}, {":content-type", "application/json"}, {":message-type", "event"}}};
    append_aws_message(out, headers, payload);
}

void append_aws_exception(std::string& out, std::string_view type, std::string_view payload) {
    const std::array<aws_header, 3> headers = {
        {{":exception-type", type}, {":content-type", "application/json"}, {":message-type", "exception"}}};
    append_aws_message(out, headers, payload);
}

}  // namespace sluice::http
