#include "http/message_writer.hpp"

#include "base/ascii.hpp"
#include "http/target.hpp"

#include <cassert>
#include <charconv>

namespace sluice::http {
namespace {

constexpr std::size_t number_bytes_max = 20;
// More than all that is not counted by name: start line without its texts, framing and connection fields.
constexpr std::size_t fixed_bytes_max = 192;

// Fills a piece of `out` that was made large enough beforehand: one growth per head, plain copies after it.
class head_writer {
public:
    head_writer(std::string& out, std::size_t bytes_max) : out_(out), begin_(out.size()) {
        out_.resize(begin_ + bytes_max);
        p_ = out_.data() + begin_;
    }
    head_writer(const head_writer&) = delete;
    head_writer& operator=(const head_writer&) = delete;
    ~head_writer() {
        const auto end = static_cast<std::size_t>(p_ - out_.data());
        assert(end <= out_.size());
        out_.resize(end);
    }

    void text(std::string_view s) { p_ += s.copy(p_, s.size()); }
    void number(std::uint64_t n) { p_ = std::to_chars(p_, p_ + number_bytes_max, n).ptr; }
    void field(std::string_view name, std::string_view value) {
        text(name);
        text(": ");
        text(value);
        text("\r\n");
    }
    void length(std::uint64_t n) {
        text("Content-Length: ");
        number(n);
        text("\r\n");
    }
    // Percent-encodes what may not stand in a target.
    void target(std::string_view s) {
        for (;;) {
            const std::size_t good = target_bytes(s);
            text(s.substr(0, good));
            if (good == s.size()) return;
            const auto byte = static_cast<unsigned char>(s[good]);
            *p_++ = '%';
            *p_++ = "0123456789ABCDEF"[byte >> 4];
            *p_++ = "0123456789ABCDEF"[byte & 0xf];
            s.remove_prefix(good + 1);
        }
    }

private:
    std::string& out_;
    std::size_t begin_;
    char* p_;
};

// Fields that are written from arguments, never from the list. Host only in requests.
bool is_own_field(std::string_view name) {
    switch (name.size()) {
        case 10:
            return ascii::token_equals(name, "connection");
        case 14:
            return ascii::token_equals(name, "content-length");
        case 17:
            return ascii::token_equals(name, "transfer-encoding");
        default:
            return false;
    }
}

// Copies fields but the unwanted. Neighbours that stand in the list's text as they go over the wire are one copy.
template <class Unwanted>
void write_fields(head_writer& w, const header_list& headers, Unwanted unwanted) {
    std::string_view run;
    for (std::size_t i = 0; i < headers.size(); ++i) {
        const auto f = headers[i];
        if (unwanted(f.name)) continue;
        const std::string_view line = headers.line(i);
        if (!run.empty() && line.data() == run.data() + run.size()) {
            run = {run.data(), run.size() + line.size()};
            continue;
        }
        w.text(run);
        run = line;
        if (line.empty()) w.field(f.name, f.value);
    }
    w.text(run);
}

bool expects_body(std::string_view method) {
    return method == "POST" || method == "PUT" || method == "PATCH";
}

void write_request_framing(head_writer& w, std::string_view method, framing body, std::uint64_t content_length) {
    switch (body) {
        case framing::none:
            if (expects_body(method)) w.length(0);
            return;
        case framing::length:
            w.length(content_length);
            return;
        case framing::chunked:
        case framing::until_close:
            w.text("Transfer-Encoding: chunked\r\n");
            return;
    }
}

void write_response_framing(head_writer& w, const response_head& h, framing body) {
    switch (body) {
        case framing::none: {
            const bool silent = h.status < 200 || h.status == 204 || (h.status == 304 && h.content_length == 0);
            if (!silent) w.length(h.content_length);
            return;
        }
        case framing::length:
            w.length(h.content_length);
            return;
        case framing::chunked:
            w.text("Transfer-Encoding: chunked\r\n");
            return;
        case framing::until_close:
            return;
    }
}

}  // namespace

void write_request_head(std::string& out, std::string_view method, std::string_view target, std::string_view host,
                        const header_list& headers, framing body, std::uint64_t content_length, bool keep_alive,
                        std::string_view upgrade) {
    assert(valid_header_name(method));
    assert(valid_header_value(upgrade));
    const std::size_t texts = method.size() + 3 * (target.size() + host.size()) + upgrade.size();
    head_writer w(out, fixed_bytes_max + texts + headers.bytes_max());
    w.text(method);
    w.text(" ");
    w.target(target.empty() ? "/" : target);
    w.text(" HTTP/1.1\r\nHost: ");
    w.target(host);
    w.text("\r\n");
    write_fields(w, headers,
                 [](std::string_view name) { return is_own_field(name) || ascii::token_equals(name, "host"); });
    write_request_framing(w, method, body, content_length);
    if (!upgrade.empty()) {
        w.text("Connection: upgrade\r\n");
        w.field("Upgrade", upgrade);
    } else if (!keep_alive) {
        w.text("Connection: close\r\n");
    }
    w.text("\r\n");
}

void write_response_head(std::string& out, const response_head& h, bool keep_alive, int client_minor_version) {
    assert(h.status >= 100 && h.status <= 999);
    const framing body = framing_for(h.body, client_minor_version);
    head_writer w(out, fixed_bytes_max + h.headers.bytes_max());
    if (h.status == 200) {
        w.text("HTTP/1.1 200 OK\r\n");
    } else {
        w.text("HTTP/1.1 ");
        w.number(static_cast<std::uint64_t>(h.status));
        w.text(" ");
        w.text(reason_phrase(h.status));
        w.text("\r\n");
    }
    write_fields(w, h.headers, is_own_field);
    write_response_framing(w, h, body);
    if (h.status == 101 && h.upgrade) {
        w.text("Connection: upgrade\r\n");
    } else if (h.status >= 200 && (!keep_alive || body == framing::until_close)) {
        w.text("Connection: close\r\n");
    } else if (h.status >= 200 && client_minor_version == 0) {
        w.text("Connection: keep-alive\r\n");
    }
    w.text("\r\n");
}

}  // namespace sluice::http
