#include "routing/callout/pick_callout.hpp"

#include "http/json_writer.hpp"

#include <sluice/json.hpp>

#include <fmt/format.h>
#include <algorithm>

namespace sluice::callout {
namespace {

constexpr std::size_t name_bytes_max = 256, headers_max = 32;
constexpr std::chrono::milliseconds ttl_max{3'600'000};

error wrong(std::string what) {
    return error{error_kind::upstream_protocol, "The picker's answer " + std::move(what) + '.'};
}

void text(http::json_writer& w, std::string_view key, std::string_view value) {
    if (!value.empty()) w.key(key).string(value);
}

result<void> read_endpoints(const json_value& from, verdict& v) {
    if (from.type != json_type::array) return wrong("has `endpoints` that are no list");
    for (const json_value& one : json_elements(from)) {
        auto name = one.string();
        if (!name || name->empty() || name->size() > name_bytes_max) return wrong("names an endpoint that is no name");
        if (v.endpoints.size() == endpoints_max) return wrong("names too many endpoints");
        if (std::find(v.endpoints.begin(), v.endpoints.end(), *name) == v.endpoints.end())
            v.endpoints.push_back(std::move(*name));
    }
    return {};
}

result<void> read_reply(const json_object& o, verdict& v) {
    const auto status = o.find("status")->integer();
    if (!status || *status < 400 || *status > 599) return wrong("has a `status` that is no error's");
    v.status = static_cast<int>(*status);
    if (const auto body = o.find("body")) {
        const auto said = body->string();
        v.body = said ? *said : std::string(body->raw);
        if (!said) v.headers.add("content-type", "application/json");
    }
    const auto headers = o.find("headers");
    if (!headers) return {};
    const auto fields = json_object::inside(*headers);
    if (!fields) return wrong("has `headers` that are no object");
    if (fields->members().size() > headers_max) return wrong("has too many headers");
    for (const json_member& m : fields->members()) {
        const auto value = m.value.string();
        if (!value || m.key_escaped || !valid_header_name(m.key) || !valid_header_value(*value))
            return wrong("has a header that none can be");
        v.headers.set(m.key, *value);
    }
    return {};
}

result<void> read_ttl(const json_value& from, verdict& v) {
    const auto time = from.integer();
    if (!time || *time < 0) return wrong("has a `ttl_ms` that is no time");
    v.ttl = std::chrono::milliseconds(std::min<std::int64_t>(ttl_max.count(), *time));
    return {};
}

}  // namespace

std::string write(const question& q) {
    std::string out;
    http::json_writer w(out);
    w.begin_object();
    text(w, "request_id", q.request_id);
    text(w, "route", q.route);
    text(w, "pool", q.pool);
    text(w, "model", q.model);
    text(w, "adapter", q.adapter);
    text(w, "session", q.session);
    w.key("prompt_tokens").integer(static_cast<std::int64_t>(q.prompt_tokens)).key("prefix").begin_array();
    for (std::size_t i = 0; i < std::min(q.prefix.size(), prefix_max); ++i)
        w.string(fmt::format("{:016x}", q.prefix[i]));
    w.end_array().key("headers").begin_object();
    for (const auto& [name, value] : q.headers) w.key(name).string(value);
    w.end_object().key("candidates").begin_array();
    for (const candidate& c : q.candidates) {
        w.begin_object().key("id").string(c.id).key("address").string(c.address).key("labels").begin_object();
        if (c.labels != nullptr) {
            for (const auto& [name, value] : *c.labels) w.key(name).string(value);
        }
        w.end_object().key("inflight").integer(c.inflight);
        if (c.expected_ttft_s >= 0)
            w.key("expected_ttft_ms").number(c.expected_ttft_s * 1000).key("cached_tokens").number(c.cached_tokens);
        w.end_object();
    }
    w.end_array().end_object();
    return out;
}

result<verdict> read(int status, std::string_view body) {
    verdict v;
    if (status == 204) return v;
    if (status != 200) return wrong("has the status " + std::to_string(status));
    const auto o = json_object::parse(body);
    if (!o) return wrong("is no JSON object");
    const auto endpoints = o->find("endpoints");
    if (o->find("status")) {
        if (endpoints) return wrong("has both `endpoints` and `status`");
        const auto done = read_reply(*o, v);
        if (!done) return done.error();
        return v;
    }
    if (!endpoints) return wrong("has neither `endpoints` nor `status`");
    auto done = read_endpoints(*endpoints, v);
    if (done) {
        if (const auto ttl = o->find("ttl_ms")) done = read_ttl(*ttl, v);
    }
    if (!done) return done.error();
    return v;
}

const std::vector<std::string>* verdict_cache::find(std::string_view key, time_point now) {
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return nullptr;
    const auto at = found->second;
    if (now >= at->until) {
        by_key_.erase(found);
        entries_.erase(at);
        return nullptr;
    }
    entries_.splice(entries_.begin(), entries_, at);
    return &at->endpoints;
}

void verdict_cache::keep(std::string_view key, std::vector<std::string> endpoints, std::chrono::milliseconds ttl,
                         time_point now) {
    if (const auto found = by_key_.find(key); found != by_key_.end()) {
        const auto at = found->second;
        by_key_.erase(found);
        entries_.erase(at);
    }
    if (ttl.count() == 0 || entries_max_ == 0) return;
    if (entries_.size() == entries_max_) {
        by_key_.erase(entries_.back().key);
        entries_.pop_back();
    }
    entries_.push_front({std::string(key), std::move(endpoints), now + ttl});
    by_key_.emplace(entries_.front().key, entries_.begin());
}

}  // namespace sluice::callout
