#include "http/multipart.hpp"

#include <sluice/message.hpp>

#include <algorithm>
#include <cstring>

namespace sluice::http {
namespace {

error malformed(std::string_view reason, std::string_view param = {}) {
    return error{error_kind::bad_request, "malformed multipart/form-data: " + std::string{reason}, std::string{param}};
}

std::string_view trim(std::string_view s) {
    while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
    while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
    return s;
}

std::size_t find(std::string_view text, std::string_view needle) {
    const void* at = ::memmem(text.data(), text.size(), needle.data(), needle.size());
    if (at == nullptr) return std::string_view::npos;
    return static_cast<std::size_t>(static_cast<const char*>(at) - text.data());
}

// Reads `; name=value` parameters of a header field (RFC 9110 5.6.6), values as token or quoted.
class parameters {
public:
    explicit parameters(std::string_view rest) : rest_(rest) {}

    // False at the end and at a syntax error: then broken() is true.
    bool next(std::string_view& name, std::string& value) {
        rest_ = trim(rest_);
        if (rest_.empty()) return false;
        if (rest_.front() != ';') return stop();
        rest_ = trim(rest_.substr(1));
        const std::size_t equals = rest_.find('=');
        if (equals == std::string_view::npos) return stop();
        name = rest_.substr(0, equals);
        if (!valid_header_name(name)) return stop();
        rest_.remove_prefix(equals + 1);
        value.clear();
        if (rest_.starts_with('"')) return read_quoted(value);
        value = rest_.substr(0, rest_.find_first_of("; \t"));
        rest_.remove_prefix(value.size());
        return valid_header_name(value) || stop();
    }
    bool broken() const { return broken_; }

private:
    // Browsers do not escape backslashes in file names, so only \" and \\ are pairs.
    bool read_quoted(std::string& value) {
        for (std::size_t i = 1; i < rest_.size(); ++i) {
            if (rest_[i] == '"') {
                rest_.remove_prefix(i + 1);
                return true;
            }
            if (rest_[i] == '\\' && i + 1 < rest_.size() && (rest_[i + 1] == '"' || rest_[i + 1] == '\\')) ++i;
            value += rest_[i];
        }
        return stop();
    }
    bool stop() {
        broken_ = true;
        return false;
    }

    std::string_view rest_;
    bool broken_ = false;
};

bool valid_boundary(std::string_view b) {
    const auto good = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               std::string_view{"'()+_,-./:=? "}.find(c) != std::string_view::npos;
    };
    return !b.empty() && b.size() <= 70 && b.back() != ' ' && std::all_of(b.begin(), b.end(), good);
}

result<void> read_disposition(std::string_view value, multipart_part& part) {
    const std::size_t semicolon = std::min(value.find(';'), value.size());
    if (!iequals(trim(value.substr(0, semicolon)), "form-data")) return malformed("a part that is not form-data");
    parameters rest(value.substr(semicolon));
    std::string_view name;
    std::string text;
    bool named = false;
    while (rest.next(name, text)) {
        if (iequals(name, "name")) {
            if (named) return malformed("a part with two names");
            named = true;
            part.name = text;
        } else if (iequals(name, "filename")) {
            if (part.is_file) return malformed("a part with two file names");
            part.is_file = true;
            part.filename = text;
        } else if (iequals(name, "filename*")) {
            part.is_file = true;  // RFC 7578 4.2 forbids it, clients send it beside filename
        }
    }
    if (rest.broken() || !named) return malformed("a Content-Disposition that cannot be read");
    return {};
}

// `head` holds the lines of one part's head, each with its CRLF.
result<void> read_head(std::string_view head, multipart_part& part) {
    bool disposed = false;
    while (!head.empty()) {
        const std::size_t end = find(head, "\r\n");
        const std::string_view line = head.substr(0, end);
        head.remove_prefix(end + 2);
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || !valid_header_name(line.substr(0, colon))) {
            return malformed("a part's header that cannot be read");
        }
        const std::string_view name = line.substr(0, colon);
        const std::string_view value = trim(line.substr(colon + 1));
        if (!valid_header_value(value)) return malformed("a control character in a part's header");
        if (iequals(name, "content-disposition")) {
            if (disposed) return malformed("a part with two Content-Disposition fields");
            disposed = true;
            if (auto read = read_disposition(value, part); !read) return read.error();
        } else if (iequals(name, "content-type")) {
            part.content_type = value;
        } else if (iequals(name, "content-transfer-encoding")) {
            if (!iequals(value, "binary") && !iequals(value, "8bit") && !iequals(value, "7bit")) {
                return malformed("a part with a transfer encoding");
            }
        }
    }
    if (!disposed) return malformed("a part without Content-Disposition");
    return {};
}

