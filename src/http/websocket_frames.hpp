// The frames of one direction of a WebSocket (RFC 6455), read as they pass.
//
// A gateway in the middle changes no frame: fragments, pings, pongs and close codes reach the other side as they
// came, and nothing is held. What it needs is to know where frames and messages begin and end, how large they
// get, and that they keep the rules. Extensions are not negotiated, so that no bit of a header has another meaning.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::http {

enum class websocket_side : std::uint8_t { client, server };  // a client's frames are masked, a server's are not

// Close codes that a gateway has reason to send, RFC 6455 section 7.4.1.
namespace close_code {
inline constexpr std::uint16_t normal = 1000, going_away = 1001, protocol_error = 1002, policy = 1008, too_big = 1009,
                               internal_error = 1011;
}

class websocket_scanner {
public:
    // A message of more than `message_bytes_max`, over all of its fragments, is a violation.
    websocket_scanner(websocket_side from, std::uint64_t message_bytes_max)
        : masked_(from == websocket_side::client), message_bytes_max_(message_bytes_max) {}

    // What the next bytes are: part of a frame's header, or of its payload.
    struct step {
        std::size_t consumed = 0;     // > 0, but 0 with a violation
        std::string_view text;        // payload of a text message, as it stands on the wire
        bool message_begins = false;  // this step completed the header of a message's first frame
        bool message_ends = false;    // nothing of the message follows
        bool closes = false;          // a Close frame has passed to its end
        std::uint16_t violation = 0;  // the close code for the sender; nothing more can be read
    };
    // `bytes` is not empty.
    step next(std::string_view bytes);

    bool between_frames() const { return header_size_ == 0 && left_ == 0; }
    // Also true within the header of a message's first frame.
    bool between_messages() const { return !in_message_; }

private:
    std::size_t header_bytes() const;  // that are needed, as far as is known yet
    std::uint16_t begin_frame();       // the header is complete; a violation or 0
    void end_step(step& s);

    const bool masked_;
    const std::uint64_t message_bytes_max_;
    std::array<unsigned char, 14> header_{};
    std::size_t header_size_ = 0;                           // bytes of it that came; 0 again once it is complete
    std::uint64_t left_ = 0;                                // of the payload
    std::uint64_t message_bytes_ = 0;                       // of the message so far
    bool in_message_ = false;                               // the last fragment has not passed to its end
    bool text_ = false;                                     // the message is text
    bool final_ = false, control_ = false, close_ = false;  // the frame
    bool closed_ = false;                                   // a Close was seen: nothing may follow
};

// A whole frame of our own. `reason` is cut at 123 bytes; a client's is masked with `mask`.
std::string write_websocket_close(websocket_side from, std::uint16_t code, std::string_view reason,
                                  std::array<unsigned char, 4> mask = {});
// A text message of a server, in one frame.
std::string write_websocket_text(std::string_view text);

}  // namespace sluice::http
