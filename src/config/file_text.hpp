// Reading small files and checking that they are text.
#pragma once

#include <sluice/result.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::config {

// A whole regular file. Never blocks on a pipe or a device: those are refused. The error's message is for
// people and holds no path: "No such file or directory".
result<std::string> read_file(const std::string& path, std::size_t bytes_max);

// Something in a text that is no text: where (byte offset), what, and what to do about it.
struct text_fault {
    std::size_t at = 0;
    std::string what;
    std::string hint;
};

// UTF-8 without control characters other than tab and line ends (LF or CRLF). Nothing when it is clean.
std::optional<text_fault> find_fault(std::string_view text);
// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text);
// The first tab that indents a line. YAML forbids it and yaml-cpp sometimes lets it pass.
std::optional<text_fault> find_tab_indent(std::string_view text);
// Where more than `open_max` brackets stand open, those inside texts counted too: yaml-cpp keeps a token for
// each before it sees how deep they nest, a gigabyte for 4 MiB of them.
std::optional<text_fault> find_bracket_flood(std::string_view text, std::size_t open_max);

// Turns byte positions into lines and columns as editors count them: from 1, in characters. One thread.
class line_index {
public:
    explicit line_index(std::string_view text);  // keeps a view: the text must outlive the index

    struct position {
        int line, column;
    };
    position of_offset(std::size_t at) const;
    // From a line and a byte column that count from 0; what lies behind the end is moved to the end.
    position of_mark(int line, int byte_column) const;

private:
    position at(std::size_t line, std::size_t byte_column) const;
    std::string_view text_;
    std::vector<std::size_t> starts_;  // offset of each line
    // The last answer: questions mostly come in the order of the text, and a file may be one long line.
    mutable std::size_t last_line_ = 0, last_byte_ = 0, last_characters_ = 0;
};

}  // namespace sluice::config
