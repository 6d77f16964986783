// Where requests of one pool wait when every model server has as much as it should have: who may go next, and who may
// wait at all.
//
// Between priorities: strict, higher first, with two exceptions.
//   Ageing. When a class's oldest request has waited `age_after`, the class is due: of every `aged_every` requests
//   dispatched one comes from the class that has been due longest. The time is the rule of Linux' mq-deadline
//   scheduler (block/mq-deadline.c, prio_aging_expire, 10 s), which lets all that is old go first. The limit to a share
//   is ours: under lasting overload all of a low class is old, and without it the order would be turned round.
//   Hold-back. The pool's last part is kept for those above: class p of 0..7 gets nothing in turn while the pool is
//   fuller than 1 - hold_back (7 - p) / 7 (the linear policy of llm-d-router's flow control). Ageing overrules it.
//
// Among the tenants of a class: deficit round robin on tokens (Shreedhar and Varghese, SIGCOMM 1995) in the form that
// charges after serving, as fq_codel does (RFC 8290, 4.2): a tenant with credit is served and pays what the request
// costs; one without gets `quantum_tokens` and goes to the end. Between any two moments at which two tenants both wait,
// what they got differs by at most a quantum and two requests. Least attained service would need to remember tenants
// that left, for as long as their service counts; here a tenant that has gone can be forgotten once its debt is paid,
// so that invented names fill nothing. A request costs at most 32 quanta: debts take few rounds.
//
// Within a tenant: first come, first served, or earliest deadline first; one without a deadline has that of its ttl.
//
// Not thread-safe (pool_queue.hpp is), no clock, no I/O. Nothing is allocated but for a tenant that was not there: the
// ticket is the node, and lives with whoever waits.
#pragma once

#include "routing/admission/expiry_wheel.hpp"

#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace sluice::admission {

inline constexpr int priorities = 8;  // 0 to 7, 7 first

struct queue_limits {
    std::size_t requests;
    std::uint64_t bytes;  // of their bodies
    bool operator==(const queue_limits&) const = default;
};

