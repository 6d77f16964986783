// One request and its response travelling through the stages of a route.
//
// Facts flow one way: a stage adds what it found out (who calls, which model, which target) and never
// changes another stage's facts. An exchange lives on its session's worker from the request's head to
// the last byte of the reply; nothing of it is touched by another thread.
#pragma once

#include <sluice/json.hpp>
#include <sluice/message.hpp>
#include <sluice/result.hpp>
#include <sluice/secret.hpp>
#include <sluice/sink.hpp>
#include <sluice/usage.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

// Where a request's body comes from. Implemented by the session.
class request_body {
public:
    // The next piece, decoded; empty at the end. Valid until the next call.
    virtual awaitable<result<std::string_view>> read() = 0;
    // All of it in one block that lives until release(). `reader`, if there is one, is shown a large body as it comes.
    // Error: payload_too_large, request_timeout, bad_request, overloaded.
    virtual awaitable<result<std::string_view>> collect(std::size_t bytes_max, json_reader* reader) = 0;
    // collect() where all of the body is here already, which is nearly always: nothing when it must be awaited.
    virtual std::optional<result<std::string_view>> collect_now(std::size_t) { return std::nullopt; }
    // Gives the memory of a collected body back. Its views die.
    virtual void release() = 0;
    virtual std::optional<std::uint64_t> length() const = 0;  // when the client declared one

protected:
    ~request_body() = default;
};

// Who is calling. Set by auth; without auth the caller is anonymous.
struct identity {
    std::string key_id;  // names the key in logs, metrics and limits; never the key itself
    std::string tenant;
    std::vector<std::string> models;            // globs of model names the caller may use; empty: all
    std::map<std::string, std::string> claims;  // of a JWT: scalar claims as text
    bool anonymous = true;

    bool may_use(std::string_view model) const;
};

// How long each step of an upstream call may take.
struct upstream_timeouts {
    std::chrono::milliseconds connect{5000};
    std::chrono::milliseconds tls{5000};
    std::chrono::milliseconds first_byte{60000};  // request sent -> response head
    std::chrono::milliseconds idle{60000};        // between two reads of the response
};

// Signs or adds credentials to a request just before it is sent: a header, a fresh token, SigV4. One
// object per worker; it outlives every exchange that uses it.
class authorizer {
public:
    // `path_and_query` is the target as it will be sent; `body` the pieces as they will be sent
    // (empty when the body streams).
    virtual awaitable<result<void>> authorize(std::string_view method, std::string_view host,
                                              std::string_view path_and_query,
                                              const std::vector<std::string_view>& body, header_list& headers) = 0;

protected:
    ~authorizer() = default;
};

// One address of a provider, built from the configuration and constant from then on.
struct upstream_endpoint {
    std::string provider;  // name from the configuration: label and log
    std::string name;      // which of its addresses; label
    bool tls = false;
    std::string host;  // name or address literal, without port or brackets
    std::uint16_t port = 80;
    std::string host_header;                      // what the Host field says
    std::string base_path;                        // put before every path, without a slash at its end: "/v1"
    std::string pool_key;                         // equal keys share connections
    bool h2 = false;                              // HTTP/2 is spoken there: what TLS asks for
    std::shared_ptr<const void> connect_options;  // opaque here, read by net
    upstream_timeouts timeouts;
};

// The upstream chosen for this attempt. Set by `route` (or by a generic http target), used by `relay`.
// What it points to belongs to the route's stages and outlives the exchange.
struct upstream_target {
    const upstream_endpoint* endpoint = nullptr;
    std::string_view model;                    // the model's name at the provider, as configured: a label; may be empty
    std::string path;                          // replaces the request's path (behind base_path) when not empty
    sluice::authorizer* authorizer = nullptr;  // nothing to add when null
    const header_list* headers = nullptr;      // set on the request, replacing the client's
    std::chrono::milliseconds first_byte{0}, idle{0};  // override the endpoint's timeouts when not 0
    bool forward_credentials = false;                  // pass the client's Authorization and Cookie on (generic http)
    bool translated = false;  // it speaks another dialect: nothing of the client's query and vendor headers passes
};

// One call to an upstream, as a trace shows it.
struct upstream_call {
    std::string span_id;  // sent to the upstream as the parent of its spans
    const upstream_endpoint* endpoint = nullptr;
    std::string_view model;  // at the provider
    std::chrono::steady_clock::time_point start, end;
    int status = 0;  // 0: no answer
    std::optional<error_kind> failure;
};

