// What goes over the wire in every bench: the chat request, the plain answer and the events of a stream.
// The upstream and the load generator both build on this file, so neither has to be told what to expect.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::bench {

// What a client asks of the upstream. It travels in the body (member "user"), which every gateway
// forwards, or in a header `x-bench-stream` with the same text.
struct stream_spec {
    std::uint64_t events = 100;
    std::size_t bytes = 200;           // of one event, "data: " and the empty line included
    std::chrono::microseconds gap{0};  // between two events; 0: as fast as the connection takes them
    bool idle = false;                 // one event, then silence until the client leaves

    std::string text() const;  // "events=100,bytes=200,gap_us=0,idle=0"
};

stream_spec parse_stream_spec(std::string_view text);

// What the client speaks; the upstream speaks chat completions, so all but `chat` is translated.
enum class wire : std::uint8_t { chat, messages, gemini, responses };

// A whole POST with the key of the bench and a body of exactly `body_bytes` (raised to what the JSON around the text
// needs). With `stream` it asks for that stream.
std::string model_request(wire w, std::size_t body_bytes, const std::optional<stream_spec>& stream);

// The stream that a request asks for, if any. `body_start` is the first body_start_max bytes of the body;
// "stream" and "user" must be among them.
std::optional<stream_spec> wanted_stream(std::string_view body_start, std::string_view header);
inline constexpr std::size_t body_start_max = 4096;

// The plain answer: the body alone, and the whole response.
const std::string& chat_answer_body();
const std::string& chat_answer();

// The head of a streamed answer, and what ends one: the event with finish_reason and usage, [DONE], the
// last chunk.
std::string_view stream_head();
std::string_view stream_end();

// One event of a stream, framed as a chunk, with the time of sending inside.
class stamped_event {
public:
    explicit stamped_event(std::size_t bytes);

    // The chunk with `time_ns` written into it; valid until the next call.
    std::string_view at(std::int64_t time_ns);

private:
    std::string chunk_;
    std::size_t stamp_;  // offset of the digits
};

// Counts the events of one streamed answer from the pieces of its body.
class event_counter {
public:
    // Calls `on_event(stamp_ns)` for each stamped event that `piece` completes.
    template <typename function>
    void take(std::string_view piece, function&& on_event) {
        if (!partial_.empty()) {
            partial_ += piece;
            piece = partial_;
        }
        std::size_t end = 0;
        while ((end = piece.find("\n\n")) != std::string_view::npos) {
            if (const auto stamp = read(piece.substr(0, end))) on_event(*stamp);
            piece.remove_prefix(end + 2);
        }
        partial_ = std::string{piece};
    }

    std::uint64_t events() const { return events_; }
    bool done() const { return done_; }  // the dialect's last event came
    void reset() { *this = {}; }

private:
    std::optional<std::int64_t> read(std::string_view event);

    std::uint64_t events_ = 0;
    bool done_ = false;
    std::string partial_;  // an event that was split between two reads
};

}  // namespace sluice::bench
