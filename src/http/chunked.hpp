// The chunked transfer coding (RFC 9112 section 7.1), decoded without copying and encoded.
#pragma once

#include "http/head_limits.hpp"

#include <cstdint>
#include <string_view>

namespace sluice::http {

inline constexpr std::size_t chunk_extension_bytes_max = 256;  // per chunk; extensions are dropped
inline constexpr std::size_t trailer_bytes_max = 8 * 1024;     // all trailers; they are checked and dropped

// Takes a chunked body apart as it arrives. Strict: every line ends in CRLF; a size is 1 to 16 hexadecimal
// digits below 2^63 with nothing around them but an extension; trailer lines look like fields.
//
//   for (;;) {
//       const auto s = decoder.feed(rest);
//       rest.remove_prefix(s.consumed);
//       if (!s.data.empty()) use(s.data);
//       if (s.state != progress::need_more) break;
//       if (rest.empty()) receive more;
//   }
class chunked_decoder {
public:
    struct step {
        progress state = progress::need_more;
        std::size_t consumed = 0;
        std::string_view data;    // a view into what was fed, within the consumed bytes; only with need_more
        std::string_view reason;  // with bad: static, stable, snake case
    };

    // Eats from the front of `bytes`, up to the end of one run of body data at most. need_more with bytes
    // left over means: call again. done comes with the empty line behind the last chunk; what follows
    // belongs to the next message. After done or bad nothing is eaten until reset().
    step feed(std::string_view bytes);
    void reset() { *this = {}; }

private:
    enum class at : std::uint8_t {
        size,  // on the size line, before its ';' or CR
        extension,
        size_lf,
        data,
        data_cr,
        data_lf,
        line,  // at the start of a trailer line, or of the empty one
        trailer_name,
        trailer_value,
        trailer_lf,
        last_lf,
        done,
        bad,
    };

    std::size_t eat_plain_size(std::string_view bytes);
    void eat(char c);  // one byte of framing
    void eat_size(char c);
    void eat_trailer(char c);
    void fail(std::string_view reason);

    at at_ = at::size;
    std::uint8_t digits_ = 0;       // of the size so far
    std::uint16_t line_bytes_ = 0;  // of the extension, or of all trailers
    std::uint64_t left_ = 0;        // of the chunk: its size, then what has not been eaten
    std::string_view reason_;
};

// Encoding: size line, data, CRLF for every chunk, then the end. Writes "1a2\r\n" and returns its length. A
// size of 0 would end the body, so it must not be asked for.
std::size_t write_chunk_size(char (&out)[18], std::size_t n);
inline constexpr std::string_view chunk_end = "\r\n";
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

}  // namespace sluice::http
