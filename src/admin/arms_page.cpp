#include "admin/arms_page.hpp"

#include "http/json_writer.hpp"

namespace sluice::admin {
namespace {

void write_number(http::json_writer& w, std::optional<double> v) {
    if (v) {
        w.number(*v);
    } else {
        w.null();
    }
}

void write_quantiles(http::json_writer& w, std::string_view key, std::optional<double> p50, std::optional<double> p90) {
    w.key(key).begin_object().key("p50");
    write_number(w, p50);
    w.key("p90");
    write_number(w, p90);
    w.end_object();
}

std::optional<double> share(std::int64_t part, std::int64_t of) {
    if (of <= 0) return std::nullopt;
    return static_cast<double>(part) / static_cast<double>(of);
}

void write_feedback(http::json_writer& w, const arm_result& a) {
    const std::int64_t count = a.up + a.down + a.neutral;
    w.key("feedback").begin_object().key("count").integer(count);
    w.key("up").integer(a.up).key("down").integer(a.down).key("neutral").integer(a.neutral).key("mean");
    const auto mean = share(a.score_millionths, count);
    write_number(w, mean ? std::optional(*mean / 1e6) : std::nullopt);
    w.key("up_share");
    write_number(w, share(a.up, a.up + a.down));
    w.key("up_share_95");
    if (const auto range = wilson95(a.up, a.up + a.down)) {
        w.begin_array().number(range->low).number(range->high).end_array();
    } else {
        w.null();
    }
    w.end_object();
}

void write_arm(http::json_writer& w, const arm_result& a) {
    std::int64_t failed = 0;
    w.begin_object().key("arm").string(a.arm).key("requests").integer(a.requests);
    w.key("errors").begin_object();
    for (std::size_t i = 0; i < a.errors.size(); ++i) {
        w.key(arm_error_names[i]).integer(a.errors[i]);
        failed += a.errors[i];
    }
    w.end_object().key("error_rate");
    write_number(w, share(failed, a.requests));
    w.key("left").integer(a.left);
    write_quantiles(w, "duration_seconds", a.duration_p50, a.duration_p90);
    write_quantiles(w, "time_to_first_token_seconds", a.first_token_p50, a.first_token_p90);
    w.key("tokens").begin_object().key("input").integer(a.input).key("output").integer(a.output).end_object();
    w.key("cost_nanodollars").integer(a.cost_nanodollars);
    write_feedback(w, a);
    w.end_object();
}

}  // namespace

std::optional<std::string> arms_page(std::string_view model, const std::vector<arm_result>& arms) {
    if (arms.empty()) return std::nullopt;
    std::string out;
    http::json_writer w(out);
    w.begin_object().key("model").string(model).key("arms").begin_array();
    for (const arm_result& a : arms) write_arm(w, a);
    w.end_array().end_object();
    return out;
}

}  // namespace sluice::admin
