#include "telemetry/genai_metrics.hpp"

namespace sluice::telemetry {
namespace {

double seconds(std::chrono::nanoseconds d) {
    return std::chrono::duration<double>(d).count();
}

}  // namespace

genai_series::genai_series(metrics& m, const genai_labels& l)
    : metrics_(m),
      labels_{std::string{l.route}, std::string{l.operation}, std::string{l.provider}, std::string{l.request_model},
              std::string{l.response_model}} {}

void genai_series::record(const genai_outcome& outcome) {
    const auto& [route, operation, provider, request_model, response_model] = labels_;
    const auto timing = [&](histogram*& h, std::string_view name, std::string_view help,
                            std::span<const double> buckets) -> histogram& {
        if (h == nullptr) {
            h = &metrics_.get_histogram(name, help, buckets,
                                        {{"route", route},
                                         {"gen_ai_operation_name", operation},
                                         {"gen_ai_provider_name", provider},
                                         {"gen_ai_request_model", request_model},
                                         {"gen_ai_response_model", response_model}});
        }
        return *h;
    };
    const auto tokens = [&](histogram*& h, std::string_view type, std::int64_t n) {
        if (n < 0) return;
        if (h == nullptr) {
            h = &metrics_.get_histogram("gen_ai_client_token_usage", "Number of input and output tokens used.",
                                        token_buckets,
                                        {{"route", route},
                                         {"gen_ai_operation_name", operation},
                                         {"gen_ai_provider_name", provider},
                                         {"gen_ai_request_model", request_model},
                                         {"gen_ai_response_model", response_model},
                                         {"gen_ai_token_type", type}});
        }
        h->observe(static_cast<double>(n));
    };

    duration_of(outcome.failure).observe(seconds(outcome.duration));
    if (outcome.time_to_first_token && !outcome.failure) {
        timing(first_token_, "gen_ai_server_time_to_first_token_seconds",
               "Time to generate first token for successful responses.", first_token_buckets)
            .observe(seconds(*outcome.time_to_first_token));
        if (outcome.usage.output > 1) {
            const double rest = seconds(outcome.duration - *outcome.time_to_first_token);
            timing(per_token_, "gen_ai_server_time_per_output_token_seconds",
                   "Time per output token generated after the first token for successful responses.", per_token_buckets)
                .observe(rest / static_cast<double>(outcome.usage.output - 1));
        }
    }
    tokens(input_, "input", outcome.usage.input);
    tokens(output_, "output", outcome.usage.output);
    tokens(cached_, "cached_input", outcome.usage.cached_input);
    tokens(reasoning_, "reasoning", outcome.usage.reasoning);
    if (outcome.cost_nanodollars <= 0) return;
    if (cost_ == nullptr) {
        cost_ = &metrics_.get_counter("sluice_cost_nanodollars_total",
                                      "Cost of the tokens used, in billionths of a dollar.",
                                      {{"route", route},
                                       {"gen_ai_operation_name", operation},
                                       {"gen_ai_provider_name", provider},
                                       {"gen_ai_request_model", request_model},
                                       {"gen_ai_response_model", response_model}});
    }
    cost_->add(outcome.cost_nanodollars);
}

histogram& genai_series::duration_of(std::optional<error_kind> failure) {
    histogram*& h = durations_[failure ? static_cast<std::size_t>(*failure) : kinds];
    if (h == nullptr) {
        // An empty label value is the same as no label: what OpenTelemetry asks for when nothing went wrong.
        const std::string_view type = failure ? traits(*failure).code : std::string_view{};
        const auto& [route, operation, provider, request_model, response_model] = labels_;
        h = &metrics_.get_histogram("gen_ai_server_request_duration_seconds",
                                    "Generative AI server request duration such as time-to-last byte or last output "
                                    "token.",
                                    duration_buckets,
                                    {{"route", route},
                                     {"gen_ai_operation_name", operation},
                                     {"gen_ai_provider_name", provider},
                                     {"gen_ai_request_model", request_model},
                                     {"gen_ai_response_model", response_model},
                                     {"error_type", type}});
    }
    return *h;
}

genai_series& genai_metrics::series(const genai_labels& l) {
    if (last_ != nullptr && last_->labels() == l) return *last_;
    if (const auto known = series_.find(l); known != series_.end()) return *(last_ = known->second.get());
    if (series_.size() >= label_sets_max) {
        const genai_labels other{"other", "other", "other", "other", "other"};
        if (!other_) other_ = std::make_unique<genai_series>(metrics_, other);
        return *other_;
    }
    auto fresh = std::make_unique<genai_series>(metrics_, l);
    const genai_labels view = fresh->labels();
    return *series_.emplace(view, std::move(fresh)).first->second;
}

std::size_t genai_metrics::by_labels::operator()(const genai_labels& l) const {
    std::size_t mixed = 0;
    for (const auto part : {l.route, l.operation, l.provider, l.request_model, l.response_model}) {
        mixed = mixed * 0x9e3779b97f4a7c15 + std::hash<std::string_view>{}(part);
    }
    return mixed;
}

}  // namespace sluice::telemetry