// Why an exchange ended early.
enum class abort_reason : std::uint8_t { none, client_gone, client_write_stall, total_timeout, drain, shutdown };

class upstream_connection;  // src/pipeline/upstream.hpp

// A limit on what a caller uses, for a session of many responses in one exchange (a WebSocket): who put it there is
// told as the session goes on, not only at its end.
class session_budget {
public:
    // A response is over: x.usage has grown.
    virtual void response_done() = 0;
    // May another one begin? An error ends the session.
    virtual std::optional<error> next_response() = 0;

protected:
    ~session_budget() = default;  // lives on a stage's frame
};

class exchange {
public:
    // What the session provides. Opaque to stages.
    class host;

    exchange(host& h, request_head& head, request_body& body) : host_(h), head_(head), body_(body) {}
    exchange(const exchange&) = delete;
    exchange& operator=(const exchange&) = delete;
    host& session() { return host_; }

    // --- the request -------------------------------------------------------------------------------
    const request_head& request() const { return head_; }
    // Headers that go upstream start as a filtered copy of these; `rewrite` may change them.
    request_head& request_to_change() { return head_; }
    request_body& body() { return body_; }
    // Collects the body within the route's limit. Collecting twice is free.
    awaitable<result<std::string_view>> collect_body();
    bool collected() const { return collected_; }
    std::string_view collected_body() const { return text_; }
    // The body as a JSON object; collects and validates on the first call. Error: bad_request.
    awaitable<result<const json_object*>> json();
    // json() where no more bytes are needed for it: nothing when it must be awaited. Saves frames where they count.
    std::optional<result<const json_object*>> json_now();
    const json_object* parsed_json() const { return json_ ? &*json_ : nullptr; }
    json_edits& edits() { return edits_; }  // to json(); applied when the request is sent
    // Replaces the body as a whole; json() then reads the new text. Edits so far are gone.
    void replace_body(std::string text);
    // Sent instead of the body: what a translation for this attempt's target made of it.
    std::optional<std::string> outgoing_body;
    // Gives the body's memory back: no attempt will follow. Every view of it dies, json() with it.
    void release_body();
    // May the request be sent again? Not when its body was streamed past.
    bool replayable() const { return collected_ || head_.body == framing::none; }

    std::string_view request_id() const { return request_id_; }
    std::string_view remote_address() const { return remote_address_; }
    std::string_view route_name() const { return route_name_; }
    std::chrono::steady_clock::time_point started() const { return started_; }

    // Keeps what facts point to until the exchange ends: the address of a model server that may leave its pool.
    void keep(std::shared_ptr<const void> what) {
        if (kept_.empty() || kept_.back() != what) kept_.push_back(std::move(what));
    }

    // --- facts -------------------------------------------------------------------------------------
    identity caller;
    std::string model;             // the public name the client asked for; empty on routes without models
    std::string_view model_entry;  // its entry in the configuration: a label, where `model` is the client's text
    bool stream = false;           // the client asked for a stream
    std::optional<upstream_target> target;
    int upstream_status = 0;  // of the last attempt
    token_usage usage;        // filled by the relay as the reply passes
    int attempts = 0;         // upstream calls so far
    bool fell_back = false;
    bool hide_usage_event = false;                       // we asked the upstream for usage, the client did not
    std::int64_t reply_bytes = 0;                        // body bytes handed to the client
    std::int64_t reply_events = 0;                       // SSE events handed to the client
    int status = 0;                                      // sent to the client
    std::chrono::steady_clock::time_point first_byte{};  // first body byte handed to the client; epoch: none
    std::chrono::nanoseconds upstream_time{0};           // spent waiting for upstreams
    // W3C trace context: ids in hex; parent empty when the client sent none.
    std::string trace_id, parent_span_id, span_id;
    std::string trace_state;  // the caller's tracestate, passed on as it is
    bool trace_sampled = false;
    std::vector<upstream_call> calls;  // when sampled, in their order
    // Are the durations of its stages measured? One exchange of several is: clocks cost more than most stages.
    bool timed = false;
    std::chrono::nanoseconds inner_time{0};  // of the stages behind the one that runs, while `timed`
    session_budget* budget = nullptr;        // of the innermost stage that has one; it asks the next one out itself

