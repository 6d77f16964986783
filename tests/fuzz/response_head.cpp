// Any bytes, as the head of an upstream's answer: the outcome must not hang on how they were cut, and what is
// accepted must come out of our own writer with the same framing.
#include "http/hop_by_hop.hpp"
#include "http/message_writer.hpp"
#include "http/response_parser.hpp"

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

void check_cuts(std::string_view wire, std::string_view method, const parsed& whole, const response_head& head) {
    static response_head cut;
    std::size_t scanned = 0;
    parsed p;
    for (std::size_t n = 0; n <= wire.size() && p.state == progress::need_more; ++n) {
        p = parse_response_head(wire.substr(0, n), scanned, {}, method, cut);
    }
    require(p.state == whole.state && p.consumed == whole.consumed && p.why.reason == whole.why.reason);
    if (p.state != progress::done) return;
    require(cut.status == head.status && cut.body == head.body && cut.content_length == head.content_length);
    require(cut.headers.size() == head.headers.size() && cut.keep_alive == head.keep_alive);
}

void check_written(response_head head, std::string_view method) {
    remove_hop_by_hop(head.headers);
    std::string out;
    write_response_head(out, head, true, 1);
    const head_limits wide{.head_bytes = 1 << 20, .fields = 1000};
    response_head back;
    std::size_t scanned = 0;
    const parsed p = parse_response_head(out, scanned, wide, method, back);
    require(p.state == progress::done && p.consumed == out.size());
    require(back.status == head.status && back.body == head.body);
    if (head.body == framing::length) require(back.content_length == head.content_length);
    require(back.keep_alive == (head.body != framing::until_close));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static response_head head;
    const std::string_view wire{reinterpret_cast<const char*>(data), size};
    for (const std::string_view method : {"POST", "HEAD"}) {
        std::size_t scanned = 0;
        const parsed p = parse_response_head(wire, scanned, {}, method, head);
        require(p.consumed <= size);
        if (p.state == progress::bad) {
            require(p.why.status == 502 && p.why.kind == error_kind::upstream_protocol && !p.why.reason.empty());
        }
        check_cuts(wire, method, p, head);
        if (p.state != progress::done) continue;
        require(head.status >= 100 && head.status <= 599);
        for (const auto f : head.headers) require(valid_header_name(f.name) && valid_header_value(f.value));
        check_written(head, method);
    }
    return 0;
}
