#include "sim/stats.hpp"

#include <algorithm>

#include "sim/http1.hpp"
#include "sim/json_out.hpp"

namespace sluice::sim {
namespace {

constexpr std::size_t aborts_kept = 4096;
constexpr std::size_t paths_max = 256;  // further paths are counted together

double milliseconds(steady::duration d) {
    return std::chrono::duration<double, std::milli>(d).count();
}

void put_head(std::string& out, std::string_view head) {
    const auto line_end = std::min(head.find("\r\n"), head.size());
    const auto line = head.substr(0, line_end);
    const auto space = line.find(' ');
    const auto last = line.rfind(' ');
    put(out, R"("method":)", quoted{line.substr(0, space)}, R"(,"target":)",
        quoted{line.substr(space + 1, last - space - 1)}, R"(,"headers":[)");
    bool first = true;
    for (std::size_t at = line_end; at < head.size();) {
        const auto end = std::min(head.find("\r\n", at + 2), head.size());
        const auto field = head.substr(at + 2, end - at - 2);
        const auto colon = std::min(field.find(':'), field.size());
        auto value = field.substr(std::min(colon + 1, field.size()));
        while (value.starts_with(' ')) value.remove_prefix(1);
        put(out, first ? "" : ",", "[", quoted{field.substr(0, colon)}, ",", quoted{value}, "]");
        first = false;
        at = end;
    }
    out += ']';
}

}  // namespace

void stats::connection_opened() {
    ++connections_accepted_;
    connections_open_max_ = std::max(connections_open_max_, ++connections_open_);
}

void stats::request_began(std::string_view head, std::size_t body_bytes, std::uint64_t connection) {
    ++requests_total_;
    concurrent_max_ = std::max(concurrent_max_, ++concurrent_);
    if (heads_max_ == 0) return;
    seen_head kept;
    if (heads_.size() >= heads_max_) {
        kept = std::move(heads_.front());  // its memory serves again
        heads_.pop_front();
    }
    kept.head = head;
    kept.body_bytes = body_bytes;
    kept.connection = connection;
    heads_.push_back(std::move(kept));
}

void stats::request_ended(std::string_view path, std::string_view outcome) {
    --concurrent_;
    auto at = requests_.find(path);
    if (at == requests_.end()) {
        at = requests_.try_emplace(requests_.size() < paths_max ? std::string(path) : "others").first;
    }
    auto& outcomes = at->second;
    const auto count = outcomes.find(outcome);
    if (count != outcomes.end()) {
        ++count->second;
    } else {
        outcomes.emplace(outcome, 1);
    }
}

void stats::tokens(std::size_t prompt, std::size_t cached, std::size_t generated) {
    prompt_tokens_ += prompt;
    cached_tokens_ += cached;
    generated_tokens_ += generated;
}

void stats::aborted(const abort& a) {
    ++aborts_total_;
    if (aborts_.size() >= aborts_kept) aborts_.pop_front();
    const auto now = steady::now();
    const auto wall = std::chrono::system_clock::now().time_since_epoch();
    seen_abort seen{a, now, std::chrono::duration_cast<std::chrono::microseconds>(wall).count(), std::nullopt};
    if (mark_) seen.since_mark = now - *mark_;
    aborts_.push_back(std::move(seen));
}

void stats::reset() {
    stats fresh(heads_max_);
    // What is open stays counted, or it would be counted down below zero.
    fresh.connections_open_ = fresh.connections_open_max_ = connections_open_;
    fresh.concurrent_ = fresh.concurrent_max_ = concurrent_;
    *this = std::move(fresh);
}

std::string stats::to_json(std::string_view name) const {
    std::string out;
    put(out, R"({"name":)", quoted{name}, R"(,"requests_total":)", requests_total_, R"(,"requests":{)");
    bool first = true;
    for (const auto& [path, outcomes] : requests_) {
        put(out, first ? "" : ",", quoted{path}, ":{");
        first = true;
        for (const auto& [outcome, count] : outcomes) {
            put(out, first ? "" : ",", quoted{outcome}, ":", count);
            first = false;
        }
        out += '}';
    }
    put(out, R"(},"tokens":{"prompt":)", prompt_tokens_, R"(,"cached":)", cached_tokens_, R"(,"generated":)",
        generated_tokens_, R"(},"connections":{"accepted":)", connections_accepted_, R"(,"open":)", connections_open_,
        R"(,"open_max":)", connections_open_max_, R"(},"concurrent":{"now":)", concurrent_, R"(,"max":)",
        concurrent_max_, R"(},"aborts_total":)", aborts_total_, R"(,"aborts":[)");
    first = true;
    for (const seen_abort& a : aborts_) {
        put(out, first ? "" : ",", R"({"path":)", quoted{a.what.path}, R"(,"unix_us":)", a.unix_us,
            R"(,"monotonic_us":)",
            std::chrono::duration_cast<std::chrono::microseconds>(a.noticed.time_since_epoch()).count(),
            R"(,"since_request_ms":)", milliseconds(a.noticed - a.what.request_began), R"(,"since_last_write_ms":)",
            milliseconds(a.noticed - a.what.last_write), R"(,"since_mark_ms":)");
        if (a.since_mark) {
            put(out, milliseconds(*a.since_mark));
        } else {
            out += "null";
        }
        put(out, R"(,"events_sent":)", a.what.events_sent, R"(,"bytes_sent":)", a.what.bytes_sent, "}");
        first = false;
    }
    out += R"(],"last_requests":[)";
    first = true;
    for (const seen_head& h : heads_) {
        put(out, first ? "{" : ",{");
        put_head(out, h.head);
        put(out, R"(,"body_bytes":)", h.body_bytes, R"(,"connection":)", h.connection, "}");
        first = false;
    }
    out += "]}";
    return out;
}

}  // namespace sluice::sim
