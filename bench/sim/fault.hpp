#pragma once
// What goes wrong with one request, and the language in which tests ask for it. docs/sim.md has the table of
// names; names() and the parser share one list, so that the page and the code can be compared.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sluice::sim {

enum class die_at { nowhere, accept, request, status, head };
enum class die_how { rst, fin };
enum class line_end { lf, cr, crlf };

// Every field's default means "as it should be".
struct fault_plan {
    std::chrono::nanoseconds delay{};        // before the status line
    std::chrono::nanoseconds first{};        // between head and first body byte
    std::optional<std::size_t> stall_after;  // events sent before the stream stalls
    std::chrono::nanoseconds stall = std::chrono::hours{24};
    std::optional<std::uint64_t> die;      // byte of the response after which the connection ends
    std::optional<std::size_t> die_event;  // event in whose middle the connection ends
    die_at at = die_at::nowhere;
    die_how how = die_how::rst;

    int status = 0;  // answer this instead
    std::string body;
    std::string retry_after;
    std::string header;        // one more "Name: value" line, not checked
    std::string content_type;  // instead of the right one
    std::string text;          // what the model says

    bool garbage = false;          // bytes that are not HTTP
    bool cl_te = false;            // Content-Length and Transfer-Encoding
    bool te_gzip = false;          // "Transfer-Encoding: gzip, chunked" over a body that is not compressed
    bool no_reason = false;        // "HTTP/1.1 200"
    bool no_length = false;        // body ends with the connection
    bool no_final_chunk = false;   // the connection closes in place of the last chunk
    std::size_t interim = 0;       // 103 responses before the real one
    bool drop_keep_alive = false;  // close after the response without having said so
    std::optional<std::chrono::nanoseconds> idle_close;  // close the connection after this long without a request

    std::uint64_t rate = 0;  // body bytes per second
    std::size_t cut = 0;     // bytes per write
    std::size_t chunk = 0;   // bytes per HTTP chunk

    std::optional<std::size_t> malformed;  // event whose JSON is cut off
    std::size_t huge = 0;                  // bytes of an extra first event
    bool no_usage = false;
    bool no_done = false;
    bool sse_extra = false;      // comments, unknown and repeated fields in every event
    bool no_last_blank = false;  // the stream ends without the blank line after the last event
    line_end ends = line_end::lf;

    // True when the response takes the ordinary way out.
    bool harmless() const;
    // True when the response's words or status are other than the request asked for.
    bool replaces_body() const { return status != 0; }
};

// Takes "delay=200ms;die=100;garbage" or {"delay": "200ms", "die": 100, "garbage": true}.
// On failure the string says which part was not understood.
std::variant<fault_plan, std::string> parse_fault(std::string_view script);

// "250us", "20ms", "1.5s", "2m"; a bare number is milliseconds.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

// Names of all faults, for the documentation's test.
std::vector<std::string_view> fault_names();

// A fault with the rule when it happens. The first rule that applies to a request is used.
struct fault_rule {
    fault_plan plan;
    std::uint64_t next = 0;   // only so many matching requests; 0: no end
    std::uint64_t every = 1;  // only each n-th matching request
    std::string path;         // only targets that begin so
    std::uint64_t seen = 0;
};

// The rules of one instance. Not thread-safe.
class fault_book {
public:
    // A script may hold, beside the faults, next=N, every=N and path=/prefix.
    std::optional<std::string> add(std::string_view script);
    void clear() { rules_.clear(); }
    // The plan for a request; counts it against the rules it matches.
    std::optional<fault_plan> take(std::string_view target);
    // The plan for a new connection, if the next rule in line is one that dies at accept.
    bool dies_at_accept();
    bool empty() const { return rules_.empty(); }

private:
    std::vector<fault_rule> rules_;
};

}  // namespace sluice::sim
