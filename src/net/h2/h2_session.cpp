#include "net/h2/h2_session.hpp"

#include "base/ascii.hpp"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <stdexcept>

namespace sluice::net {
namespace {

std::string_view text_of(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

nghttp2_nv field(std::string_view name, std::string_view value) {
    const auto bytes = [](std::string_view s) {
        return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(s.data()));  // nghttp2 copies them
    };
    return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

// Of one connection, or said by pseudo fields.
bool one_hop(std::string_view name, std::string_view value) {
    constexpr std::array<std::string_view, 6> none{"connection",        "host",   "keep-alive", "proxy-connection",
                                                   "transfer-encoding", "upgrade"};
    if (iequals(name, "te")) return !iequals(value, "trailers");
    return std::any_of(none.begin(), none.end(), [&](std::string_view n) { return iequals(n, name); });
}

void must(int code) {
    if (code != 0) throw std::runtime_error(std::string("nghttp2: ") + nghttp2_strerror(code));
}

}  // namespace

void h2_session::deleter::operator()(nghttp2_session* s) const {
    nghttp2_session_del(s);
}

struct h2_session::glue {
    static h2_session& self(void* user) { return *static_cast<h2_session*>(user); }

    static int begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
        self(user).in_[frame->hd.stream_id] = {};
        return 0;
    }

    static int header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                      const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user) {
        h2_session& s = self(user);
        const auto found = s.in_.find(frame->hd.stream_id);
        if (found == s.in_.end()) return 0;
        incoming& in = found->second;
        in.bytes += name_size + value_size;
        if (in.bytes > s.limits_.header_bytes || in.fields.size() >= s.limits_.header_fields)
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        const std::string_view text = text_of(value, value_size);
        if (text_of(name, name_size) == ":status") {
            std::from_chars(text.data(), text.data() + text.size(), in.status);
        } else {
            in.fields.add(text_of(name, name_size), text);
        }
        return 0;
    }

    static int frame(nghttp2_session*, const nghttp2_frame* f, void* user) {
        h2_session& s = self(user);
        const bool last = (f->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
        const bool useful = (f->hd.type == NGHTTP2_DATA && (f->hd.length > 0 || last)) ||
                            f->hd.type == NGHTTP2_HEADERS || f->hd.type == NGHTTP2_GOAWAY ||
                            f->hd.type == NGHTTP2_WINDOW_UPDATE;
        s.idle_frames_ = useful ? 0 : s.idle_frames_ + 1;
        if (s.idle_frames_ > s.limits_.idle_frames) return NGHTTP2_ERR_CALLBACK_FAILURE;
        const std::int32_t id = f->hd.stream_id;
        if (f->hd.type == NGHTTP2_HEADERS) {
            const auto found = s.in_.find(id);
            if (found == s.in_.end()) return 0;
            const incoming in = std::move(found->second);
            s.in_.erase(found);
            // 1xx: more headers follow.
            if (in.status >= 100 && in.status < 200 && !last) return 0;
            s.events_.on_headers(id, in.status, in.fields, last);
        }
        if (last && (f->hd.type == NGHTTP2_HEADERS || f->hd.type == NGHTTP2_DATA)) s.events_.on_end(id);
        return 0;
    }

    static int data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes, std::size_t size,
                    void* user) {
        self(user).events_.on_data(id, text_of(bytes, size));
        return 0;
    }

    static int closed(nghttp2_session*, std::int32_t id, std::uint32_t code, void* user) {
        h2_session& s = self(user);
        s.out_.erase(id);
        s.in_.erase(id);
        s.events_.on_closed(id, code);
        return 0;
    }

    static ssize_t read(nghttp2_session*, std::int32_t id, std::uint8_t* into, std::size_t room, std::uint32_t* flags,
                        nghttp2_data_source*, void* user) {
        h2_session& s = self(user);
        const auto found = s.out_.find(id);
        if (found == s.out_.end()) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        outgoing& o = found->second;
        const std::size_t left = o.bytes.size() - o.at;
        if (left == 0 && !o.last) {
            o.deferred = true;
            return NGHTTP2_ERR_DEFERRED;
        }
        const std::size_t n = std::min(left, room);
        if (n > 0) std::memcpy(into, o.bytes.data() + o.at, n);
        o.at += n;
        if (o.at == o.bytes.size()) {
            o.bytes.clear();
            o.at = 0;
            if (o.last) *flags |= NGHTTP2_DATA_FLAG_EOF;
        }
        if (n > 0) s.events_.on_sent(id);
        return static_cast<ssize_t>(n);
    }
};

