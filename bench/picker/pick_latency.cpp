// How long a pick takes: from a request's body in memory to the list of endpoints, hashing included, on several
// threads that share one picker whose index is full. Prints one line of JSON.
//
//   bench-pick-latency [seconds for each size]
#include "base/random.hpp"
#include "routing/picker/endpoint_picker.hpp"
#include "routing/picker/prompt_slices.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace sluice;
using namespace sluice::picker;
using clock_type = std::chrono::steady_clock;

namespace {

constexpr std::size_t endpoints = 64, threads = 4, conversations = 64;
constexpr std::size_t blocks_per_endpoint = 20'000;

// Bodies of one size: conversations whose first half is shared by eight each.
struct bodies {
    explicit bodies(std::size_t bytes) {
        const auto text = [&](std::uint64_t which, std::size_t length) {
            random_source words(which);
            std::string s;
            while (s.size() < length) s += std::to_string(words.below(1'000'000)) + ' ';
            s.resize(length);
            return s;
        };
        for (std::size_t i = 0; i < conversations; ++i)
            texts.push_back(R"({"model":"m","messages":[{"role":"system","content":")" + text(i / 8 + 1, bytes / 2) +
                            R"("},{"role":"user","content":")" + text(1'000 + i, bytes / 2) + R"("}]})");
        for (const auto& t : texts) objects.push_back(json_object::parse(t).value());
    }
    std::vector<std::string> texts;
    std::vector<json_object> objects;
};

struct timings {
    std::vector<double> whole_us, hash_us, dispatch_us;
};

double us(clock_type::time_point from, clock_type::time_point to) {
    return std::chrono::duration<double, std::micro>(to - from).count();
}

pool_snapshot make_pool() {
    pool_snapshot pool;
    for (std::uint32_t i = 0; i < endpoints; ++i)
        pool.endpoints.push_back({.id = "server-" + std::to_string(i), .slot = i});
    return pool;
}

// Every endpoint's ring is full of blocks of its own, as after hours of work.
void fill_index(endpoint_picker& p, const pool_snapshot& pool) {
    random_source random(7);
    std::vector<prefix_block> chain(200);
    for (const auto& e : pool.endpoints) {
        for (std::size_t i = 0; i < blocks_per_endpoint / chain.size(); ++i) {
            for (std::uint32_t k = 0; k < chain.size(); ++k) chain[k] = {random.next() | 2, (k + 1) * 256};
            pick_result choice;
            choice.prompt_tokens = 1;
            request_features f;
            f.blocks = chain;
            ticket t = p.dispatch_to({.at = e.slot, .slot = e.slot}, choice, f, clock_type::now());
            p.on_first_token(t, clock_type::now());
            p.on_done(t, f, {}, clock_type::now());
        }
    }
}

void work(endpoint_picker& p, const pool_snapshot& pool, const bodies& b, double seconds, std::uint64_t seed,
          timings& out) {
    random_source random(seed);
    std::vector<prompt_slice> slices;
    const auto end = clock_type::now() + std::chrono::duration<double>(seconds);
    while (clock_type::now() < end) {
        const json_object& body = b.objects[random.below(b.objects.size())];
        const auto t0 = clock_type::now();
        slices.clear();
        find_prompt(body, slices);
        prefix_hasher hasher({.model = "m"});
        for (const auto& s : slices) s.media ? hasher.add_media(s.bytes) : hasher.add(s.bytes);
        request_features f;
        f.model = 1;
        f.blocks = hasher.blocks();
        f.prompt_bytes = hasher.bytes();
        const auto t1 = clock_type::now();
        pick_result choice = p.pick(f, pool, t1);
        const auto t2 = clock_type::now();
        ticket t = p.dispatch(choice, f, pool, t2);
        const auto t3 = clock_type::now();
        out.whole_us.push_back(us(t0, t2));
        out.hash_us.push_back(us(t0, t1));
        out.dispatch_us.push_back(us(t2, t3));
        p.on_first_token(t, t3);
        p.on_done(t, f, {}, t3);
    }
}

timings measure(endpoint_picker& p, const pool_snapshot& pool, const bodies& b, double seconds) {
    std::vector<timings> each(threads);
    {
        std::vector<std::jthread> workers;
        for (std::size_t i = 0; i < threads; ++i)
            workers.emplace_back([&, i] { work(p, pool, b, seconds, i + 1, each[i]); });
    }
    timings all;
    for (auto& t : each) {
        all.whole_us.insert(all.whole_us.end(), t.whole_us.begin(), t.whole_us.end());
        all.hash_us.insert(all.hash_us.end(), t.hash_us.begin(), t.hash_us.end());
        all.dispatch_us.insert(all.dispatch_us.end(), t.dispatch_us.begin(), t.dispatch_us.end());
    }
    return all;
}

double quantile(std::vector<double>& v, double q) {
    const auto at = v.begin() + static_cast<std::ptrdiff_t>(q * static_cast<double>(v.size() - 1));
    std::nth_element(v.begin(), at, v.end());
    return *at;
}

}  // namespace

int main(int argc, char** argv) {
    const double seconds = argc > 1 ? std::atof(argv[1]) : 1.0;
    const pool_snapshot pool = make_pool();
    const auto p = std::make_unique<endpoint_picker>(
        picker_options{.index = {.endpoints = endpoints, .blocks_per_endpoint = blocks_per_endpoint}});
    fill_index(*p, pool);
    std::printf("{\"index_bytes\": %zu, \"blocks_per_endpoint\": %zu", p->index().memory_bytes(),
                p->index().blocks_per_endpoint());
    for (const auto& [name, bytes] : {std::pair{"2k", 2'048}, std::pair{"220k", 220'000}}) {
        const bodies b(static_cast<std::size_t>(bytes));
        timings t = measure(*p, pool, b, seconds);
        std::printf(
            ", \"%s\": {\"picks\": %zu, \"p50_us\": %.3f, \"p99_us\": %.3f, \"hash_p50_us\": %.3f, "
            "\"dispatch_p50_us\": %.3f}",
            name, t.whole_us.size(), quantile(t.whole_us, 0.5), quantile(t.whole_us, 0.99), quantile(t.hash_us, 0.5),
            quantile(t.dispatch_us, 0.5));
    }
    std::printf("}\n");
    return 0;
}
