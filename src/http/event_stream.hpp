// Frames a byte stream of AWS events ("application/vnd.amazon.eventstream") into events, and writes them.
//
//   reader.feed(piece);
//   for (;;) {
//       const result<bool> got = reader.next(e);
//       if (!got) return got.error();
//       if (!*got) break;              // the piece is used up
//       handle(e.name, e.data);
//   }
//   ... at the end of the body: reader.finish()
//
// One message, integers big-endian (AWS, "Event stream encoding"):
//   u32 total length | u32 length of headers | u32 CRC-32 of these 8 bytes | headers | payload | u32 CRC-32 of all
//   before
// One header: u8 length of the name | name | u8 type | value. Of the ten types of values we need the string alone
// (type 7: u16 length | UTF-8); the others are stepped over.
#pragma once

#include <sluice/result.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace sluice::http {

// Views are valid until the next call of next() or feed(), and no longer than the piece that was fed.
struct aws_event {
    // By the header :message-type, "event" where there is none:
    //   event       the header :event-type, as it stands: "contentBlockDelta"
    //   exception   one that the service's model knows: "exception:" and :exception-type
    //   error       any other: "error:" and :error-code; `data` is then {"message": :error-message}
    std::string_view name;
    std::string_view data;          // the payload
    std::string_view content_type;  // of the payload; may be empty
};

// Incremental and without sockets. A message that lies whole inside one piece is not copied; only an unfinished one
// is kept, and memory grows with the bytes that came, never with the length that was announced.
class aws_event_reader {
public:
    static constexpr std::size_t message_bytes_limit = 16U << 20;  // what AWS allows
    static constexpr std::size_t headers_bytes_limit = 128U << 10;

    // A maximum above AWS's own is taken for AWS's own.
    explicit aws_event_reader(std::size_t message_bytes_max = message_bytes_limit);

    // The next bytes of the stream, cut anywhere. Must stay unchanged until next() returned false; not to be called
    // before that.
    void feed(std::string_view piece) { piece_ = piece; }

    // True: `e` is the next event, both checksums right. False: the piece is used up. An error is final and comes
    // again from each later call; it says what is wrong and at which byte of the stream:
    // upstream_event_too_large above the limit, upstream_protocol for all else.
    result<bool> next(aws_event& e);

    // At the end of the stream: upstream_reset if it ends inside a message. Call when next() has returned false.
    result<void> finish() const;

    // Bytes of an unfinished message that are kept.
    std::size_t held_bytes() const { return handed_out_ ? 0 : held_.size(); }

private:
    result<bool> take(aws_event& e);
    bool fill(std::size_t size);
    void release();
    result<void> read_prelude(std::string_view prelude);
    result<void> read_message(std::string_view raw, aws_event& e);
    error wrong(std::string_view what, std::size_t at) const;

    std::size_t max_;
    std::string_view piece_;   // what of the last feed is not taken yet
    std::string held_;         // the beginning of a message whose end has not come
    bool handed_out_ = false;  // held_ is the message that next() returned last
    std::size_t total_ = 0;    // lengths of the message under way; 0: its prelude has not come
    std::size_t headers_ = 0;
    std::uint64_t start_ = 0;  // offset in the stream of the message under way
    std::string name_, data_;  // made for exceptions and errors
    std::optional<error> failed_;
};

// Appends one message with string headers: names of 1 to 255 bytes, values of at most 32,767, all within the limits
// above, which is the caller's business.
using aws_header = std::pair<std::string_view, std::string_view>;
void append_aws_message(std::string& out, std::span<const aws_header> headers, std::string_view payload);
// The same for an event, or an exception, with a JSON payload, as Bedrock writes it.
void append_aws_event(std::string& out, std::string_view type, std::string_view payload);
void append_aws_exception(std::string& out, std::string_view type, std::string_view payload);

}  // namespace sluice::http
