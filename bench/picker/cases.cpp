#include "picker/cases.hpp"

#include "picker/generators.hpp"

namespace sluice::picker_bench {
namespace {

using traffic = decltype(bench_case::traffic);

traffic of(const shared_prefix_shape& s) {
    return [s](std::uint64_t seed) { return shared_prefix(s, seed); };
}
traffic of(const zipf_shape& s) {
    return [s](std::uint64_t seed) { return zipf_groups(s, seed); };
}
traffic of(const chat_shape& s) {
    return [s](std::uint64_t seed) { return chat(s, seed); };
}
traffic of(const unique_shape& s) {
    return [s](std::uint64_t seed) { return no_reuse(s, seed); };
}
traffic of(const std::filesystem::path& file, const trace_shape& s) {
    return [file, s](std::uint64_t seed) { return trace(file, s, seed); };
}

fleet_plan polled_each(double seconds, std::size_t kv_tokens = 300'000) {
    fleet_plan f = usual_fleet(8, kv_tokens);
    f.poll_interval_s = seconds;
    return f;
}

// `count` of 8 endpoints are slower.
fleet_plan mixed(std::size_t count, double factor) {
    fleet_plan f = usual_fleet();
    for (std::size_t i = 0; i < count; ++i) f.endpoints[i].engine = slower(f.endpoints[i].engine, factor);
    return f;
}

// One after the other is restarted, and one more endpoint comes in the middle.
fleet_plan rolling(double from_s, double every_s) {
    fleet_plan f = usual_fleet(9);
    for (std::size_t i = 0; i < 8; ++i) f.endpoints[i].restart_at_s = from_s + every_s * static_cast<double>(i);
    f.endpoints[8].ready_from_s = from_s + every_s * 4;
    return f;
}

constexpr std::size_t capacity_kv = 307'328;  // of the original benchmark

}  // namespace

case_set training_cases(const std::filesystem::path& file) {
    const fleet_plan usual = usual_fleet();
    return {{1, 2, 3, 4, 5},
            {
                {"capacity 25/s", of(shared_prefix_shape{.rate = 25}), usual_fleet(8, capacity_kv)},
                {"capacity 30/s", of(shared_prefix_shape{.rate = 30}), usual_fleet(8, capacity_kv)},
                {"capacity 35/s", of(shared_prefix_shape{.rate = 35}), usual_fleet(8, capacity_kv)},
                {"capacity 45/s", of(shared_prefix_shape{.rate = 45, .seconds = 20}), usual_fleet(8, capacity_kv)},
                {"capacity 60/s", of(shared_prefix_shape{.rate = 60, .seconds = 20}), usual_fleet(8, capacity_kv)},
                {"zipf 60/s", of(zipf_shape{.rate = 60}), usual},
                {"zipf 80/s", of(zipf_shape{.rate = 80}), usual},
                {"hot prefix 60/s", of(zipf_shape{.exponent = 2, .rate = 60}), usual},
                {"chat 4/s", of(chat_shape{.rate = 4}), usual},
                {"chat 6/s", of(chat_shape{.rate = 6}), usual},
                {"chat 8/s", of(chat_shape{.rate = 8}), usual},
                {"no reuse 12/s", of(unique_shape{.rate = 12}), usual},
                {"no reuse 20/s", of(unique_shape{.rate = 20}), usual},
                {"no reuse 24/s", of(unique_shape{.rate = 24}), usual},
                {"conversation x2", of(file, {.speed = 2}), usual},
                {"mixed generations", of(chat_shape{.rate = 4}), mixed(4, 2)},
                {"one slow endpoint", of(chat_shape{.rate = 4}), mixed(1, 4)},
                {"rolling restart", of(chat_shape{.rate = 4}), rolling(20, 15)},
                {"poll 1 s: conversation x2", of(file, {.speed = 2}), polled_each(1)},
                {"poll 5 s: conversation x2", of(file, {.speed = 2}), polled_each(5)},
                {"poll 1 s: chat 6/s", of(chat_shape{.rate = 6}), polled_each(1)},
                {"poll 5 s: chat 6/s", of(chat_shape{.rate = 6}), polled_each(5)},
            }};
}

case_set held_out_cases(const std::filesystem::path& file) {
    const fleet_plan usual = usual_fleet();
    const trace_shape x15{.speed = 1.5}, x18{.speed = 1.8}, x23{.speed = 2.3};
    return {{16, 17, 18, 19, 20},
            {
                {"capacity 28/s", of(shared_prefix_shape{.rate = 28}), usual_fleet(8, capacity_kv)},
                {"capacity 50/s", of(shared_prefix_shape{.rate = 50, .seconds = 20}), usual_fleet(8, capacity_kv)},
                {"zipf 65/s", of(zipf_shape{.rate = 65}), usual},
                {"zipf 80/s", of(zipf_shape{.rate = 80}), usual},
                {"hot prefix 55/s", of(zipf_shape{.exponent = 2.2, .rate = 55}), usual},
                {"chat 3.5/s", of(chat_shape{.rate = 3.5}), usual},
                {"chat 5/s", of(chat_shape{.rate = 5}), usual},
                {"chat 7.5/s", of(chat_shape{.rate = 7.5}), usual},
                {"no reuse 14/s", of(unique_shape{.rate = 14}), usual},
                {"no reuse 18/s", of(unique_shape{.rate = 18}), usual},
                {"no reuse 22/s", of(unique_shape{.rate = 22}), usual},
                {"conversation x1.5", of(file, x15), usual},
                {"conversation x1.8", of(file, x18), usual_fleet(8, 350'000)},
                {"conversation x2.3", of(file, x23), usual},
                {"mixed generations", of(chat_shape{.rate = 3.5}), mixed(3, 2)},
                {"one slow endpoint", of(chat_shape{.rate = 3.5}), mixed(1, 3)},
                {"rolling restart", of(chat_shape{.rate = 3.5}), rolling(25, 12)},
                {"conversation x1.8, poll 1 s", of(file, x18), polled_each(1, 350'000)},
                {"conversation x1.8, poll 5 s", of(file, x18), polled_each(5, 350'000)},
                {"chat 5/s, poll 1 s", of(chat_shape{.rate = 5}), polled_each(1)},
                {"chat 5/s, poll 5 s", of(chat_shape{.rate = 5}), polled_each(5)},
            }};
}

case_set quick_cases(const std::filesystem::path& file) {
    const fleet_plan usual = usual_fleet();
    return {{1},
            {
                {"capacity 25/s", of(shared_prefix_shape{.rate = 25, .seconds = 30}), usual_fleet(8, capacity_kv)},
                {"zipf 70/s", of(zipf_shape{.rate = 70, .seconds = 20}), usual},
                {"chat 4/s", of(chat_shape{.rate = 4, .seconds = 20}), usual},
                {"no reuse 20/s", of(unique_shape{.rate = 20, .seconds = 20}), usual},
                {"conversation x2", of(file, {.speed = 2, .requests_max = 1'000}), usual},
                {"rolling restart", of(chat_shape{.rate = 2, .seconds = 30}), rolling(5, 10)},
            }};
}

}  // namespace sluice::picker_bench
