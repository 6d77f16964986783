// Reads the framing of HTTP/1.1 messages that our own programs and well-behaved proxies send: just enough
// to find the end of each message at little cost. It trusts its peer and is no model for a server.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::bench {

enum class message_kind { request, response };

// One message after the other on one connection.
//
//     while (!bytes.empty()) {
//         std::string_view piece = reader.take(bytes);    // shortens `bytes`
//         ... use piece ...
//         if (reader.complete()) reader.reset();
//     }
class http_reader {
public:
    explicit http_reader(message_kind kind) : kind_(kind) {}

    // Consumes some of `bytes` and returns the piece of the body among them, which is empty for bytes of
    // the head and of chunk framing. Consumes nothing once the message is complete or bad.
    std::string_view take(std::string_view& bytes);

    bool complete() const { return step_ == step::complete; }
    bool bad() const { return step_ == step::bad; }
    bool idle() const { return step_ == step::head && partial_.empty(); }

    // Of the current message, once its head was read.
    int status() const { return status_; }
    std::size_t body_bytes() const { return body_bytes_; }
    const std::string& stream_header() const { return stream_header_; }  // x-bench-stream

    void reset();

private:
    enum class step { head, body, chunk_size, chunk_data, chunk_end, trailer, complete, bad };

    void take_head(std::string_view& bytes);
    void parse_head(std::string_view head);
    void parse_field(std::string_view name, std::string_view value);
    void take_line(std::string_view& bytes);
    void end_line();
    std::string_view take_data(std::string_view& bytes);

    message_kind kind_;
    step step_ = step::head;
    int status_ = 0;
    bool chunked_ = false;
    std::size_t left_ = 0;  // bytes of the body or of the current chunk still to come
    std::size_t body_bytes_ = 0;
    std::string partial_;  // a head or a chunk line that was split between two reads
    std::string stream_header_;
};

}  // namespace sluice::bench
