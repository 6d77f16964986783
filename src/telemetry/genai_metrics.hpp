// What models cost in time and tokens, by OpenTelemetry's GenAI conventions in Prometheus form.
//
// Names, labels and bucket boundaries are those of "Semantic conventions for generative AI metrics"
// (opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics), with dots as underscores and the unit as suffix, so
// that dashboards made for them work as they are.
#pragma once

#include <sluice/error.hpp>
#include <sluice/exchange.hpp>
#include <sluice/metrics.hpp>

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace sluice::telemetry {

inline constexpr double duration_buckets[] = {0.01, 0.02, 0.04, 0.08,  0.16,  0.32,  0.64,
                                              1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92};
inline constexpr double first_token_buckets[] = {0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1,
                                                 0.25,  0.5,   0.75, 1.0,  2.5,  5.0,  7.5,  10.0};
inline constexpr double per_token_buckets[] = {0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5};
inline constexpr double token_buckets[] = {1,     4,     16,     64,      256,     1024,     4096,
                                           16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864};

// Whose numbers they are. Every value comes from the configuration, never from the client's bytes.
struct genai_labels {
    std::string_view route;
    std::string_view operation;       // chat, embeddings, text_completion, generate_content, ...
    std::string_view provider;        // name of the provider, gen_ai_provider_name
    std::string_view request_model;   // public name of the model
    std::string_view response_model;  // its name at the provider
    bool operator==(const genai_labels&) const = default;
};

// How one exchange with a model ended.
struct genai_outcome {
    std::chrono::nanoseconds duration{0};                         // head received -> last byte
    std::optional<std::chrono::nanoseconds> time_to_first_token;  // streams only
    token_usage usage;
    std::optional<error_kind> failure;
    std::int64_t cost_nanodollars = 0;
};

// The handles of one label set on one worker; lives as long as its genai_metrics.
class genai_series {
public:
    genai_series(metrics& m, const genai_labels& l);
    genai_series(const genai_series&) = delete;
    genai_series& operator=(const genai_series&) = delete;

    genai_labels labels() const { return {labels_[0], labels_[1], labels_[2], labels_[3], labels_[4]}; }

    // Time per output token is (duration - time to first token) / (output tokens - 1) of streams that
    // went well. Tokens that were not reported are not counted.
    void record(const genai_outcome& outcome);

private:
    histogram& duration_of(std::optional<error_kind> failure);

    static constexpr std::size_t kinds = static_cast<std::size_t>(error_kind::client_write_stall) + 1;
    metrics& metrics_;
    std::array<std::string, 5> labels_;              // as in genai_labels
    std::array<histogram*, kinds + 1> durations_{};  // by error kind, resolved when first seen; last: none
    histogram* first_token_ = nullptr;               // the rest is resolved when first needed too, so that
    histogram* per_token_ = nullptr;                 // a model without streams shows no empty histograms
    histogram *input_ = nullptr, *output_ = nullptr, *cached_ = nullptr, *reasoning_ = nullptr;
    counter* cost_ = nullptr;
};

// All label sets of one worker; not thread-safe.
class genai_metrics {
public:
    static constexpr std::size_t label_sets_max = 1000;

    explicit genai_metrics(metrics& m) : metrics_(m) {}

    // The handles of these labels. The first call for a label set resolves them, every later one is a lookup without
    // allocation. Past label_sets_max all new ones share one whose label values are "other".
    genai_series& series(const genai_labels& l);

private:
    struct by_labels {
        std::size_t operator()(const genai_labels& l) const;
    };
    metrics& metrics_;
    std::unordered_map<genai_labels, std::unique_ptr<genai_series>, by_labels> series_;  // keys point into the values
    std::unique_ptr<genai_series> other_;
    genai_series* last_ = nullptr;  // mostly the next one is like the last one
};

}  // namespace sluice::telemetry
