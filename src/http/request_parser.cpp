#include "http/request_parser.hpp"

#include "base/ascii.hpp"
#include "http/authority.hpp"
#include "http/field_list.hpp"
#include "http/head_fields.hpp"
#include "http/head_scan.hpp"
#include "http/target.hpp"

#include <algorithm>
#include <cstring>

namespace sluice::http {
namespace {

constexpr refusal none{};

refusal bad(std::string_view reason) {
    return {400, reason, error_kind::bad_request};
}

// A cursor over a head that is known to end in CRLF CRLF: no reader below passes a CR.
struct reader {
    std::string_view rest;
    std::string_view take(std::size_t n) {
        const std::string_view taken{rest.data(), n};
        rest.remove_prefix(n);
        return taken;
    }
};

refusal read_request_line(reader& in, const head_limits& limits, request_head& out) {
    const std::size_t method = ascii::token.span(in.rest);
    if (method == 0 || method > method_bytes_max || in.rest[method] != ' ') return bad("method");
    out.method.assign(in.take(method));
    in.take(1);

    const std::size_t target = target_bytes(in.rest);
    if (target > limits.target_bytes) return {414, "target_too_long", error_kind::uri_too_long};
    if (target == 0 || in.rest[target] != ' ') return bad("target");
    out.target.assign(in.take(target));
    in.take(1);

    constexpr std::size_t version_bytes = 10;  // with the line end
    const char* const version = in.rest.data();
    if (in.rest.size() > version_bytes && std::memcmp(version, "HTTP/1.", 7) == 0 &&
        (version[7] == '1' || version[7] == '0') && version[8] == '\r' && version[9] == '\n') {
        out.minor_version = version[7] - '0';
        in.take(version_bytes);
        return none;
    }
    std::string_view line = in.rest.substr(0, in.rest.find('\r'));
    if (!line.starts_with("HTTP/")) return bad("version");
    line.remove_prefix(5);
    const bool number =
        !line.empty() && std::all_of(line.begin(), line.end(), [](char c) { return ascii::is_digit(c) || c == '.'; });
    if (!number) return bad("version");
    return {505, "version", error_kind::version_not_supported};
}

// http://host[:port][/path][?query] -> the origin form. Leaves `host` viewing into `absolute`.
bool split_absolute(std::string_view absolute, std::string_view& host, std::string_view& path) {
    const auto colon = absolute.find("://");
    if (colon == std::string_view::npos) return false;
    const auto scheme = absolute.substr(0, colon);
    if (!equals_lower(scheme, "http") && !equals_lower(scheme, "https")) return false;
    absolute.remove_prefix(colon + 3);
    const auto end = std::min(absolute.find_first_of("/?"), absolute.size());
    host = absolute.substr(0, end);
    path = absolute.substr(end);
    return true;
}

refusal settle_host(const field_facts& facts, request_head& out) {
    if (facts.hosts > 1) return bad("host_repeated");
    if (facts.hosts == 0 && out.minor_version == 1) return bad("host_missing");
    if (facts.hosts == 1 && !parse_authority(facts.host)) return bad("host");
    append_lower(out.host, facts.host);
    return none;
}

refusal settle_target(const field_facts& facts, request_head& out) {
    if (out.method == "CONNECT") return {405, "connect", error_kind::method_not_allowed};
    if (out.target.front() == '/') return none;
    if (out.target == "*" && out.method == "OPTIONS") return none;

    std::string_view host;
    std::string_view path;
    if (!split_absolute(out.target, host, path)) return bad("target_form");
    if (facts.hosts == 1 ? !iequals(host, facts.host) : !parse_authority(host)) return bad("target_host");
    if (facts.hosts == 0) append_lower(out.host, host);

    // The path is the tail of the target: cut what stands before it, in place.
    const bool rooted = path.starts_with('/');
    const bool asterisk = path.empty() && out.method == "OPTIONS";  // RFC 9112 3.2.4
    out.target.erase(0, out.target.size() - path.size());
    if (!rooted) out.target.insert(0, 1, asterisk ? '*' : '/');
    return none;
}

refusal settle_framing(const field_facts& facts, request_head& out) {
    if (facts.codings > 0) {
        if (out.minor_version == 0) return bad("transfer_encoding_in_1_0");
        if (facts.lengths > 0) return bad("length_and_transfer_encoding");
        if (facts.codings > 1) return bad("transfer_encoding_repeated");
        switch (judge_coding(facts.coding)) {
            case coding_verdict::chunked:
                out.body = framing::chunked;
                return none;
            case coding_verdict::unknown:
                return {501, "transfer_encoding", error_kind::not_implemented};
            case coding_verdict::malformed:
                return bad("transfer_encoding");
        }
    }
    if (facts.lengths == 0) return none;
    if (facts.lengths > 1) return bad("content_length_repeated");
    if (facts.length_bad) return bad("content_length");
    out.body = framing::length;
    out.content_length = facts.length;
    return none;
}

refusal settle_connection(const field_facts& facts, request_head& out) {
    if (facts.expect_other) return {417, "expectation", error_kind::bad_request};
    const bool modern = out.minor_version == 1;
    const bool body_to_come = out.body == framing::chunked || out.content_length > 0;
    out.keep_alive = !facts.close && (modern || facts.keep_alive);
    out.upgrade = modern && facts.upgrade_option && facts.upgrade_field;
    out.expect_continue = modern && facts.expect_continue && body_to_come;
    return none;
}

refusal parse(std::string_view head, const head_limits& limits, request_head& out) {
    field_facts facts;
    reader in{head};
    if (head.starts_with("\r\n")) in.take(2);
    refusal why = read_request_line(in, limits, out);
    if (why.status == 0) why = parse_fields(in.rest, limits.fields, out.headers, facts);
    if (why.status == 0) why = settle_host(facts, out);
    if (why.status == 0) why = settle_target(facts, out);
    if (why.status == 0) why = settle_framing(facts, out);
    if (why.status == 0) why = settle_connection(facts, out);
    return why;
}

// The first bytes tell most strangers (TLS, SOCKS, noise) apart before they cost a head's worth of memory.
refusal judge_start(std::string_view bytes) {
    if (bytes[0] == '\n') return bad("bare_lf");
    if (bytes[0] != '\r') return ascii::token(bytes[0]) ? none : bad("method");
    if (bytes.size() > 1 && bytes[1] != '\n') return bad("bare_cr");
    if (bytes.size() > 2 && !ascii::token(bytes[2])) return bad("method");
    return none;
}

// Searches in the order of the bytes, so that what is found first does not hang on how they were cut.
parsed find_end(std::string_view bytes, std::size_t& scanned, const head_limits& limits) {
    if (bytes.empty()) return {};
    if (scanned < 3) {
        const refusal why = judge_start(bytes);
        if (why.status != 0) return {progress::bad, 0, why};
    }
    const auto look = [&](std::size_t up_to) -> parsed {
        const head_end end = find_head_end(bytes.substr(0, up_to), scanned);
        return {end.state, end.size, end.state == progress::bad ? bad("bare_lf") : none};
    };
    // No good request line is longer than this, a skipped CRLF included.
    const std::size_t line_max = 2 + method_bytes_max + 1 + limits.target_bytes + 11;
    const std::size_t first = std::min(line_max, limits.head_bytes);
    if (scanned < first) {
        const parsed found = look(first);
        if (found.state != progress::need_more) return found;
        const bool no_line = bytes.substr(0, first).find('\n', 2) == std::string_view::npos;
        if (no_line && bytes.size() >= first)
            return {progress::bad, 0, {414, "target_too_long", error_kind::uri_too_long}};
    }
    const parsed found = look(limits.head_bytes);
    if (found.state != progress::need_more || bytes.size() < limits.head_bytes) return found;
    return {progress::bad, 0, {431, "head_too_large", error_kind::headers_too_large}};
}

// Tries a head that came whole. Only success counts: everything else goes the way that says exactly what is
// wrong, which never depends on how the bytes were cut.
std::size_t parse_at_once(std::string_view bytes, const head_limits& limits, request_head& out) {
    const std::size_t size = find_empty_line(bytes.substr(0, limits.head_bytes));
    if (size == 0) return 0;
    // "\r\n\r\n" alone would have no start line to stop a reader.
    if (judge_start(bytes).status != 0) return 0;
    return parse(bytes.substr(0, size), limits, out).status == 0 ? size : 0;
}

}  // namespace

parsed parse_request_head(std::string_view bytes, std::size_t& scanned, const head_limits& limits, request_head& out) {
    out.clear();
    if (scanned == 0) {
        const std::size_t size = parse_at_once(bytes, limits, out);
        if (size > 0) return {progress::done, size, {}};
        out.clear();
    }
    parsed p = find_end(bytes, scanned, limits);
    if (p.state == progress::need_more) return p;
    scanned = 0;
    if (p.state == progress::bad) return p;
    p.why = parse(bytes.substr(0, p.consumed), limits, out);
    if (p.why.status == 0) return p;
    out.clear();
    return {progress::bad, 0, p.why};
}

}  // namespace sluice::http
