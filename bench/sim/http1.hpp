#pragma once
// The server side of HTTP/1.1 for a test double: fast and tolerant. It must accept whatever the gateway
// might send, so that a test sees it in /sim/stats, not refuse it.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::sim {

// A parsed request. All views point into the bytes given to request_parser::parse, or (a chunked body) into
// the parser; they die with the next call.
struct request {
    struct field {
        std::string_view name, value;
    };
    std::string_view method, target, path, query;
    std::string_view head;  // request line and fields as they came, without the blank line
    std::vector<field> fields;
    std::string_view body;
    bool keep_alive = true;

    // First field of that name, letter case ignored; empty when absent.
    std::string_view find(std::string_view name) const;
    // Value of a query parameter, not decoded; empty when absent.
    std::string_view parameter(std::string_view name) const;
};

bool same_name(std::string_view a, std::string_view b);

class request_parser {
public:
    enum class status { more, ready, bad };

    // `bytes` begins where the last request ended and may have grown (and moved) since the last call.
    status parse(std::string_view bytes, request& out);

    // Bytes the ready request took; then call next().
    std::size_t consumed() const { return consumed_; }
    // Forgets the request.
    void next();
    // The head has asked for "100 Continue" and the body is not complete.
    bool wants_continue() const { return expects_continue_; }
    // Total size of the request when known, so that the caller can make room at once; else 0.
    std::size_t expected() const { return chunked_ ? 0 : head_size_ + length_; }

private:
    bool read_head(std::string_view head, request& out);
    status read_chunks(std::string_view bytes);

    std::size_t scanned_ = 0;    // bytes searched for the end of the head
    std::size_t head_size_ = 0;  // with the blank line; 0 while unknown
    std::uint64_t length_ = 0;
    bool chunked_ = false;
    bool expects_continue_ = false;
    std::size_t chunk_at_ = 0;  // where the next chunk line begins
    std::string body_;          // of a chunked request
    std::size_t consumed_ = 0;
};

// The longest head and body accepted.
inline constexpr std::size_t head_bytes_max = std::size_t{1} << 20;
inline constexpr std::size_t body_bytes_max = std::size_t{1} << 30;

std::string_view reason_phrase(int status);

}  // namespace sluice::sim
