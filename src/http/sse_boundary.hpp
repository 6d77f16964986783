// Where server-sent events end, found in bytes cut anywhere: nothing is decoded, copied or held.
//
// Lines end in CRLF, LF or CR, a blank line ends an event (WHATWG HTML 9.2.6). An event's bytes reach to
// the end of its blank line. If that ends in CR while the line before it ended in LF, the next byte tells
// whether an LF belongs to it: until then the event is not ended. If the line before it ended in a bare CR,
// the event ends at once, so that streams that use bare CR are not delayed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::http {

class sse_boundary {
public:
    // How many events end in `piece`, in one pass. Blocks of only comments or blank lines are not counted.
    std::size_t feed(std::string_view piece);

    // Nothing of an event has begun: a comment or an event of our own may be written here.
    bool between_events() const { return at_boundary_; }

    // For framing: takes bytes up to the end of the next block (event or comments) and returns how many; npos
    // when `bytes` holds no end, having taken all of them. It may be 0: the end was the last byte before.
    std::size_t take_block(std::string_view bytes);
    bool block_had_fields() const { return fields_; }  // of the block that take_block ended

    static constexpr std::size_t npos = std::string_view::npos;

private:
    enum class place : std::uint8_t {
        line_start,  // the line before ended in LF, or there is none
        line,        // inside a line
        after_cr,    // a line that was not blank ended in CR; an LF may follow
        blank_cr,    // as line_start, then CR: a blank line whose LF may follow
        ended_cr,    // a block ended in a bare CR; an LF may follow, which then is part of the next block
    };
    void begin_line(char first);

    place place_ = place::line_start;
    bool at_boundary_ = true;
    bool fields_ = false;  // the current block has a line that is no comment
};

// The first CR or LF in [p, end); `end` if there is none.
const char* find_line_end(const char* p, const char* end);

}  // namespace sluice::http
