#include "picker/generators.hpp"

#include "picker/random.hpp"

#include <algorithm>
#include <numeric>

namespace sluice::picker_bench {
namespace {

// A text under way: blocks are named as soon as they are full.
class text {
public:
    void append(std::uint64_t content, std::uint32_t tokens) {
        for (std::uint32_t done = 0; done < tokens;) {
            const std::uint32_t piece = std::min(tokens - done, block_tokens - in_block_);
            // The piece's place in its content tells it apart from the one before.
            open_ = chained(open_, stirred(content) + done * 131 + piece);
            done += piece;
            in_block_ += piece;
            if (in_block_ < block_tokens) break;
            blocks_.push_back(open_);
            in_block_ = 0;
        }
        tokens_ += tokens;
    }
    std::uint32_t tokens() const { return tokens_; }
    const std::vector<std::uint64_t>& blocks() const { return blocks_; }

private:
    std::vector<std::uint64_t> blocks_;
    std::uint64_t open_ = 0;
    std::uint32_t in_block_ = 0, tokens_ = 0;
};

// `t` is the prompt; an answer of a content of its own is appended to it.
request asked(text& t, random_numbers& random, std::uint32_t output_tokens) {
    request r;
    r.prompt_tokens = t.tokens();
    r.output_tokens = output_tokens;
    t.append(random.next(), output_tokens);
    r.blocks = t.blocks();
    return r;
}

// Calls f(time) for each arrival of a Poisson process.
template <class F>
void each_arrival(random_numbers& random, double rate, double seconds, F f) {
    for (double now = random.exponential(1 / rate); now < seconds; now += random.exponential(1 / rate)) f(now);
}

constexpr double spread = 0.2;  // lengths vary by this part of their mean, where the original's do

}  // namespace

workload shared_prefix(const shared_prefix_shape& s, std::uint64_t seed) {
    constexpr double warm_rate = 10, pause_s = 40;
    random_numbers random(seed);
    const std::uint32_t prompts = s.groups * s.questions;
    std::vector<std::uint32_t> order(prompts);
    std::iota(order.begin(), order.end(), 0U);
    const auto shuffle = [&] {
        for (std::size_t i = order.size() - 1; i > 0; --i) std::swap(order[i], order[random.below(i + 1)]);
    };
    workload w{"shared-prefix", {}};
    const auto send = [&](std::uint32_t prompt, double at_s, bool measured) {
        text t;
        t.append(1'000'000 + prompt / s.questions, s.system_tokens);
        t.append(2'000'000 + prompt, s.question_tokens);
        request r = asked(t, random, s.output_tokens);
        r.at_s = at_s;
        r.measured = measured;
        w.requests.push_back(std::move(r));
    };
    double now = 0;
    shuffle();
    for (const std::uint32_t p : order) send(p, now += random.exponential(1 / warm_rate), false);
    now += pause_s;
    const double end = now + s.seconds;
    for (std::size_t i = 0;; ++i) {
        if (i % prompts == 0) shuffle();
        now += random.exponential(1 / s.rate);
        if (now > end) return w;
        send(order[i % prompts], now, true);
    }
}

workload zipf_groups(const zipf_shape& s, std::uint64_t seed) {
    random_numbers random(seed);
    const zipf popularity(s.groups, s.exponent);
    workload w{"zipf", {}};
    each_arrival(random, s.rate, s.seconds, [&](double now) {
        const auto group = static_cast<std::uint32_t>(popularity.draw(random));
        text t;
        t.append(1'000'000 + group, s.system_tokens);
        t.append(random.next(), random.around(s.tail_tokens, spread));
        request r = asked(t, random, random.around(s.output_tokens, spread));
        r.at_s = now;
        if (s.adapters > 0) r.adapter = 1 + group % s.adapters;
        w.requests.push_back(std::move(r));
    });
    return w;
}

workload chat(const chat_shape& s, std::uint64_t seed) {
    random_numbers random(seed);
    workload w{"chat", {}};
    each_arrival(random, s.rate, s.seconds, [&](double now) {
        text t;
        t.append(1'000'000, s.system_tokens);
        t.append(random.next(), random.around(s.first_message_tokens, spread));
        const std::uint64_t session = random.next() | 1;
        std::int32_t before = request::nothing;
        do {
            t.append(random.next(), random.around(s.message_tokens, spread));
            request r = asked(t, random, random.around(s.output_tokens, spread));
            r.at_s = before == request::nothing ? now : random.exponential(s.think_s);
            r.follows = before;
            r.session = session;
            before = static_cast<std::int32_t>(w.requests.size());
            w.requests.push_back(std::move(r));
        } while (random.unit() > 1 / s.turns);
    });
    return w;
}

workload no_reuse(const unique_shape& s, std::uint64_t seed) {
    random_numbers random(seed);
    workload w{"no-reuse", {}};
    each_arrival(random, s.rate, s.seconds, [&](double now) {
        text t;
        t.append(random.next(), random.around(s.prompt_tokens, spread));
        request r = asked(t, random, random.around(s.output_tokens, spread));
        r.at_s = now;
        w.requests.push_back(std::move(r));
    });
    return w;
}

workload classes(const std::vector<class_shape>& all, std::uint64_t seed) {
    workload w{"classes", {}};
    for (std::size_t i = 0; i < all.size(); ++i) {
        for (request& r : no_reuse(all[i].requests, stirred(seed) + i).requests) {
            r.priority = all[i].priority;
            r.tenant = all[i].tenant;
            w.requests.push_back(std::move(r));
        }
    }
    return w;
}

}  // namespace sluice::picker_bench
