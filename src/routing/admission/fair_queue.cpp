#include "routing/admission/fair_queue.hpp"

#include <cassert>

namespace sluice::admission {
namespace {

constexpr std::size_t tenants_kept = 64;  // of a class, idle ones included: those that come often allocate nothing

bool fits(const held_requests& held, std::uint64_t bytes, const queue_limits& limits) {
    return held.requests < limits.requests && held.bytes <= limits.bytes && bytes <= limits.bytes - held.bytes;
}

void add(held_requests& held, std::uint64_t bytes) {
    ++held.requests;
    held.bytes += bytes;
}

void subtract(held_requests& held, std::uint64_t bytes) {
    assert(held.requests > 0);
    assert(held.bytes >= bytes);
    --held.requests;
    held.bytes -= bytes;
}

}  // namespace

ticket::~ticket() {
    if (queue_ != nullptr) queue_->leave(*this);
}

fair_queue::~fair_queue() {
    assert(all_.requests == 0);
}

enqueued fair_queue::try_enqueue(ticket& t, const queue_item& item, steady_time now) {
    assert(t.queue_ == nullptr);
    if (item.priority < 0 || item.priority >= priorities) return enqueued::invalid_request;
    priority_class& c = classes_[static_cast<std::size_t>(item.priority)];
    if (!fits(all_, item.bytes, options_.all)) return enqueued::queue_full;
    if (!fits(c.held, item.bytes, options_.per_priority)) return enqueued::priority_full;
    if (c.held.requests == 0) forget_debts(c);
    tenant_line& line = line_of(c, item.tenant);
    if (!fits(line.held, item.bytes, options_.per_tenant)) return enqueued::tenant_full;

    for (held_requests* held : {&all_, &c.held, &line.held}) add(*held, item.bytes);
    t.queue_ = this;
    t.tenant_ = &line;
    t.priority_ = item.priority;
    t.tried_ = 0;
    t.tokens_ = std::clamp<std::int64_t>(item.tokens, 1, costliest());
    t.bytes_ = item.bytes;
    t.arrived_ = now;
    const auto ttl = item.ttl.count() > 0 ? std::min(item.ttl, options_.ttl) : options_.ttl;
    t.deadline_ = now + ttl;
    t.order_ = options_.earliest_deadline_first ? t.deadline_ : now;
    insert(t, false);
    c.ages.push_back(t);
    wheel_.add(t, t.deadline_, now);
    return enqueued::waits;
}

// Nobody of the class waits, so nobody was served at another's cost.
void fair_queue::forget_debts(priority_class& c) {
    if (c.tenant_count > tenants_kept) forget_idle(c);
    for (tenant_line& line : c.turns) line.credit = 0;
}

void fair_queue::forget_idle(priority_class& c) {
    for (auto at = c.turns.begin(); at != c.turns.end();) {
        tenant_line& line = *at++;
        if (line.held.requests == 0) forget(c, line);
    }
}

void fair_queue::forget(priority_class& c, tenant_line& line) {
    line.unlink();
    c.tenants.erase(c.tenants.find(*line.name));
    --c.tenant_count;
}

tenant_line& fair_queue::line_of(priority_class& c, std::string_view tenant) {
    if (const auto known = c.tenants.find(tenant); known != c.tenants.end()) return known->second;
    // Tenants that gave up before their turn came; those with requests are within the limit.
    if (c.tenant_count >= options_.per_priority.requests + tenants_kept) forget_idle(c);
    const auto made = c.tenants.try_emplace(std::string(tenant)).first;
    tenant_line& line = made->second;
    line.name = &made->first;
    c.turns.push_back(line);
    ++c.tenant_count;
    return line;
}

// Who comes has its place nearly always at the end, who comes back at the front: the search begins there.
void fair_queue::insert(ticket& t, bool again) {
    auto& line = t.tenant_->waiting;
    auto at = again ? line.begin() : line.end();
    if (again) {
        while (at != line.end() && at->order_ < t.order_) ++at;
    } else {
        while (at != line.begin() && std::prev(at)->order_ > t.order_) --at;
    }
    line.insert(at, t);
    t.state_ = ticket_state::waiting;
}

ticket* fair_queue::next(steady_time now, double saturation, std::uint64_t round) {
    ticket* found = nullptr;
    if (in_turn_ + 1 >= options_.aged_every) {
        if (priority_class* c = due(now)) found = pop(*c, round);
        if (found != nullptr) found->out_of_turn_ = true;
    }
    for (std::size_t p = priorities; p-- > 0 && found == nullptr;) {
        if (classes_[p].ages.empty() || held_back(p, saturation)) continue;
        found = pop(classes_[p], round);
        if (found != nullptr) found->out_of_turn_ = false;
    }
    return found;
}

// Brings the tenant whose turn it is to the front: with credit, and requests that wait. Ends: a visit pays debt, or
// takes a tenant away, or counts one that wants nothing. False: nobody waits.
bool fair_queue::find_turn(priority_class& c) {
    std::size_t idle = 0;
    while (idle < c.tenant_count) {
        tenant_line& line = c.turns.front();
        if (line.credit > 0 && !line.waiting.empty()) return true;
        if (line.credit > 0 && line.held.requests == 0 && c.tenant_count > tenants_kept) {
            forget(c, line);
            continue;
        }
        // Credit that it cannot use does not grow.
        const bool in_debt = line.credit <= 0;
        if (in_debt) line.credit += options_.quantum_tokens;
        idle = in_debt ? 0 : idle + 1;
        c.turns.splice(c.turns.end(), c.turns, c.turns.begin());
    }
    return false;
}

// Of the tenant whose turn it is, or, where that has tried in vain, of one behind it. To look further pays nobody's
// debts: else each vain try would bring those who got much back to even.
ticket* fair_queue::pop(priority_class& c, std::uint64_t round) {
    if (!find_turn(c)) return nullptr;
    for (tenant_line& line : c.turns) {
        if (line.waiting.empty() || line.waiting.front().tried_ == round) continue;
        ticket& t = line.waiting.front();
        t.unlinking_hook<by_turn>::unlink();
        expiry_wheel::remove(t);
        line.credit -= t.tokens_;
        t.tried_ = round;
        t.state_ = ticket_state::trying;
        return &t;
    }
    return nullptr;
}

// The class that has been due longest.
fair_queue::priority_class* fair_queue::due(steady_time now) {
    priority_class* longest = nullptr;
    for (priority_class& c : classes_) {
        if (c.ages.empty() || now - c.ages.front().arrived_ < options_.age_after) continue;
        if (longest == nullptr || c.ages.front().arrived_ < longest->ages.front().arrived_) longest = &c;
    }
    return longest;
}

bool fair_queue::held_back(std::size_t priority, double saturation) const {
    const double below = static_cast<double>(priorities - 1 - priority) / (priorities - 1);
    return options_.hold_back > 0 && below > 0 && saturation >= 1 - options_.hold_back * below;
}

void fair_queue::dispatched(ticket& t, steady_time now) {
    assert(t.state_ == ticket_state::trying);
    if (t.out_of_turn_) {
        in_turn_ = 0;
    } else if (in_turn_ + 1 < options_.aged_every && due(now) != nullptr) {
        ++in_turn_;
    }
    release(t, ticket_state::out);
}

void fair_queue::put_back(ticket& t, steady_time now) {
    assert(t.state_ == ticket_state::trying);
    t.tenant_->credit += t.tokens_;
    insert(t, true);
    wheel_.add(t, t.deadline_, now);
}

void fair_queue::leave(ticket& t) {
    if (t.queue_ == nullptr) {
        t.state_ = ticket_state::out;
        return;
    }
    assert(t.queue_ == this);
    // What it did not get is not charged.
    if (t.state_ == ticket_state::trying) t.tenant_->credit += t.tokens_;
    release(t, ticket_state::out);
}

ticket* fair_queue::expire(steady_time now) {
    expiring* const e = wheel_.expired(now);
    if (e == nullptr) return nullptr;
    auto& t = static_cast<ticket&>(*e);
    release(t, ticket_state::expired);
    return &t;
}

void fair_queue::release(ticket& t, ticket_state state) {
    if (t.state_ == ticket_state::waiting) {
        t.unlinking_hook<by_turn>::unlink();
        expiry_wheel::remove(t);
    }
    t.unlinking_hook<by_age>::unlink();
    subtract(all_, t.bytes_);
    subtract(classes_[static_cast<std::size_t>(t.priority_)].held, t.bytes_);
    subtract(t.tenant_->held, t.bytes_);
    t.queue_ = nullptr;
    t.tenant_ = nullptr;
    t.state_ = state;
}

}  // namespace sluice::admission
