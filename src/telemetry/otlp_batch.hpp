// Spans as OTLP's ExportTraceServiceRequest in JSON (opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding").
//
// Against plain protobuf JSON, ids are hexadecimal instead of base64 and enumerations are numbers; 64-bit
// integers are strings, nanoseconds among them.
#pragma once

#include "telemetry/span.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::telemetry {

// Not thread-safe.
class otlp_batch {
public:
    otlp_batch(std::string_view service_name, std::string_view version);

    // Encodes the span at once: what waits is text, whose size is known.
    void add(const span& s);

    std::size_t spans() const { return spans_; }
    std::size_t bytes() const { return text_.size(); }
    bool empty() const { return spans_ == 0; }

    // The request's body with all spans added; the batch is empty afterwards.
    std::string take();

private:
    std::string prefix_;  // up to the list of spans
    std::string text_;
    std::size_t spans_ = 0;
};

}  // namespace sluice::telemetry
