#include "config/file_text.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace sluice::config {
namespace {

struct descriptor {
    int fd;
    ~descriptor() {
        if (fd >= 0) ::close(fd);
    }
};

error system_failure(int code) {
    return error{error_kind::not_found, std::generic_category().message(code)};
}

// Length of the UTF-8 sequence at the front of `s`, 0 if there is none (RFC 3629: no overlong forms, no
// surrogates, nothing above U+10FFFF).
std::size_t sequence_length(std::string_view s) {
    const auto byte = [&](std::size_t i) { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0U; };
    const auto tail = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
    const unsigned a = byte(0), b = byte(1);
    if (a < 0x80) return 1;
    if (a >= 0xC2 && a <= 0xDF) return tail(1) ? 2 : 0;
    if (a >= 0xE0 && a <= 0xEF) {
        if ((a == 0xE0 && b < 0xA0) || (a == 0xED && b > 0x9F)) return 0;
        return tail(1) && tail(2) ? 3 : 0;
    }
    if (a >= 0xF0 && a <= 0xF4) {
        if ((a == 0xF0 && b < 0x90) || (a == 0xF4 && b > 0x8F)) return 0;
        return tail(1) && tail(2) && tail(3) ? 4 : 0;
    }
    return 0;
}

}  // namespace

result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
    if (path.find('\0') != std::string::npos) return error{error_kind::bad_request, "the path holds a NUL"};
    // O_NONBLOCK: opening a pipe without a writer would wait for ever.
    const descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (file.fd < 0) return system_failure(errno);
    struct stat info{};
    if (::fstat(file.fd, &info) != 0) return system_failure(errno);
    if (!S_ISREG(info.st_mode)) return error{error_kind::bad_request, "not a regular file"};

    std::string text;
    std::size_t size = 0;
    while (size <= bytes_max) {
        // One byte over the limit tells that there is more; /proc files report a size of 0.
        text.resize(std::min(bytes_max + 1, size + 64 * 1024));
        const ssize_t n = ::read(file.fd, text.data() + size, text.size() - size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return system_failure(errno);
        if (n == 0) break;
        size += static_cast<std::size_t>(n);
    }
    if (size > bytes_max) {
        return error{error_kind::payload_too_large, fmt::format("larger than {} KiB", bytes_max / 1024)};
    }
    text.resize(size);
    return text;
}

std::optional<text_fault> find_fault(std::string_view text) {
    std::size_t i = 0;
    while (i < text.size()) {
        const auto c = static_cast<unsigned char>(text[i]);
        const bool line_end = c == '\n' || (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n');
        if ((c < 0x20 && c != '\t' && !line_end) || c == 0x7F) {
            return text_fault{i, fmt::format("control character 0x{:02x}", c),
                              c == '\r' ? "end lines with LF or CR LF" : "write it as an escape in a quoted text"};
        }
        const std::size_t n = sequence_length(text.substr(i, 4));
        if (n == 0) return text_fault{i, "not UTF-8", "save the file as UTF-8"};
        i += n;
    }
    return std::nullopt;
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t n = sequence_length(text.substr(0, 4));
        if (n == 0) return false;
        text.remove_prefix(n);
    }
    return true;
}

std::optional<text_fault> find_tab_indent(std::string_view text) {
    bool indent = true;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\n') {
            indent = true;
        } else if (indent && text[i] == '\t') {
            return text_fault{i, "a tab indents this line", "indent with spaces"};
        } else if (text[i] != ' ') {
            indent = false;
        }
    }
    return std::nullopt;
}

std::optional<text_fault> find_bracket_flood(std::string_view text, std::size_t open_max) {
    std::size_t open = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '[' || text[i] == '{') {
            if (++open > open_max) return text_fault{i, fmt::format("more than {} open brackets", open_max), {}};
        } else if ((text[i] == ']' || text[i] == '}') && open > 0) {
            --open;
        }
    }
    return std::nullopt;
}

line_index::line_index(std::string_view text) : text_(text), starts_{0} {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\n') starts_.push_back(i + 1);
    }
}

line_index::position line_index::of_offset(std::size_t offset) const {
    const auto line = std::upper_bound(starts_.begin(), starts_.end(), offset) - starts_.begin() - 1;
    const auto n = static_cast<std::size_t>(line);
    return at(n, offset - starts_[n]);
}

line_index::position line_index::of_mark(int line, int byte_column) const {
    const auto n = static_cast<std::size_t>(std::max(line, 0));
    if (n >= starts_.size()) return at(starts_.size() - 1, text_.size());
    return at(n, static_cast<std::size_t>(std::max(byte_column, 0)));
}

line_index::position line_index::at(std::size_t line, std::size_t byte_column) const {
    byte_column = std::min(byte_column, text_.size() - starts_[line]);
    if (line != last_line_ || byte_column < last_byte_) {
        last_line_ = line;
        last_byte_ = last_characters_ = 0;
    }
    const std::string_view more = text_.substr(starts_[line] + last_byte_, byte_column - last_byte_);
    // Bytes that do not continue a character.
    last_characters_ += static_cast<std::size_t>(std::count_if(
        more.begin(), more.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
    last_byte_ = byte_column;
    return {static_cast<int>(line) + 1, static_cast<int>(last_characters_) + 1};
}

}  // namespace sluice::config
