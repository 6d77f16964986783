// What an operator does to a pool while traffic runs, and how that is kept.
#include "routing/pools/endpoint_pool.hpp"

#include "http/json_writer.hpp"

#include <sluice/json.hpp>

#include <algorithm>

namespace sluice::routing {
namespace {

error unknown(std::string_view id) {
    return error{error_kind::not_found, "There is no endpoint \"" + std::string(id.substr(0, 128)) + "\"."};
}

}  // namespace

result<endpoint_pool::entry*> endpoint_pool::must_find(std::string_view id) {
    entry* const e = find_entry(id);
    if (e == nullptr) return unknown(id);
    return e;
}

result<std::string> endpoint_pool::add(const endpoint_config& e, time_point now) {
    const std::lock_guard lock(mutex_);
    if (const auto done = insert(endpoint_source::admin, e, now); !done) return done.error();
    publish(now);
    return entries_.back()->member->id;
}

result<void> endpoint_pool::change(std::string_view id, const endpoint_config& to, time_point now) {
    const std::lock_guard lock(mutex_);
    const auto found = must_find(id);
    if (!found) return found.error();
    entry& e = **found;
    if (e.from != endpoint_source::admin) {
        return error{error_kind::bad_request, "This endpoint comes from the " + std::string(to_string(e.from)) +
                                                  " source and is changed there; :drain, :offline and :online work."};
    }
    endpoint_config fresh = to;
    fresh.id = e.member->id;
    auto member = make_member(fresh, e.member->slot, e.member->state);
    if (!member) return member.error();
    e.config = std::move(fresh);
    e.member = std::move(*member);
    set_capacity(e);
    publish(now);
    return {};
}

result<void> endpoint_pool::remove(std::string_view id, time_point now) {
    const std::lock_guard lock(mutex_);
    const auto found = must_find(id);
    if (!found) return found.error();
    if ((*found)->from != endpoint_source::admin) {
        return error{error_kind::bad_request, "This endpoint comes from the " + std::string(to_string((*found)->from)) +
                                                  " source and is removed there; :offline takes it out of service."};
    }
    withdrawn_.erase((*found)->member->id);
    std::erase_if(entries_, [&](const auto& e) { return e.get() == *found; });
    publish(now);
    return {};
}

result<void> endpoint_pool::drain(std::string_view id, std::optional<std::chrono::milliseconds> timeout,
                                  time_point now) {
    const std::lock_guard lock(mutex_);
    const auto found = must_find(id);
    if (!found) return found.error();
    withdrawn_.insert((*found)->member->id);
    (*found)->life.drain(timeout.value_or(config_.drain_timeout), now);
    publish(now);
    return {};
}

result<void> endpoint_pool::take_offline(std::string_view id, time_point now) {
    const std::lock_guard lock(mutex_);
    const auto found = must_find(id);
    if (!found) return found.error();
    withdrawn_.insert((*found)->member->id);
    (*found)->life.offline(now);
    publish(now);
    return {};
}

result<void> endpoint_pool::bring_online(std::string_view id, time_point now) {
    const std::lock_guard lock(mutex_);
    const auto found = must_find(id);
    if (!found) return found.error();
    withdrawn_.erase((*found)->member->id);
    // What it kept of prompts before it was taken out, it may have lost.
    if ((*found)->life.online(now)) picker_.on_restart((*found)->member->slot);
    publish(now);
    return {};
}

endpoint_info endpoint_pool::describe(const entry& e, time_point now) const {
    const std::uint32_t slot = e.member->slot;
    endpoint_info i;
    i.config = e.config;
    i.id = e.member->id;
    i.from = e.from;
    i.phase = e.life.phase();
    i.phase_age_s = picker::seconds_between(e.life.since(), now);
    i.problem = e.problem;
    i.ejected = !e.member->state->health.available(now);
    i.load = picker_.load(slot);
    i.rates = picker_.rates(slot);
    i.index_fill = picker_.index().fill(slot);
    i.limit = limit_of(e);
    i.report = e.report;
    if (e.reported_at) i.report_age_s = picker::seconds_between(*e.reported_at, now);
    i.models = e.models;
    return i;
}

std::vector<endpoint_info> endpoint_pool::list(time_point now) const {
    const std::lock_guard lock(mutex_);
    std::vector<endpoint_info> all;
    for (const auto& e : entries_) all.push_back(describe(*e, now));
    return all;
}

std::optional<endpoint_info> endpoint_pool::find(std::string_view id, time_point now) const {
    const std::lock_guard lock(mutex_);
    const entry* const e = find_entry(id);
    if (e == nullptr) return std::nullopt;
    return describe(*e, now);
}

// --- kept -----------------------------------------------------------------------------------------------------------
// {"version":1,"endpoints":[{"url":...},...],"withdrawn":["id",...]}: those that were added, and those of any source
// that were taken out by hand. One that was draining comes back offline: what it drained ended with the process.

namespace {

void write_endpoint(http::json_writer& w, const endpoint_config& e) {
    w.begin_object().key("url").string(e.url).key("id").string(e.id).key("weight").number(e.weight);
    w.key("max_requests").integer(e.max_requests).key("kv_tokens").integer(e.kv_tokens);
    w.key("labels").begin_object();
    for (const auto& [name, value] : e.labels) w.key(name).string(value);
    w.end_object().end_object();
}

std::string text_of(const json_object& o, std::string_view key) {
    const auto v = o.find(key);
    return v ? v->string().value_or("") : "";
}

std::optional<endpoint_config> read_endpoint(const json_value& from) {
    const auto o = json_object::inside(from);
    if (!o) return std::nullopt;
    endpoint_config e;
    e.url = text_of(*o, "url");
    e.id = text_of(*o, "id");
    if (const auto v = o->find("weight")) e.weight = v->number().value_or(1);
    if (const auto v = o->find("max_requests")) e.max_requests = v->integer().value_or(0);
    if (const auto v = o->find("kv_tokens")) e.kv_tokens = v->integer().value_or(0);
    if (const auto v = o->find("labels"); v && v->type == json_type::object) {
        const auto labels = json_object::inside(*v);
        if (!labels) return std::nullopt;
        for (const json_member& m : labels->members()) e.labels[std::string(m.key)] = m.value.string().value_or("");
    }
    return e;
}

}  // namespace

std::string endpoint_pool::saved() const {
    const std::lock_guard lock(mutex_);
    std::string out;
    http::json_writer w(out);
    w.begin_object().key("version").integer(1).key("endpoints").begin_array();
    for (const auto& e : entries_) {
        if (e->from == endpoint_source::admin) write_endpoint(w, e->config);
    }
    w.end_array().key("withdrawn").begin_array();
    for (const std::string& id : withdrawn_) w.string(id);
    w.end_array().end_object();
    return out;
}

result<void> endpoint_pool::restore(std::string_view text, time_point now) {
    const auto o = json_object::parse(text);
    if (!o) return o.error();
    const auto version = o->find("version");
    if (!version || version->integer() != 1) {
        return error{error_kind::bad_request, "is not of version 1", "version"};
    }
    const std::lock_guard lock(mutex_);
    std::optional<error> first;
    if (const auto list = o->find("endpoints")) {
        for (const json_value& v : json_elements(*list)) {
            const auto e = read_endpoint(v);
            if (!e) return error{error_kind::bad_request, "holds an endpoint that cannot be read", "endpoints"};
            const auto done = insert(endpoint_source::admin, *e, now);
            const bool known = !done && done.error().param == "id";  // another source has it by now
            if (!done && !known && !first) first = done.error();
        }
    }
    if (const auto list = o->find("withdrawn")) {
        for (const json_value& v : json_elements(*list)) {
            const std::string id = v.string().value_or("");
            withdrawn_.insert(id);
            if (entry* e = find_entry(id)) e->life.offline(now);
        }
    }
    publish(now);
    if (first) return *first;
    return {};
}

}  // namespace sluice::routing