    // --- the reply ---------------------------------------------------------------------------------
    reply_sink& reply() { return *reply_; }        // the outermost sink: where the relay writes
    bool committed() const { return committed_; }  // the head is on its way: no retry any more
    // Answers by itself, with Content-Length. For a stage that does not call next.
    awaitable<void> respond(response_head head, std::string_view body);
    awaitable<void> respond_json(int status, std::string_view body);

    // Records why this attempt failed. Not sent until the session renders it in the client's dialect,
    // so that a stage further out may clear it and try again.
    void fail(error e) { failure_ = std::move(e); }
    const std::optional<error>& failure() const { return failure_; }
    void clear_failure() { failure_.reset(); }
    bool failure_told = false;  // the client has got it in-band, in its dialect: nothing follows but the end
    // Set on the reply that tells of a failure, which passes no sink of a stage.
    header_list failure_headers;

    // Which upstream statuses the relay shall keep back as a failure instead of sending them on; null:
    // none. Set by the stage that would retry, for as long as it would.
    bool (*hold_back)(int status) = nullptr;

    // Ends the exchange: the first reason is kept, pending operations of this exchange are cancelled and
    // its coroutine unwinds.
    void abort(abort_reason why);
    abort_reason aborted() const { return aborted_; }

    // --- watching ----------------------------------------------------------------------------------
    const std::vector<observer*>& observers() const { return observers_; }
    // Does anybody need whole SSE events? If not, the relay passes bytes in pieces.
    bool wants_events() const { return wants_events_ > 0; }

private:
    friend class sink_scope;
    friend class observer_scope;
    friend class host;
    result<const json_object*> keep(result<json_object> parsed);

    host& host_;
    request_head& head_;
    request_body& body_;
    reply_sink* reply_ = nullptr;
    std::vector<observer*> observers_;
    std::vector<std::shared_ptr<const void>> kept_;
    int wants_events_ = 0;
    bool collected_ = false;
    bool committed_ = false;
    std::string_view text_;
    std::string replaced_;
    std::optional<json_object> json_;
    json_edits edits_;
    std::optional<error> failure_;
    abort_reason aborted_ = abort_reason::none;
    std::string request_id_;
    std::string_view remote_address_, route_name_;  // the session's and the route's
    std::chrono::steady_clock::time_point started_{};
};

// What stands behind an exchange: the session. Its methods are the exchange's way to its connection.
class exchange::host {
public:
    virtual void cancel(exchange& x) = 0;             // cancel what the exchange's coroutine waits for
    virtual std::size_t body_bytes_max() const = 0;   // the route's limit
    virtual bool unflushed() const { return false; }  // does the client's sink hold anything back?
    // Sends what the client's sink still holds back to save a system call; the relay calls it before it waits.
    virtual awaitable<void> flush();
    // After a 101: sends its head, then passes bytes both ways until either side ends. Where the target is a
    // model, a WebSocket's events are read as they pass: x.usage grows with each response.
    virtual awaitable<result<void>> tunnel(upstream_connection& upstream, response_head& head);

protected:
    ~host() = default;
    // For the implementation: fields that stages can only read. Address and name outlive the exchange.
    static void begin(exchange& x, std::string request_id, std::string_view remote_address, std::string_view route_name,
                      std::chrono::steady_clock::time_point started);
    static void set_client(exchange& x, reply_sink& client) { x.reply_ = &client; }
    static void mark_committed(exchange& x) { x.committed_ = true; }
};

// Puts a sink before the client's for as long as the scope lives. The sink forwards to `next()`.
class sink_scope {
public:
    enum class needs : std::uint8_t { pieces, events };
    sink_scope(exchange& x, reply_sink& sink, needs n = needs::events);
    ~sink_scope();
    sink_scope(const sink_scope&) = delete;
    sink_scope& operator=(const sink_scope&) = delete;

    // The sink to construct `sink` with: x.reply() before the scope began.
    reply_sink& next() const { return *outer_; }

private:
    exchange& x_;
    reply_sink* outer_;
    needs needs_;
};

// Watches the reply for as long as the scope lives.
class observer_scope {
public:
    observer_scope(exchange& x, observer& o, sink_scope::needs n = sink_scope::needs::events);
    ~observer_scope();
    observer_scope(const observer_scope&) = delete;
    observer_scope& operator=(const observer_scope&) = delete;

private:
    exchange& x_;
    sink_scope::needs needs_;
};

}  // namespace sluice
