// gRPC over HTTP/2 without the connection: messages in their frames, and how a call ended.
// Source: gRPC over HTTP2 (PROTOCOL-HTTP2).
#pragma once

#include <sluice/message.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::net {

// Codes of gRPC that are given here; others pass as numbers.
enum grpc_code : int {
    grpc_ok = 0,
    grpc_cancelled = 1,
    grpc_unknown = 2,
    grpc_deadline = 4,
    grpc_exhausted = 8,
    grpc_unimplemented = 12,
    grpc_internal = 13,
    grpc_unavailable = 14
};

struct grpc_status {
    int code = grpc_ok;
    std::string message;
};

// A message with its prefix: not compressed, length in four bytes.
std::string frame_message(std::string_view message);

// Cuts arriving bytes into messages.
class grpc_reader {
public:
    explicit grpc_reader(std::size_t message_bytes_max) : message_bytes_max_(message_bytes_max) {}

    // Nothing: fine. Else the stream cannot go on: a compressed message, or one that is too large.
    std::optional<grpc_status> add(std::string_view bytes);
    std::optional<std::string> next();
    std::size_t ready_bytes() const { return ready_bytes_; }  // of messages that are complete and not taken
    bool between_messages() const { return partial_.empty(); }

private:
    static constexpr std::size_t prefix_bytes = 5;
    const std::size_t message_bytes_max_;
    std::string partial_;  // prefix and the message so far
    std::deque<std::string> ready_;
    std::size_t ready_bytes_ = 0;
};

// The status that trailers (or headers without a body) carry; nothing: they carry none.
std::optional<grpc_status> status_of_trailers(const header_list& fields);
// What an HTTP answer means that is no gRPC; nothing: it is gRPC.
std::optional<grpc_status> status_of_headers(int http_status, const header_list& fields);

}  // namespace sluice::net
