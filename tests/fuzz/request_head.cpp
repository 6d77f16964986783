// Any bytes, as a request head: the outcome must not hang on how they were cut, and what is accepted must
// come out of our own writer as a message with the same meaning and no way to smuggle.
#include "http/hop_by_hop.hpp"
#include "http/message_writer.hpp"
#include "http/request_parser.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace sluice;
using namespace sluice::http;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

void check_same(const request_head& a, const request_head& b) {
    require(a.method == b.method && a.target == b.target && a.host == b.host);
    require(a.body == b.body && a.content_length == b.content_length);
    require(a.headers.size() == b.headers.size());
}

void check_cuts(std::string_view wire, const head_limits& limits, const parsed& whole, const request_head& head) {
    static request_head cut;
    std::size_t scanned = 0;
    parsed p;
    for (std::size_t n = 0; n <= wire.size() && p.state == progress::need_more; ++n) {
        p = parse_request_head(wire.substr(0, n), scanned, limits, cut);
    }
    require(p.state == whole.state && p.consumed == whole.consumed);
    require(p.why.status == whole.why.status && p.why.reason == whole.why.reason);
    if (p.state == progress::done) check_same(cut, head);
}

void check_written(const request_head& head) {
    header_list headers = head.headers;
    remove_hop_by_hop(headers);
    std::string out;
    write_request_head(out, head.method, head.target, head.host, headers, head.body, head.content_length);
    const head_limits wide{.head_bytes = 1 << 20, .fields = 1000, .target_bytes = 1 << 16};
    request_head back;
    std::size_t scanned = 0;
    const parsed p = parse_request_head(out, scanned, wide, back);
    if (head.host.empty()) {  // HTTP/1.0 without Host: whoever forwards it must name one
        require(p.state == progress::bad);
        return;
    }
    require(p.state == progress::done && p.consumed == out.size());
    require(back.method == head.method && back.target == head.target && back.host == head.host);
    require(back.content_length == head.content_length);
    require(!back.upgrade && !back.expect_continue && back.keep_alive);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static request_head head;
    const std::string_view wire{reinterpret_cast<const char*>(data), size};
    for (const head_limits& limits : {head_limits{}, head_limits{.head_bytes = 64, .fields = 2, .target_bytes = 8}}) {
        std::size_t scanned = 0;
        const parsed p = parse_request_head(wire, scanned, limits, head);
        require(p.consumed <= size);
        require((p.state == progress::bad) == (p.why.status >= 400) && (p.why.status != 0) == !p.why.reason.empty());
        check_cuts(wire, limits, p, head);
        if (p.state != progress::done) continue;
        require(head.headers.size() <= limits.fields && head.target.size() <= limits.target_bytes);
        for (const auto f : head.headers) require(valid_header_name(f.name) && valid_header_value(f.value));
        check_written(head);
    }
    return 0;
}
