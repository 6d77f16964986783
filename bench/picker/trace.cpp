#include "picker/generators.hpp"
#include "picker/random.hpp"

#include <simdjson.h>

#include <algorithm>

namespace sluice::picker_bench {
namespace {

constexpr std::uint32_t trace_block_tokens = 512;
constexpr double resolution_s = 3;  // of the trace's timestamps

std::uint32_t count(std::uint64_t n) {
    constexpr std::uint64_t count_max = 1 << 20;
    return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(n, 1, count_max));
}

request read_line(simdjson::dom::element line, const trace_shape& s, random_numbers& random) {
    request r;
    const double recorded_s = double(line["timestamp"]) / 1000;
    r.at_s = (recorded_s + random.unit() * resolution_s) / s.speed;
    r.prompt_tokens = count(line["input_length"]);
    r.output_tokens = count(line["output_length"]);
    // The trace's names are chained already: equal ones have equal beginnings.
    std::vector<std::uint64_t> ids;
    for (const std::uint64_t id : line["hash_ids"]) ids.push_back(id);
    const std::size_t prompt_blocks = r.prompt_tokens / block_tokens;
    const std::size_t all_blocks = (r.prompt_tokens + r.output_tokens) / block_tokens;
    constexpr std::size_t cut_into = trace_block_tokens / block_tokens;
    if (ids.size() * cut_into < prompt_blocks) throw std::runtime_error("a trace's line has too few hash_ids");
    r.blocks.reserve(all_blocks);
    for (std::size_t b = 0; b < prompt_blocks; ++b) r.blocks.push_back(chained(ids[b / cut_into], b % cut_into));
    // What was answered is not in the trace: nobody asks with it again.
    const std::uint64_t answer = random.next();
    for (std::size_t b = prompt_blocks; b < all_blocks; ++b) r.blocks.push_back(chained(answer, b));
    return r;
}

}  // namespace

std::optional<workload> trace(const std::filesystem::path& file, const trace_shape& s, std::uint64_t seed) {
    if (!std::filesystem::exists(file)) return std::nullopt;
    random_numbers random(seed);
    workload w{"trace", {}};
    simdjson::dom::parser parser;
    for (simdjson::dom::element line : simdjson::dom::document_stream(parser.load_many(file.string()))) {
        if (w.requests.size() == s.requests_max) break;
        w.requests.push_back(read_line(line, s, random));
    }
    if (w.requests.empty()) throw std::runtime_error(file.string() + " has no requests");
    std::sort(w.requests.begin(), w.requests.end(), [](const request& a, const request& b) { return a.at_s < b.at_s; });
    return w;
}

}  // namespace sluice::picker_bench
