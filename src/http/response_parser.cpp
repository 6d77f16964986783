#include "http/response_parser.hpp"

#include "base/ascii.hpp"
#include "http/head_fields.hpp"
#include "http/head_scan.hpp"

#include <algorithm>

namespace sluice::http {
namespace {

refusal bad(std::string_view reason) {
    return {502, reason, error_kind::upstream_protocol};
}

constexpr std::string_view version_prefix = "HTTP/1.";

// "HTTP/1.1 200 OK\r\n"; takes the line off `rest`, which is known to hold a CR. The text behind the status is
// read by nobody, but must not hide control bytes.
refusal read_status_line(std::string_view& rest, response_head& out) {
    const char* const end = rest.data() + rest.size();
    const char* const stop = ascii::find_control(rest.data(), end);
    if (*stop != '\r') return bad("status_line");
    if (stop[1] != '\n') return bad("bare_cr");
    const std::string_view line{rest.data(), stop};
    rest = {stop + 2, end};

    constexpr std::size_t version_at = version_prefix.size();
    if (!line.starts_with(version_prefix)) return bad("status_line");
    if (line.size() < version_at + 5 || line[version_at + 1] != ' ') return bad("status_line");
    const char minor = line[version_at];
    if (minor != '0' && minor != '1') return bad("version");
    out.minor_version = minor - '0';

    const std::string_view status = line.substr(version_at + 2);
    const bool digits = ascii::is_digit(status[0]) && ascii::is_digit(status[1]) && ascii::is_digit(status[2]);
    if (!digits || (status.size() > 3 && status[3] != ' ')) return bad("status");
    out.status = (status[0] - '0') * 100 + (status[1] - '0') * 10 + (status[2] - '0');
    if (out.status < 100 || out.status > 599) return bad("status");
    return {};
}

refusal settle_framing(const field_facts& facts, std::string_view request_method, response_head& out) {
    if (facts.codings > 0) {
        if (out.minor_version == 0) return bad("transfer_encoding_in_1_0");
        if (facts.lengths > 0) return bad("length_and_transfer_encoding");
        if (facts.codings > 1) return bad("transfer_encoding_repeated");
        if (judge_coding(facts.coding) != coding_verdict::chunked) return bad("transfer_encoding");
    }
    if (facts.length_bad) return bad("content_length");
    if (facts.lengths_differ) return bad("content_length_repeated");
    out.content_length = facts.length;

    const bool bodiless_status = out.status < 200 || out.status == 204 || out.status == 304;
    if (request_method == "HEAD" || bodiless_status) {
        out.body = framing::none;
    } else if (facts.codings > 0) {
        out.body = framing::chunked;
    } else {
        out.body = facts.lengths > 0 ? framing::length : framing::until_close;
    }
    return {};
}

void settle_connection(const field_facts& facts, response_head& out) {
    const bool modern = out.minor_version == 1;
    out.keep_alive = !facts.close && (modern || facts.keep_alive) && out.body != framing::until_close;
    // A 204 that announces a body may well send one: the next answer on this connection would begin in it.
    if (out.status == 204 && (facts.codings > 0 || facts.length > 0)) out.keep_alive = false;
    out.upgrade = out.status == 101 && facts.upgrade_option && facts.upgrade_field;
}

refusal parse(std::string_view head, const head_limits& limits, std::string_view request_method, response_head& out) {
    field_facts facts;
    refusal why = read_status_line(head, out);
    if (why.status == 0) why = parse_fields(head, limits.fields, out.headers, facts);
    if (why.status == 0) why = settle_framing(facts, request_method, out);
    if (why.status == 0) settle_connection(facts, out);
    return why;
}

// What does not begin like HTTP is not worth waiting for.
bool could_begin(std::string_view bytes) {
    const std::size_t n = std::min(bytes.size(), version_prefix.size());
    return bytes.substr(0, n) == version_prefix.substr(0, n);
}

parsed find_end(std::string_view bytes, std::size_t& scanned, std::size_t head_bytes_max) {
    if (scanned < version_prefix.size() && !could_begin(bytes)) return {progress::bad, 0, bad("status_line")};
    const head_end end = find_head_end(bytes.substr(0, head_bytes_max), scanned);
    if (end.state == progress::bad) return {progress::bad, 0, bad("bare_lf")};
    if (end.state == progress::done) return {progress::done, end.size, {}};
    if (bytes.size() >= head_bytes_max) return {progress::bad, 0, bad("head_too_large")};
    return {};
}

// As the request parser does: a head that came whole is tried at once, and only success counts.
std::size_t parse_at_once(std::string_view bytes, const head_limits& limits, std::string_view request_method,
                          response_head& out) {
    const std::size_t size = find_empty_line(bytes.substr(0, limits.head_bytes));
    if (size == 0 || !could_begin(bytes)) return 0;
    return parse(bytes.substr(0, size), limits, request_method, out).status == 0 ? size : 0;
}

}  // namespace

parsed parse_response_head(std::string_view bytes, std::size_t& scanned, const head_limits& limits,
                           std::string_view request_method, response_head& out) {
    out.clear();
    if (scanned == 0) {
        const std::size_t size = parse_at_once(bytes, limits, request_method, out);
        if (size > 0) return {progress::done, size, {}};
        out.clear();
    }
    parsed p = find_end(bytes, scanned, limits.head_bytes);
    if (p.state == progress::need_more) return p;
    scanned = 0;
    if (p.state == progress::bad) return p;
    p.why = parse(bytes.substr(0, p.consumed), limits, request_method, out);
    if (p.why.status == 0) return p;
    out.clear();
    return {progress::bad, 0, bad(p.why.reason)};
}

}  // namespace sluice::http
