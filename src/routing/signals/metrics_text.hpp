// Prometheus' text format as far as a picker needs it: samples by name. Lines that nobody wants cost a search for
// their end and a look at their name; a page of a model server has thousands.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::signals {

struct metric_sample {
    std::string_view name;
    std::string_view labels;  // between the braces, as written; may be empty
    double value = 0;
};

// Reads samples one by one. What is no sample (comments, broken lines, values that are no finite number) is passed
// over; a line longer than line_max ends the reading.
class metrics_text {
public:
    static constexpr std::size_t line_max = 64 << 10;

    explicit metrics_text(std::string_view text) : rest_(text) {}

    // The next sample for whose name wanted(name) holds; nothing at the end.
    template <class Wanted>
    std::optional<metric_sample> next(Wanted wanted) {
        while (const auto line = next_line()) {
            const std::string_view name = line->substr(0, line->find_first_of("{ \t"));
            if (!wanted(name)) continue;
            if (const auto sample = read_sample(*line, name)) return sample;
        }
        return std::nullopt;
    }

private:
    std::optional<std::string_view> next_line();  // that may hold a sample
    static std::optional<metric_sample> read_sample(std::string_view line, std::string_view name);
    std::string_view rest_;
};

// The value of a label, unescaped; nothing if it is not there.
std::optional<std::string> label_of(std::string_view labels, std::string_view name);

}  // namespace sluice::signals
