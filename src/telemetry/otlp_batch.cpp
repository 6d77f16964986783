#include "telemetry/otlp_batch.hpp"

#include "telemetry/text.hpp"

#include <algorithm>
#include <utility>

namespace sluice::telemetry {
namespace {

constexpr std::size_t attribute_bytes_max = 1024;
constexpr int status_code_error = 2;  // Status.StatusCode; UNSET, 0, is said by leaving the status out

std::string nanoseconds(std::chrono::system_clock::time_point t) {
    return std::to_string(std::chrono::duration_cast<std::chrono::nanoseconds>(t.time_since_epoch()).count());
}

void append_value(std::string& out, const std::string& value) {
    out += "{\"stringValue\":";
    append_json(out, value, attribute_bytes_max);
    out += '}';
}

void append_value(std::string& out, std::int64_t value) {
    out.append("{\"intValue\":\"").append(std::to_string(value)).append("\"}");
}

void append_value(std::string& out, bool value) {
    out.append("{\"boolValue\":").append(value ? "true}" : "false}");
}

void append_attribute(std::string& out, const span_attribute& a) {
    out.append("{\"key\":\"").append(a.key).append("\",\"value\":");
    std::visit([&](const auto& value) { append_value(out, value); }, a.value);
    out += '}';
}

}  // namespace

otlp_batch::otlp_batch(std::string_view service_name, std::string_view version) {
    prefix_ = "{\"resourceSpans\":[{\"resource\":{\"attributes\":[";
    append_attribute(prefix_, {"service.name", std::string{service_name}});
    prefix_ += ',';
    append_attribute(prefix_, {"service.version", std::string{version}});
    prefix_ += "]},\"scopeSpans\":[{\"scope\":{\"name\":\"sluice\",\"version\":";
    append_json(prefix_, version);
    prefix_ += "},\"spans\":[";
}

void otlp_batch::add(const span& s) {
    text_ += spans_ == 0 ? prefix_ : ",";
    text_ += "{\"traceId\":\"";
    append_hex(text_, s.trace);
    text_ += "\",\"spanId\":\"";
    append_hex(text_, s.id);
    text_ += '"';
    if (s.parent.valid()) {
        text_ += ",\"parentSpanId\":\"";
        append_hex(text_, s.parent);
        text_ += '"';
    }
    if (!s.state.empty()) {
        text_ += ",\"traceState\":";
        append_json(text_, s.state);
    }
    text_ += ",\"flags\":1,\"name\":";  // sampled: spans of other traces are not exported
    append_json(text_, s.name);
    text_.append(",\"kind\":").append(std::to_string(static_cast<int>(s.kind)));
    text_.append(",\"startTimeUnixNano\":\"").append(nanoseconds(s.start));
    text_.append("\",\"endTimeUnixNano\":\"").append(nanoseconds(std::max(s.start, s.end)));
    text_ += "\",\"attributes\":[";
    for (std::size_t i = 0; i < s.attributes.size(); ++i) {
        if (i > 0) text_ += ',';
        append_attribute(text_, s.attributes[i]);
    }
    text_ += ']';
    if (s.failed) text_.append(",\"status\":{\"code\":").append(std::to_string(status_code_error)).append("}");
    text_ += '}';
    ++spans_;
}

std::string otlp_batch::take() {
    std::string body = std::exchange(text_, {});
    if (spans_ == 0) body = prefix_;
    body += "]}]}]}";
    spans_ = 0;
    return body;
}

}  // namespace sluice::telemetry