h2_session::h2_session(h2_events& events, const h2_limits& limits) : events_(events), limits_(limits) {
    nghttp2_session_callbacks* callbacks = nullptr;
    must(nghttp2_session_callbacks_new(&callbacks));
    const std::unique_ptr<nghttp2_session_callbacks, decltype(&nghttp2_session_callbacks_del)> free_callbacks(
        callbacks, &nghttp2_session_callbacks_del);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, &glue::begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, &glue::header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &glue::frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &glue::data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &glue::closed);
    nghttp2_option* option = nullptr;
    must(nghttp2_option_new(&option));
    const std::unique_ptr<nghttp2_option, decltype(&nghttp2_option_del)> free_option(option, &nghttp2_option_del);
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_max_settings(option, 32);
    nghttp2_session* session = nullptr;
    must(nghttp2_session_client_new2(&session, callbacks, this, option));
    session_.reset(session);
    const std::array<nghttp2_settings_entry, 3> settings{{
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, static_cast<std::uint32_t>(limits.stream_window)},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<std::uint32_t>(limits.header_bytes)},
    }};
    must(nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), settings.size()));
    must(nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, limits.connection_window));
}

h2_session::~h2_session() = default;

bool h2_session::receive(std::string_view bytes) {
    if (broken_) return false;
    const auto n =
        nghttp2_session_mem_recv(session_.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    broken_ = n != static_cast<ssize_t>(bytes.size());
    return !broken_;
}

bool h2_session::wants_read() const {
    return !broken_ && nghttp2_session_want_read(session_.get()) != 0;
}

std::string_view h2_session::output() {
    if (output_at_ == output_.size()) {
        output_.clear();
        output_at_ = 0;
    }
    while (!broken_ && output_.size() - output_at_ < limits_.output_bytes) {
        const std::uint8_t* bytes = nullptr;
        const ssize_t n = nghttp2_session_mem_send(session_.get(), &bytes);
        if (n < 0) broken_ = true;
        if (n <= 0) break;
        output_.append(text_of(bytes, static_cast<std::size_t>(n)));
    }
    return std::string_view(output_).substr(output_at_);
}

void h2_session::taken(std::size_t bytes) {
    output_at_ += bytes;
}

bool h2_session::takes_requests() const {
    return !broken_ && nghttp2_session_check_request_allowed(session_.get()) != 0;
}

std::size_t h2_session::streams_max() const {
    return nghttp2_session_get_remote_settings(session_.get(), NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

std::int32_t h2_session::open(std::string_view method, std::string_view scheme, std::string_view authority,
                              std::string_view path, const header_list& fields) {
    std::vector<nghttp2_nv> all{field(":method", method), field(":scheme", scheme), field(":authority", authority),
                                field(":path", path)};
    std::string names;  // of all fields; reserved, so that it does not move
    std::size_t bytes = 0;
    for (const auto f : fields) bytes += f.name.size();
    names.reserve(bytes);
    for (const auto f : fields) {
        if (one_hop(f.name, f.value)) continue;
        const std::size_t at = names.size();
        for (const char c : f.name) names += ascii::lower(c);
        all.push_back(field(std::string_view(names).substr(at), f.value));
    }
    nghttp2_data_provider body{};
    body.read_callback = &glue::read;
    const std::int32_t id = nghttp2_submit_request(session_.get(), nullptr, all.data(), all.size(), &body, nullptr);
    if (id < 0) return 0;
    out_[id] = {};
    return id;
}

void h2_session::send(std::int32_t stream, std::string_view bytes, bool last) {
    const auto found = out_.find(stream);
    if (found == out_.end() || found->second.last) return;
    outgoing& o = found->second;
    if (o.at > 0 && o.at * 2 > o.bytes.size()) {
        o.bytes.erase(0, o.at);
        o.at = 0;
    }
    o.bytes.append(bytes);
    o.last = last;
    if (!o.deferred) return;
    o.deferred = false;
    nghttp2_session_resume_data(session_.get(), stream);
}

std::size_t h2_session::queued(std::int32_t stream) const {
    const auto found = out_.find(stream);
    return found == out_.end() ? 0 : found->second.bytes.size() - found->second.at;
}

void h2_session::consume(std::int32_t stream, std::size_t bytes) {
    // A stream that has been closed still counts at the connection: nghttp2 sees to that.
    nghttp2_session_consume(session_.get(), stream, bytes);
}

void h2_session::reset(std::int32_t stream) {
    nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
}

void h2_session::ping() {
    nghttp2_submit_ping(session_.get(), NGHTTP2_FLAG_NONE, nullptr);
}

}  // namespace sluice::net
