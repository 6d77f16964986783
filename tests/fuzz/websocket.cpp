// Any bytes, as one direction of a WebSocket: whole and in pieces they must read the same, and nothing but the
// payload of text messages is handed out. The text is read as a realtime event, which may never crash.
#include "http/realtime_event.hpp"
#include "http/websocket_frames.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace sluice::http;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

struct outcome {
    std::string text, type;
    std::size_t messages = 0;
    unsigned violation = 0;
    bool operator==(const outcome&) const = default;
};

outcome read(std::string_view wire, std::size_t piece, websocket_side from) {
    websocket_scanner scanner(from, 4096);
    realtime_event event;
    outcome out;
    for (std::size_t at = 0; at < wire.size(); at += piece) {
        std::string_view part = wire.substr(at, piece);
        while (!part.empty()) {
            const auto s = scanner.next(part);
            out.violation = s.violation;
            if (s.violation != 0) return out;
            require(s.consumed > 0 && s.consumed <= part.size() && s.text.size() <= s.consumed);
            if (s.message_begins) event = {};
            event.feed(s.text);
            out.text += s.text;
            if (s.message_ends) {
                ++out.messages;
                out.type = event.type();
                require(scanner.between_messages());
            }
            part.remove_prefix(s.consumed);
        }
    }
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    const std::string_view wire{reinterpret_cast<const char*>(data) + 1, size - 1};
    const auto from = (data[0] & 1) != 0 ? websocket_side::client : websocket_side::server;
    const outcome whole = read(wire, wire.size() + 1, from);
    require(read(wire, 1, from) == whole);
    require(read(wire, 1u + (data[0] >> 1), from) == whole);
    return 0;
}
