// Frames a byte stream into server-sent events (WHATWG HTML 9.2.6) and writes them.
//
//   reader.feed(piece);
//   while (reader.next(e)) handle(e);
//   if (reader.too_large()) ...
//
// Works on bytes and never decodes: a piece may be cut inside a character, a line end or a field. An event that
// lies whole inside one piece is not copied; only the bytes of an unfinished event are kept.
#pragma once

#include "http/sse_boundary.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::http {

// Views are valid until the next call of next() or feed(), and no longer than the piece that was fed.
struct sse_event {
    std::string_view raw;   // exact bytes, with the blank line; all `raw` one after the other are the stream
    std::string_view data;  // lines joined by '\n'
    std::string_view name;  // of the `event` field; empty means "message"
    std::string_view id;    // of this event's own `id` field; empty if it has none
    // A browser would dispatch it: it has a data line. False: comments (pings) or fields alone, which are
    // passed on but mean nothing.
    bool has_data = false;
};

class sse_reader {
public:
    static constexpr std::size_t default_event_bytes_max = 1U << 20;
    explicit sse_reader(std::size_t event_bytes_max = default_event_bytes_max) : max_(event_bytes_max) {}

    // The next bytes of the stream, cut anywhere. Must stay unchanged until next() returned false; not to
    // be called before that.
    void feed(std::string_view piece) { piece_ = piece; }

    // False: the piece is used up, or the stream is too_large().
    bool next(sse_event& e);

    // An event is above the limit, finished or not. The reader stays in this state.
    bool too_large() const { return too_large_; }

    // The bytes behind the last event. At the end of a stream: an event that was never finished. It must not be
    // taken for one, but may be passed on. Valid until the next feed(). Call when next() has returned false.
    // A last event whose blank line was cut between CR and LF counts as never finished.
    std::string_view rest() const { return held_; }

    // Bytes of memory held on the heap; 0 between events, once next() has returned false.
    std::size_t held_bytes() const;

private:
    void read_fields(std::string_view block, sse_event& e);
    void release();

    std::size_t max_;
    sse_boundary boundary_;
    std::string_view piece_;      // what of the last feed is not taken yet
    std::string held_;            // the beginning of an event whose end has not come
    std::string joined_;          // data of more than one line
    bool held_is_event_ = false;  // held_ was handed out as an event
    bool first_ = true;           // a byte order mark may stand before the first event
    bool too_large_ = false;
};

// Appends one event: `event:` unless `name` is empty, a `data:` line per line of `data`, the blank line.
// Line ends inside `data` (CRLF, LF, CR) all read back as LF; those inside `name` are dropped.
void append_sse(std::string& out, std::string_view name, std::string_view data);

}  // namespace sluice::http
