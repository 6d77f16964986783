#include "http_reader.hpp"

#include <strings.h>

#include <algorithm>
#include <charconv>

namespace sluice::bench {
namespace {

bool same_name(std::string_view a, std::string_view b) {
    return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

template <typename number>
bool parse(std::string_view text, number& value, int base = 10) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    return error == std::errc{} && end != text.data();
}

}  // namespace

std::string_view http_reader::take(std::string_view& bytes) {
    switch (step_) {
        case step::head:
            take_head(bytes);
            return {};
        case step::body:
        case step::chunk_data:
            return take_data(bytes);
        case step::chunk_size:
        case step::chunk_end:
        case step::trailer:
            take_line(bytes);
            return {};
        case step::complete:
        case step::bad:
            break;
    }
    return {};
}

void http_reader::reset() {
    step_ = step::head;
    status_ = 0;
    chunked_ = false;
    left_ = 0;
    body_bytes_ = 0;
    partial_.clear();
    stream_header_.clear();
}

void http_reader::take_head(std::string_view& bytes) {
    if (partial_.empty()) {
        const std::size_t end = bytes.find("\r\n\r\n");
        if (end != std::string_view::npos) {
            parse_head(bytes.substr(0, end + 2));
            bytes.remove_prefix(end + 4);
            return;
        }
    }
    const std::size_t before = partial_.size();
    partial_ += bytes;
    const std::size_t end = partial_.find("\r\n\r\n", before < 3 ? 0 : before - 3);
    if (end == std::string::npos) {
        bytes = {};
        return;
    }
    bytes.remove_prefix(end + 4 - before);
    const std::string head = std::move(partial_);
    partial_.clear();
    parse_head(std::string_view{head}.substr(0, end + 2));
}

void http_reader::parse_head(std::string_view head) {
    const std::size_t first_end = head.find("\r\n");
    if (kind_ == message_kind::response && (first_end < 12 || !parse(head.substr(9, 3), status_))) {
        step_ = step::bad;
        return;
    }
    bool has_length = false;
    head.remove_prefix(first_end + 2);
    while (!head.empty()) {
        const std::size_t end = head.find("\r\n");
        const std::string_view line = head.substr(0, end);
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos) {
            step_ = step::bad;
            return;
        }
        const std::size_t value = std::min(line.find_first_not_of(' ', colon + 1), line.size());
        has_length = has_length || same_name(line.substr(0, colon), "content-length");
        parse_field(line.substr(0, colon), line.substr(value));
        head.remove_prefix(end + 2);
    }
    if (step_ == step::bad) return;
    if (chunked_) {
        step_ = step::chunk_size;
    } else if (!has_length && kind_ == message_kind::response) {
        step_ = step::bad;  // a body that ends with the connection cannot be told from a broken one
    } else {
        step_ = left_ == 0 ? step::complete : step::body;
    }
}

void http_reader::parse_field(std::string_view name, std::string_view value) {
    if (same_name(name, "content-length")) {
        if (!parse(value, left_)) step_ = step::bad;
    } else if (same_name(name, "transfer-encoding")) {
        chunked_ = same_name(value, "chunked");
        if (!chunked_) step_ = step::bad;
    } else if (same_name(name, "x-bench-stream")) {
        stream_header_ = value;
    }
}

// Lines of chunk framing: a size, the empty line after a chunk, a trailer. Most come whole.
void http_reader::take_line(std::string_view& bytes) {
    const std::size_t end = bytes.find('\n');
    if (end == std::string_view::npos) {
        partial_ += bytes;
        bytes = {};
        return;
    }
    partial_ += bytes.substr(0, end);
    bytes.remove_prefix(end + 1);
    if (!partial_.empty() && partial_.back() == '\r') partial_.pop_back();
    end_line();
    partial_.clear();
}

void http_reader::end_line() {
    switch (step_) {
        case step::chunk_size:
            if (!parse(partial_, left_, 16)) {
                step_ = step::bad;
            } else {
                step_ = left_ == 0 ? step::trailer : step::chunk_data;
            }
            break;
        case step::chunk_end:
            step_ = partial_.empty() ? step::chunk_size : step::bad;
            break;
        case step::trailer:
            if (partial_.empty()) step_ = step::complete;
            break;
        default:
            break;
    }
}

std::string_view http_reader::take_data(std::string_view& bytes) {
    const std::string_view piece = bytes.substr(0, left_);
    bytes.remove_prefix(piece.size());
    left_ -= piece.size();
    body_bytes_ += piece.size();
    if (left_ == 0) step_ = chunked_ ? step::chunk_end : step::complete;
    return piece;
}

}  // namespace sluice::bench
