#include "stages/feedback/feedback_stage.hpp"

#include "telemetry/log.hpp"

#include <array>
#include <cmath>
#include <optional>

namespace sluice::feedback {
namespace {

error bad(std::string message, std::string_view field) {
    return error{error_kind::bad_request, std::move(message), std::string(field)};
}

result<std::string> text_of(const json_object& body, std::string_view field, std::size_t bytes_max) {
    const auto value = body.find(field);
    const auto text = value ? value->string() : std::optional<std::string>(std::string{});
    if (!text) return bad("`" + std::string(field) + "` is expected to be a text.", field);
    if (text->size() > bytes_max)
        return bad("`" + std::string(field) + "` is longer than " + std::to_string(bytes_max) + " bytes.", field);
    return *text;
}

result<std::int32_t> score_of(const json_object& body) {
    const auto score = body.find("score"), rating = body.find("rating");
    if (score.has_value() == rating.has_value()) return bad("Either `score` or `rating` is expected.", "score");
    if (rating) {
        const auto text = rating->string();
        if (text == "up") return 1'000'000;
        if (text == "down") return -1'000'000;
        return bad("`rating` is expected to be \"up\" or \"down\".", "rating");
    }
    const auto number = score->number();
    if (!number || !(*number >= -1 && *number <= 1)) return bad("`score` is expected to be from -1 to 1.", "score");
    return static_cast<std::int32_t>(std::lround(*number * 1e6));
}

// The labels as they came, once they are known to be few and short.
result<std::string> labels_of(const json_object& body) {
    const auto labels = body.find("labels");
    if (!labels) return std::string{};
    if (labels->type != json_type::object) return bad("`labels` is expected to be an object of texts.", "labels");
    const auto inner = json_object::inside(*labels);
    if (!inner) return inner.error();
    if (inner->members().size() > labels_max)
        return bad("`labels` has more than " + std::to_string(labels_max) + " members.", "labels");
    for (const json_member& m : inner->members()) {
        if (m.value.type != json_type::string) return bad("Labels are expected to be texts.", "labels");
        if (m.key.size() + m.value.raw.size() > label_bytes_max)
            return bad("A label is longer than " + std::to_string(label_bytes_max) + " bytes.", "labels");
    }
    return std::string(labels->raw);
}

result<void> check_fields(const json_object& body) {
    static constexpr std::array<std::string_view, 5> known{"request_id", "score", "rating", "reason", "labels"};
    for (const json_member& m : body.members()) {
        bool found = false;
        for (const std::string_view k : known) found |= m.key == k;
        if (!found) return bad("There is no such field in feedback.", m.key.substr(0, 64));
    }
    return {};
}

}  // namespace

void read(config_reader& r, feedback_config& c) {
    r.field("path", c.path, "Where feedback is posted; other paths pass to the stages behind.");
    r.field("log", c.log, "Write each judgement, with its reason and labels, to the log.");
    if (!c.path.starts_with('/')) r.problem("path", "must begin with a slash");
}

result<judgement> read_judgement(const json_object& body) {
    judgement j;
    if (auto known = check_fields(body); !known) return known.error();
    auto id = text_of(body, "request_id", request_id_bytes_max);
    if (!id) return id.error();
    if (id->empty()) return bad("`request_id` is missing: the x-request-id of the answer.", "request_id");
    auto score = score_of(body);
    if (!score) return score.error();
    auto reason = text_of(body, "reason", reason_bytes_max);
    if (!reason) return reason.error();
    auto labels = labels_of(body);
    if (!labels) return labels.error();
    j.request_id = std::move(*id);
    j.score = *score;
    j.reason = std::move(*reason);
    j.labels = std::move(*labels);
    return j;
}

feedback_stage::feedback_stage(const feedback_config& config, services& s)
    : config_(config),
      services_(s),
      board_(arm_board::of(s)),
      series_(board_->all(s.metrics())),
      taken_(
          s.metrics().get_counter("sluice_feedback_total", "Feedback by what became of it.", {{"outcome", "taken"}})),
      replaced_(s.metrics().get_counter("sluice_feedback_total", "Feedback by what became of it.",
                                        {{"outcome", "replaced"}})),
      unknown_(s.metrics().get_counter("sluice_feedback_total", "Feedback by what became of it.",
                                       {{"outcome", "unknown"}})) {}

awaitable<void> feedback_stage::serve(exchange& x, next_stage next) {
    return x.request().path() == config_.path ? take(x) : next(x);
}

awaitable<void> feedback_stage::take(exchange& x) {
    if (x.request().method != "POST") co_return x.fail(error{error_kind::method_not_allowed, "Only POST."});
    const auto body = co_await x.json();
    if (!body) co_return x.fail(body.error());
    const auto said = read_judgement(**body);
    if (!said) co_return x.fail(said.error());
    const auto known = board_->recent.judge(board_->hash(x.caller, said->request_id), said->score);
    if (!known) {
        unknown_.add();
        co_return x.fail(error{error_kind::not_found, "No recent request of yours has this id.", "request_id"});
    }
    // An arm that a route built after this stage brought in.
    if (known->arm >= series_.size()) series_ = board_->all(services_.metrics());
    series_[known->arm]->judged(said->score, known->before);
    (known->before ? replaced_ : taken_).add();
    if (config_.log) {
        static log::call_site site{.per_second = 20};
        log::limited(site, log::level::info, "feedback on {}: score {}, reason {}, labels {}", said->request_id,
                     said->score / 1e6, to_json_string(said->reason), said->labels.empty() ? "{}" : said->labels);
    }
    co_await x.respond_json(
        202, known->before ? R"({"object":"feedback","replaced":true})" : R"({"object":"feedback","replaced":false})");
}

}  // namespace sluice::feedback