struct queue_options {
    // A class can only fill what is its own if those of all classes are no more than the whole.
    queue_limits all{4'000, 256 << 20}, per_priority{1'000, 64 << 20}, per_tenant{500, 32 << 20};
    std::chrono::milliseconds ttl{60'000};
    std::chrono::milliseconds age_after{10'000};
    std::uint32_t aged_every = 8;  // at least 2
    double hold_back = 0;          // 0 to below 1
    std::int64_t quantum_tokens = 8'192;
    bool earliest_deadline_first = false;
    bool operator==(const queue_options&) const = default;
};

// What the queue wants to know of a request. A plain value.
struct queue_item {
    int priority = 0;
    std::string_view tenant = {};
    std::int64_t tokens = 1;           // what it will cost: prompt to compute and, weighted, the answer
    std::uint64_t bytes = 0;           // held while it waits
    std::chrono::milliseconds ttl{0};  // how long it may wait; 0, or more than the queue's: the queue's
};

enum class enqueued : std::uint8_t {
    waits,
    try_now,          // of pool_queue: waits, and may try at once
    queue_full,       // all that may wait does, in requests or bytes
    priority_full,    // of its class
    tenant_full,      // of its tenant in that class
    invalid_request,  // a priority that does not exist
};

enum class ticket_state : std::uint8_t {
    out,      // not in the queue: not yet, or not any more
    waiting,  //
    trying,   // handed out by next(): it may look for an endpoint
    expired,  // its time is over
};

class fair_queue;
struct tenant_line;

template <class Tag>
using unlinking_hook = boost::intrusive::list_base_hook<boost::intrusive::tag<Tag>,
                                                        boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
template <class T, class Tag>
using unlinking_list = boost::intrusive::list<T, boost::intrusive::base_hook<unlinking_hook<Tag>>,
                                              boost::intrusive::constant_time_size<false>>;
struct by_turn;
struct by_age;

// A request in the queue, or about to be. Lives on the frame of whoever waits and never moves; its destructor leaves
// the queue, which must still exist, in O(1).
class ticket : public unlinking_hook<by_turn>, public unlinking_hook<by_age>, public expiring {
public:
    ticket() = default;
    ~ticket();
    ticket(const ticket&) = delete;
    ticket& operator=(const ticket&) = delete;

    ticket_state state() const { return state_; }
    int priority() const { return priority_; }
    std::int64_t tokens() const { return tokens_; }
    steady_time arrived() const { return arrived_; }
    steady_time deadline() const { return deadline_; }

private:
    friend class fair_queue;

    fair_queue* queue_ = nullptr;    // where it counts; null when out or expired
    tenant_line* tenant_ = nullptr;  // likewise
    ticket_state state_ = ticket_state::out;
    bool out_of_turn_ = false;  // handed out because its class was due
    int priority_ = 0;
    std::uint64_t tried_ = 0;  // the round in which it tried last
    std::int64_t tokens_ = 0;
    std::uint64_t bytes_ = 0;
    steady_time arrived_{}, deadline_{}, order_{};
};

// What counts against a limit.
struct held_requests {
    std::size_t requests = 0;
    std::uint64_t bytes = 0;
};

// The requests of one tenant in one class; of fair_queue alone.
struct tenant_line : unlinking_hook<by_turn> {
    unlinking_list<ticket, by_turn> waiting;
    const std::string* name = nullptr;
    held_requests held;       // those that try included
    std::int64_t credit = 0;  // tokens; negative: debt
};

class fair_queue {
public:
    explicit fair_queue(const queue_options& o) : options_(o), wheel_(o.ttl) {}
    // No ticket is in it any more.
    ~fair_queue();
    fair_queue(const fair_queue&) = delete;
    fair_queue& operator=(const fair_queue&) = delete;

    // Enters a ticket that is out or expired. It counts against the limits until it is dispatched, leaves or expires.
    enqueued try_enqueue(ticket& t, const queue_item& item, steady_time now);

    // Whose turn it is; it is then `trying`, and must be told about by dispatched() or put_back(), or leave. Who was
    // handed out in this `round` and put back is passed over, and its tenant with it: what it needs is not there,
    // others may need less. A new round (a larger number, from 1) begins when an endpoint has got room.
    // `saturation` of the pool, 0 to 1 and above, is for hold_back.
    ticket* next(steady_time now, double saturation, std::uint64_t round);
    // It was sent to an endpoint, and is out.
    void dispatched(ticket& t, steady_time now);
    // There was no endpoint for it: it stands where it stood, and nothing is charged.
    void put_back(ticket& t, steady_time now);
    // It gives up, from any state.
    void leave(ticket& t);

    // One that waited too long, out of the queue and `expired`; nullptr when there is no more.
    ticket* expire(steady_time now);
    // When to call expire() again; nothing when nobody waits.
    std::optional<steady_time> next_deadline() const { return wheel_.next(); }

    // Those that wait or try.
    std::size_t size() const { return all_.requests; }
    std::size_t size(int priority) const { return classes_[static_cast<std::size_t>(priority)].held.requests; }
    std::uint64_t bytes() const { return all_.bytes; }
    // Those remembered, with requests or without; counted by class.
    std::size_t tenants() const {
        std::size_t n = 0;
        for (const priority_class& c : classes_) n += c.tenant_count;
        return n;
    }

private:
    struct text_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
    };
    struct priority_class {
        std::unordered_map<std::string, tenant_line, text_hash, std::equal_to<>> tenants;
        unlinking_list<tenant_line, by_turn> turns;  // all tenants, the next one first
        std::size_t tenant_count = 0;                // of turns
        unlinking_list<ticket, by_age> ages;         // those that wait or try, the oldest first
        held_requests held;
    };
    std::int64_t costliest() const { return 32 * options_.quantum_tokens; }
    static void forget_idle(priority_class& c);
    static void forget_debts(priority_class& c);
    static void forget(priority_class& c, tenant_line& line);
    tenant_line& line_of(priority_class& c, std::string_view tenant);
    void insert(ticket& t, bool again);
    bool find_turn(priority_class& c);
    ticket* pop(priority_class& c, std::uint64_t round);
    priority_class* due(steady_time now);
    bool held_back(std::size_t priority, double saturation) const;
    void release(ticket& t, ticket_state state);

    const queue_options options_;
    std::array<priority_class, priorities> classes_;
    held_requests all_;
    expiry_wheel wheel_;
    std::uint32_t in_turn_ = 0;  // dispatched since a due class last had its share
};

}  // namespace sluice::admission
