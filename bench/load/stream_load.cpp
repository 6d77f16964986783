#include "stream_load.hpp"

#include <poll.h>
#include <unistd.h>

#include <memory>

#include "client.hpp"

namespace sluice::bench {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::int64_t idle_open_limit_ns = 60 * second_ns;

std::int64_t to_ns(double seconds) {
    return static_cast<std::int64_t>(seconds * static_cast<double>(second_ns));
}

// The connections of a run, each with the stream that it reads.
class streams {
public:
    explicit streams(const stream_load& load)
        : load_(load), request_(model_request(load.speaks, load.body_bytes, load.spec)), scratch_(256 * 1024) {}

    std::size_t size() const { return all_.size(); }

    void open_one() {
        const std::size_t i = all_.size();
        all_.push_back({std::make_unique<client>(set_, load_.port, i), {}});
        begin(i);
    }

    // Calls `on_event(stream, stamp_ns)` for each event that came until `until_ns`, and
    // `on_end(stream)` for each stream that ended well.
    template <typename event_function, typename end_function>
    void wait(std::int64_t until_ns, event_function&& on_event, end_function&& on_end) {
        for (const epoll_event& event : set_.wait(std::chrono::nanoseconds{until_ns - now_ns()})) {
            const auto i = static_cast<std::size_t>(event.data.u64);
            event_counter& counter = all_[i].counter;
            const progress p = all_[i].connection->serve(event.events, scratch_, [&](std::string_view piece) {
                counter.take(piece, [&](std::int64_t stamp_ns) { on_event(i, stamp_ns); });
            });
            if (p == progress::failed) {
                fail(i, all_[i].connection->error());
            } else if (p == progress::answered && check(i)) {
                on_end(i);
            }
        }
    }

    void begin(std::size_t i) {
        all_[i].counter.reset();
        if (!all_[i].connection->send(request_)) fail(i, "closed between two streams");
    }

    std::uint64_t events_of(std::size_t i) const { return all_[i].counter.events(); }

    std::uint64_t reads() const {
        std::uint64_t sum = 0;
        for (const stream& s : all_) sum += s.connection->reads();
        return sum;
    }

    error_log errors;

private:
    struct stream {
        std::unique_ptr<client> connection;
        event_counter counter;
    };

    bool check(std::size_t i) {
        const stream& s = all_[i];
        if (s.connection->status() == 200 && s.counter.done() && s.counter.events() == load_.spec.events) return true;
        fail(i, "status " + std::to_string(s.connection->status()) + ", " + std::to_string(s.counter.events()) +
                    " of " + std::to_string(load_.spec.events) + " events, " +
                    (s.counter.done() ? "[DONE]" : "no [DONE]"));
        return false;
    }

    void fail(std::size_t i, const std::string& what) {
        errors.add("stream " + what);
        if (errors.hopeless()) return;
        all_[i].connection = std::make_unique<client>(set_, load_.port, i);
        all_[i].counter.reset();
        static_cast<void>(all_[i].connection->send(request_));
    }

    stream_load load_;
    std::string request_;
    poller set_;
    std::vector<char> scratch_;
    std::vector<stream> all_;
};

bool input_ended() {
    pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    char byte = 0;
    return ::poll(&input, 1, 0) > 0 && ::read(STDIN_FILENO, &byte, 1) <= 0;
}

}  // namespace

report stream_events(const stream_load& load) {
    streams all{load};
    report r;
    for (std::size_t i = 0; i < load.streams; ++i) all.open_one();
    const std::int64_t begin_ns = now_ns() + to_ns(load.warmup_seconds);
    const std::int64_t end_ns = begin_ns + to_ns(load.seconds);
    std::int64_t opened_ns = 0;
    std::uint64_t reads_at_start = 0;
    process_usage usage_at_start;
    for (std::int64_t now = now_ns(); now < end_ns && !all.errors.hopeless(); now = now_ns()) {
        if (opened_ns == 0 && now >= begin_ns) {
            reads_at_start = all.reads();
            usage_at_start = usage_of(load.watched);
            opened_ns = now_ns();
        }
        const auto count = [&](std::size_t, std::int64_t stamp_ns) {
            ++r.total;
            if (opened_ns == 0) return;
            ++r.done;
            r.delays.add(now_ns() - stamp_ns);
        };
        all.wait(opened_ns == 0 ? begin_ns : end_ns, count, [&](std::size_t i) { all.begin(i); });
    }
    r.usage = usage_of(load.watched) - usage_at_start;
    r.seconds = static_cast<double>(now_ns() - opened_ns) / static_cast<double>(second_ns);
    r.reads = all.reads() - reads_at_start;
    r.errors = all.errors;
    if (r.done == 0) r.errors.add("no event within the measured window");
    return r;
}

report idle_streams(const stream_load& load) {
    constexpr std::size_t opening_max = 128;  // streams on the way at once: less than any listen queue
    streams all{load};
    report r;
    const auto on_event = [&](std::size_t, std::int64_t) { ++r.done; };
    const auto on_end = [&](std::size_t) { all.errors.add("an idle stream ended"); };
    const std::int64_t limit_ns = now_ns() + idle_open_limit_ns;
    while (r.done < load.streams && now_ns() < limit_ns && !all.errors.hopeless()) {
        while (all.size() < load.streams && all.size() - r.done < opening_max) all.open_one();
        all.wait(limit_ns, on_event, on_end);
    }
    if (r.done != load.streams) all.errors.add(std::to_string(r.done) + " streams had their first event");
    std::cout << "{\"ready\":" << r.done << "}" << std::endl;
    while (!input_ended()) all.wait(now_ns() + second_ns / 20, on_event, on_end);
    r.errors = all.errors;
    return r;
}

}  // namespace sluice::bench
