// The client's side of one HTTP/2 connection, on nghttp2: bytes in, bytes out, streams in between. Sans-I/O.
//
// What arrives is told through h2_events while receive() runs. The peer is held back by what consume() has not given
// back yet, stream by stream. Belongs to one worker. nghttp2 bounds what a peer may make us queue (acknowledgements of
// PING and SETTINGS, CONTINUATION frames); the rest is bounded here.
#pragma once

#include <sluice/message.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct nghttp2_session;

namespace sluice::net {

struct h2_limits {
    std::size_t header_bytes = 64 << 10;  // of one header block
    std::size_t header_fields = 256;
    std::int32_t stream_window = 256 << 10;     // bytes of one stream that may be under way to us
    std::int32_t connection_window = 16 << 20;  // of all together
    std::size_t output_bytes = 256 << 10;       // written ahead of what the socket takes
    std::size_t idle_frames = 1000;             // frames in a row that bring nothing: the connection ends
};

// Where the session says what came. Must not destroy the session. Views are valid during the call.
class h2_events {
public:
    // A block of fields; `:status` is `status` (0 in trailers). `last`: nothing follows.
    virtual void on_headers(std::int32_t stream, int status, const header_list& fields, bool last) = 0;
    virtual void on_data(std::int32_t stream, std::string_view bytes) = 0;
    virtual void on_end(std::int32_t stream) = 0;  // the peer's side has ended
    // Nothing more happens on it. `code` of RFC 9113 section 7: 0 no error, 7 refused, 8 cancelled, ...
    virtual void on_closed(std::int32_t stream, std::uint32_t code) = 0;
    virtual void on_sent(std::int32_t stream) = 0;  // some of its queued bytes are on their way

protected:
    ~h2_events() = default;
};

class h2_session {
public:
    explicit h2_session(h2_events& events, const h2_limits& limits = {});
    ~h2_session();
    h2_session(const h2_session&) = delete;
    h2_session& operator=(const h2_session&) = delete;

    // False: the connection cannot go on.
    bool receive(std::string_view bytes);
    // Is there a point in reading on? Not after a protocol error, once the peer was told of it.
    bool wants_read() const;
    // Bytes for the socket, made as they are asked for; empty: nothing now. Valid until taken() or receive().
    std::string_view output();
    void taken(std::size_t bytes);

    // May a request be made here? Not after a GOAWAY.
    bool takes_requests() const;
    std::size_t streams() const { return out_.size(); }  // open, or waiting to be
    std::size_t streams_max() const;                     // that the peer takes at once
    // Opens a stream; it waits in order when the peer takes no more at once. Names of fields are made lower case, and
    // what HTTP/2 has no use for is left out (connection, host, transfer-encoding, ...). Body by send(). 0: it could
    // not.
    std::int32_t open(std::string_view method, std::string_view scheme, std::string_view authority,
                      std::string_view path, const header_list& fields);
    void send(std::int32_t stream, std::string_view bytes, bool last);
    std::size_t queued(std::int32_t stream) const;
    void consume(std::int32_t stream, std::size_t bytes);
    void reset(std::int32_t stream);  // cancelled by us; on_closed() follows
    void ping();

private:
    struct outgoing {
        std::string bytes;
        std::size_t at = 0;
        bool last = false, deferred = false;
    };
    struct incoming {
        header_list fields;
        int status = 0;
        std::size_t bytes = 0;
    };
    struct glue;  // nghttp2's callbacks

    h2_events& events_;
    const h2_limits limits_;
    struct deleter {
        void operator()(nghttp2_session* s) const;
    };
    std::unique_ptr<nghttp2_session, deleter> session_;
    std::map<std::int32_t, outgoing> out_;
    std::map<std::int32_t, incoming> in_;
    std::string output_;
    std::size_t output_at_ = 0;
    std::size_t idle_frames_ = 0;
    bool broken_ = false;
};

}  // namespace sluice::net
