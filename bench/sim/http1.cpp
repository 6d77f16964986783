#include "sim/http1.hpp"

#include <algorithm>
#include <charconv>

namespace sluice::sim {
namespace {

constexpr char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

std::string_view trim(std::string_view s) {
    while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
    while (!s.empty() && (s.back() == ' ' || s.back() == '\t' || s.back() == '\r')) s.remove_suffix(1);
    return s;
}

bool contains_token(std::string_view value, std::string_view token) {
    while (!value.empty()) {
        const auto comma = value.find(',');
        if (same_name(trim(value.substr(0, comma)), token)) return true;
        value = comma == std::string_view::npos ? std::string_view() : value.substr(comma + 1);
    }
    return false;
}

}  // namespace

bool same_name(std::string_view a, std::string_view b) {
    return a.size() == b.size() &&
           std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view request::find(std::string_view name) const {
    for (const field& f : fields) {
        if (same_name(f.name, name)) return f.value;
    }
    return {};
}

std::string_view request::parameter(std::string_view name) const {
    std::string_view rest = query;
    while (!rest.empty()) {
        const auto ampersand = rest.find('&');
        const auto pair = rest.substr(0, ampersand);
        if (pair.starts_with(name) && pair.substr(name.size()).starts_with('=')) return pair.substr(name.size() + 1);
        rest = ampersand == std::string_view::npos ? std::string_view() : rest.substr(ampersand + 1);
    }
    return {};
}

request_parser::status request_parser::parse(std::string_view bytes, request& out) {
    bool views_fresh = false;
    if (head_size_ == 0) {
        const auto end = bytes.find("\r\n\r\n", scanned_ < 3 ? 0 : scanned_ - 3);
        if (end == std::string_view::npos) {
            scanned_ = bytes.size();
            return scanned_ > head_bytes_max ? status::bad : status::more;
        }
        head_size_ = end + 4;
        if (!read_head(bytes.substr(0, end), out)) return status::bad;
        if (length_ > body_bytes_max) return status::bad;
        chunk_at_ = head_size_;
        views_fresh = true;
    }
    if (chunked_) {
        const status s = read_chunks(bytes);
        if (s != status::ready) return s;
    } else {
        if (bytes.size() < head_size_ + length_) return status::more;
        consumed_ = head_size_ + length_;
    }
    // The bytes may have moved since the head was first read: then the views are made anew.
    if (!views_fresh && !read_head(bytes.substr(0, head_size_ - 4), out)) return status::bad;
    out.body = chunked_ ? std::string_view(body_) : bytes.substr(head_size_, length_);
    expects_continue_ = false;
    return status::ready;
}

void request_parser::next() {
    scanned_ = head_size_ = chunk_at_ = consumed_ = 0;
    length_ = 0;
    chunked_ = expects_continue_ = false;
    body_.clear();
}

bool request_parser::read_head(std::string_view head, request& out) {
    out.head = head;
    out.fields.clear();
    auto line_end = std::min(head.find("\r\n"), head.size());
    const auto line = head.substr(0, line_end);
    const auto first = line.find(' ');
    const auto last = line.rfind(' ');
    if (first == std::string_view::npos || last == first || first == 0) return false;
    out.method = line.substr(0, first);
    out.target = line.substr(first + 1, last - first - 1);
    out.path = out.target.substr(0, out.target.find('?'));
    out.query = out.path.size() < out.target.size() ? out.target.substr(out.path.size() + 1) : std::string_view();
    out.keep_alive = line.substr(last + 1) != "HTTP/1.0";
    while (line_end < head.size()) {
        const auto begin = line_end + 2;
        line_end = std::min(head.find("\r\n", begin), head.size());
        const auto field = head.substr(begin, line_end - begin);
        const auto colon = field.find(':');
        if (colon == std::string_view::npos) continue;
        const auto name = field.substr(0, colon);
        const auto value = trim(field.substr(colon + 1));
        out.fields.push_back({name, value});
        switch (name.size()) {
            case 6:
                if (same_name(name, "expect")) expects_continue_ = same_name(value, "100-continue");
                break;
            case 10:
                if (!same_name(name, "connection")) break;
                if (contains_token(value, "close")) out.keep_alive = false;
                if (contains_token(value, "keep-alive")) out.keep_alive = true;
                break;
            case 14:
                if (same_name(name, "content-length") &&
                    std::from_chars(value.data(), value.data() + value.size(), length_).ec != std::errc()) {
                    return false;
                }
                break;
            case 17:
                if (same_name(name, "transfer-encoding")) chunked_ = contains_token(value, "chunked");
                break;
            default:
                break;
        }
    }
    return true;
}

request_parser::status request_parser::read_chunks(std::string_view bytes) {
    for (;;) {
        const auto eol = bytes.find("\r\n", chunk_at_);
        if (eol == std::string_view::npos) return bytes.size() - chunk_at_ > 8192 ? status::bad : status::more;
        std::uint64_t size = 0;
        const auto line = bytes.substr(chunk_at_, eol - chunk_at_);
        if (std::from_chars(line.data(), line.data() + line.size(), size, 16).ec != std::errc()) return status::bad;
        if (size > body_bytes_max - body_.size()) return status::bad;
        if (size == 0) {
            // Trailers, if any, end with a blank line; the last chunk's own line end may be that line's half.
            const auto end = bytes.find("\r\n\r\n", eol);
            if (end == std::string_view::npos) return status::more;
            consumed_ = end + 4;
            return status::ready;
        }
        if (bytes.size() < eol + 2 + size + 2) return status::more;
        body_ += bytes.substr(eol + 2, size);
        chunk_at_ = eol + 2 + size + 2;
    }
}

std::string_view reason_phrase(int status) {
    switch (status) {
        case 200:
            return "OK";
        case 204:
            return "No Content";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 413:
            return "Content Too Large";
        case 429:
            return "Too Many Requests";
        case 500:
            return "Internal Server Error";
        case 502:
            return "Bad Gateway";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        case 529:
            return "Overloaded";
        default:
            return "Other";
    }
}

}  // namespace sluice::sim