result<multipart_part> the_field(std::string_view body, std::string_view content_type, std::string_view name) {
    const auto parts = parse_multipart(body, content_type);
    if (!parts) return parts.error();
    const auto named = [&](const multipart_part& p) { return p.name == name; };
    const auto at = std::find_if(parts->begin(), parts->end(), named);
    if (at == parts->end()) {
        return error{error_kind::bad_request, "the form has no field " + std::string{name}, std::string{name}};
    }
    if (std::any_of(std::next(at), parts->end(), named)) return malformed("a field that is there twice", name);
    if (at->is_file) return malformed("a file where a plain field is expected", name);
    return *at;
}

}  // namespace

result<std::string> multipart_boundary(std::string_view content_type) {
    const std::size_t semicolon = std::min(content_type.find(';'), content_type.size());
    if (!iequals(trim(content_type.substr(0, semicolon)), "multipart/form-data")) {
        return error{error_kind::unsupported_media_type, "expected multipart/form-data"};
    }
    parameters rest(content_type.substr(semicolon));
    std::string_view name;
    std::string value, boundary;
    bool found = false;
    while (rest.next(name, value)) {
        if (!iequals(name, "boundary")) continue;
        if (found) return malformed("two boundaries in Content-Type");
        found = true;
        boundary = value;
    }
    if (rest.broken() || !found || !valid_boundary(boundary)) return malformed("no usable boundary in Content-Type");
    return boundary;
}

result<std::vector<multipart_part>> parse_multipart(std::string_view body, std::string_view content_type) {
    const auto boundary = multipart_boundary(content_type);
    if (!boundary) return boundary.error();
    const std::string delimiter = "\r\n--" + *boundary;
    if (!body.starts_with(std::string_view{delimiter}.substr(2))) {
        return malformed("the body does not begin with its boundary");
    }
    body.remove_prefix(delimiter.size() - 2);
    std::vector<multipart_part> parts;
    // `body` now begins behind a boundary.
    while (!body.starts_with("--")) {
        if (!body.starts_with("\r\n")) return malformed("text behind a boundary");
        if (parts.size() == multipart_parts_max) return malformed("more than 64 parts");
        // From the CRLF of the boundary's own line, so that an empty head is found too.
        const std::size_t head_end = find(body.substr(0, multipart_head_bytes_max + 4), "\r\n\r\n");
        if (head_end == std::string_view::npos) return malformed("a part's head without end or above 8 KB");
        if (find(body.substr(0, head_end), delimiter) != std::string_view::npos) {
            return malformed("a boundary inside a part's head");
        }
        multipart_part part;
        if (auto read = read_head(body.substr(2, head_end), part); !read) return read.error();
        body.remove_prefix(head_end + 2);  // now begins with the CRLF of the blank line
        const std::size_t end = find(body, delimiter);
        if (end == std::string_view::npos) return malformed("a part without end");
        if (end == 0) return malformed("a part without the blank line behind its head");
        part.value = body.substr(2, end - 2);
        parts.push_back(std::move(part));
        body.remove_prefix(end + delimiter.size());
    }
    body.remove_prefix(2);
    if (!body.empty() && body != "\r\n") return malformed("text behind the last boundary");
    return parts;
}

result<std::string> multipart_field(std::string_view body, std::string_view content_type, std::string_view name) {
    const auto part = the_field(body, content_type, name);
    if (!part) return part.error();
    return std::string{part->value};
}

result<std::array<std::string_view, 3>> replace_multipart_field(std::string_view body, std::string_view content_type,
                                                                std::string_view name, std::string_view value) {
    const auto part = the_field(body, content_type, name);
    if (!part) return part.error();
    const auto boundary = multipart_boundary(content_type);
    if (!boundary) return boundary.error();
    if (value.find("--" + *boundary) != std::string_view::npos)
        return malformed("a value with the boundary in it", name);
    const auto at = static_cast<std::size_t>(part->value.data() - body.data());
    return std::array<std::string_view, 3>{body.substr(0, at), value, body.substr(at + part->value.size())};
}

}  // namespace sluice::http
