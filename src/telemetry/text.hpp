// Text that came from outside, made safe for a log line, a label or a JSON document.
//
// The text may be anything: prompts, header values, bytes that are not UTF-8. What comes out is valid UTF-8 that
// no terminal acts on and no reader of lines can be split by.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::telemetry {

// Appends `text` as a JSON string with its quotes. On top of what JSON demands, escapes DEL, the C1
// controls (U+009B starts a terminal sequence), line separators and the characters that reorder
// text; a byte that is not UTF-8 becomes U+FFFD. Of a text over `bytes_max` the head is kept, with "…" behind it.
void append_json(std::string& out, std::string_view text, std::size_t bytes_max = 1024);

// The same treatment without the quotes, for a line of plain text: "\n" becomes backslash and n. Quotes stay,
// backslashes are doubled.
void append_plain(std::string& out, std::string_view text, std::size_t bytes_max = 64 * 1024);

// Printable ASCII without quote and backslash, which both leave as it is.
bool is_plain(std::string_view text);

// Replaces bytes that are not UTF-8 by U+FFFD and changes nothing else. For label values.
std::string valid_utf8(std::string_view text);

// Replaces what looks like a credential ("sk-…", "Bearer …", "AIza…") by its prefix and "***". The last
// line of defence: secrets are typed and have no formatter, but an upstream may echo one.
std::string redact(std::string_view text);

}  // namespace sluice::telemetry
