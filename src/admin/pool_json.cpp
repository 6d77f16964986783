#include "admin/pool_json.hpp"

#include "http/json_writer.hpp"
#include "http/url.hpp"

namespace sluice::admin {
namespace {

using routing::endpoint_info;

void write_names(http::json_writer& w, const std::vector<std::string>& names) {
    w.begin_array();
    for (const std::string& name : names) w.string(name);
    w.end_array();
}

void write_report(http::json_writer& w, const endpoint_info& e) {
    w.key("reported").begin_object().key("age_s").number(e.report_age_s);
    const signals::server_report& load = e.report;
    if (load.running >= 0) w.key("running").integer(load.running);
    if (load.waiting >= 0) w.key("waiting").integer(load.waiting);
    if (load.kv_use >= 0) w.key("kv_use").number(load.kv_use);
    if (e.report.kv_tokens >= 0) w.key("kv_tokens").integer(e.report.kv_tokens);
    if (e.report.adapter_slots >= 0) w.key("adapter_slots").integer(e.report.adapter_slots);
    w.key("adapters_active");
    write_names(w, e.report.adapters_active);
    w.end_object();
}

void write_one(http::json_writer& w, const endpoint_info& e, std::optional<bool> kept) {
    w.begin_object().key("id").string(e.id).key("url").string(e.config.url);
    w.key("source").string(to_string(e.from)).key("state").string(to_string(e.phase));
    w.key("state_age_s").number(e.phase_age_s);
    if (e.ejected) w.key("ejected").boolean(true);
    if (!e.problem.empty()) w.key("problem").string(e.problem);
    w.key("labels").begin_object();
    for (const auto& [name, value] : e.config.labels) w.key(name).string(value);
    w.end_object().key("weight").number(e.config.weight).key("max_requests").integer(e.config.max_requests);
    w.key("kv_tokens").integer(e.config.kv_tokens);
    w.key("load").begin_object().key("inflight").integer(e.load.inflight).key("limit").integer(e.limit);
    w.key("prefill_tokens").integer(e.load.prefill_tokens).key("context_tokens").integer(e.load.context_tokens);
    w.end_object();
    w.key("learned").begin_object().key("step_us").number(e.rates.c0_s * 1e6);
    w.key("prefill_token_us").number(e.rates.cp_s * 1e6).key("sequence_us").number(e.rates.cd_s * 1e6);
    w.key("context_token_us").number(e.rates.ckv_s * 1e6).key("index_fill").number(e.index_fill).end_object();
    if (e.report_age_s >= 0) write_report(w, e);
    w.key("models");
    write_names(w, e.models.base);
    w.key("adapters");
    write_names(w, e.models.adapters);
    if (kept) w.key("persisted").boolean(*kept);
    w.end_object();
}

error bad(std::string_view field, std::string_view what) {
    return error{error_kind::bad_request, '`' + std::string(field) + "` " + std::string(what) + '.',
                 std::string(field)};
}

result<void> read_labels(const json_value& from, routing::endpoint_config& e) {
    if (from.type != json_type::object) return bad("labels", "is an object of texts");
    const auto labels = json_object::inside(from);
    if (!labels) return labels.error();
    if (labels->members().size() > 64) return bad("labels", "has at most 64 members");
    e.labels.clear();
    for (const json_member& m : labels->members()) {
        const auto value = m.value.string();
        if (!value || m.key_escaped || value->size() > 256) return bad("labels", "is an object of short texts");
        e.labels[std::string(m.key)] = *value;
    }
    return {};
}

result<void> read_number(const json_value& from, std::string_view field, std::int64_t& into) {
    const auto n = from.integer();
    if (!n || *n < 0) return bad(field, "is a number from 0 on");
    into = *n;
    return {};
}

result<void> read_field(const json_member& m, routing::endpoint_config& e) {
    if (m.key == "url") {
        const auto text = m.value.string();
        if (!text || text->empty()) return bad("url", "is the URL of a server");
        const auto url = http::parse_url(*text);
        if (!url) return bad("url", "cannot be read: " + url.error().message);
        if (url->path_and_query.find('?') != std::string::npos) return bad("url", "cannot have a query");
        e.url = *text;
    } else if (m.key == "id") {
        const auto text = m.value.string();
        if (!text || text->size() > 128 || text->find_first_of("/?#% \t\r\n") != std::string::npos)
            return bad("id", "is at most 128 characters, none of / ? # % or a space");
        e.id = *text;
    } else if (m.key == "labels") {
        return read_labels(m.value, e);
    } else if (m.key == "weight") {
        const auto n = m.value.number();
        if (!n || *n < 0 || *n > 1000) return bad("weight", "is a number from 0 to 1000");
        e.weight = *n;
    } else if (m.key == "max_requests") {
        return read_number(m.value, m.key, e.max_requests);
    } else if (m.key == "kv_tokens") {
        return read_number(m.value, m.key, e.kv_tokens);
    } else {
        return bad(m.key.substr(0, 64), "is not a field of an endpoint");
    }
    return {};
}

}  // namespace

std::string write_pools(const std::vector<std::shared_ptr<routing::endpoint_pool>>& pools) {
    std::string out;
    http::json_writer w(out);
    w.begin_object().key("pools").begin_array();
    for (const auto& p : pools) {
        const routing::pool_totals t = p->totals();
        w.begin_object()
            .key("name")
            .string(p->name())
            .key("panic")
            .boolean(t.panic)
            .key("queued")
            .integer(static_cast<std::int64_t>(t.queued))
            .key("endpoints")
            .begin_object();
        for (std::size_t i = 0; i < routing::endpoint_phases; ++i) {
            w.key(to_string(static_cast<routing::endpoint_phase>(i))).integer(static_cast<std::int64_t>(t.by_phase[i]));
        }
        w.end_object();
        w.key("index_bytes").integer(static_cast<std::int64_t>(p->picker().index().memory_bytes()));
        w.end_object();
    }
    w.end_array().end_object();
    return out;
}

std::string write_endpoints(const std::vector<endpoint_info>& all) {
    std::string out;
    http::json_writer w(out);
    w.begin_object().key("endpoints").begin_array();
    for (const endpoint_info& e : all) write_one(w, e, std::nullopt);
    w.end_array().end_object();
    return out;
}

std::string write_endpoint(const endpoint_info& e, std::optional<bool> kept) {
    std::string out;
    http::json_writer w(out);
    write_one(w, e, kept);
    return out;
}

result<void> read_endpoint(const json_object& body, routing::endpoint_config& e) {
    for (const json_member& m : body.members()) {
        const auto done = read_field(m, e);
        if (!done) return done.error();
    }
    return {};
}

}  // namespace sluice::admin
