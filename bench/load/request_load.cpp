#include "request_load.hpp"

#include <deque>
#include <memory>
#include <optional>

#include "client.hpp"
#include "scenario.hpp"

namespace sluice::bench {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;

std::int64_t to_ns(double seconds) {
    return static_cast<std::int64_t>(seconds * static_cast<double>(second_ns));
}

// The connections, their requests in flight and what they measured; the two loops differ only in when
// they send.
class requests {
public:
    explicit requests(const request_load& load)
        : load_(load), request_(model_request(load.speaks, load.body_bytes, std::nullopt)), scratch_(256 * 1024) {
        for (std::size_t i = 0; i < load.connections; ++i) {
            clients_.push_back(std::make_unique<client>(set_, load.port, i));
        }
        begun_ns_.resize(load.connections);
        begin_window_ns_ = now_ns() + to_ns(load.warmup_seconds);
        end_window_ns_ = begin_window_ns_ + to_ns(load.seconds);
    }

    bool hopeless() const { return report_.errors.hopeless(); }
    bool over(std::int64_t now) const { return now >= end_window_ns_ || hopeless(); }
    std::int64_t end_ns() const { return end_window_ns_; }

    // Latency of this request counts from `begun_ns`.
    void send(std::size_t i, std::int64_t begun_ns) {
        begun_ns_[i] = begun_ns;
        if (!clients_[i]->send(request_)) fail(i, "closed between two requests");
    }

    // Waits until `until_ns` at most and calls `on_free(connection)` for each answer that came.
    template <typename function>
    void wait(std::int64_t until_ns, function&& on_free) {
        for (const epoll_event& event : set_.wait(std::chrono::nanoseconds{until_ns - now_ns()})) {
            const auto i = static_cast<std::size_t>(event.data.u64);
            client& c = *clients_[i];
            const progress p = c.serve(event.events, scratch_, [](std::string_view) {});
            if (p == progress::waiting) continue;
            const std::int64_t now = now_ns();
            open_window_once(now);
            if (p == progress::failed) {
                fail(i, c.error());
            } else if (c.status() != 200 || !expected(c.body_bytes())) {
                report_.errors.add("status " + std::to_string(c.status()) + ", body of " +
                                   std::to_string(c.body_bytes()) + " bytes; the upstream's has " +
                                   std::to_string(chat_answer_body().size()));
            } else {
                count(now - begun_ns_[i]);
            }
            on_free(i);
        }
    }

    void expect(std::int64_t answers) {
        if (report_.total == static_cast<std::uint64_t>(answers)) return;
        report_.errors.add(std::to_string(report_.total) + " of " + std::to_string(answers) + " requests answered");
    }

    report finish() {
        if (window_opened_ns_ == 0) {
            report_.errors.add("no answer within the measured window");
            return std::move(report_);
        }
        report_.usage = usage_of(load_.watched) - usage_at_start_;
        report_.seconds = static_cast<double>(now_ns() - window_opened_ns_) / static_cast<double>(second_ns);
        return std::move(report_);
    }

private:
    void open_window_once(std::int64_t now) {
        if (window_opened_ns_ != 0 || now < begin_window_ns_) return;
        window_opened_ns_ = now;
        usage_at_start_ = usage_of(load_.watched);
    }

    void count(std::int64_t latency_ns) {
        ++report_.total;
        if (window_opened_ns_ == 0) return;
        ++report_.done;
        report_.delays.add(latency_ns);
    }

    // A translated answer has another size, but holds the same text.
    bool expected(std::size_t bytes) const {
        const std::size_t sent = chat_answer_body().size();
        return load_.speaks == wire::chat ? bytes == sent : bytes > sent / 2;
    }

    void fail(std::size_t i, const std::string& what) {
        report_.errors.add("connection " + what);
        clients_[i] = std::make_unique<client>(set_, load_.port, i);
    }

    request_load load_;
    std::string request_;
    poller set_;
    std::vector<char> scratch_;
    std::vector<std::unique_ptr<client>> clients_;
    std::vector<std::int64_t> begun_ns_;
    std::int64_t begin_window_ns_ = 0;
    std::int64_t end_window_ns_ = 0;
    std::int64_t window_opened_ns_ = 0;  // 0: still warming up
    process_usage usage_at_start_;
    report report_;
};

}  // namespace

report closed_loop(const request_load& load) {
    requests all{load};
    for (std::size_t i = 0; i < load.connections; ++i) all.send(i, now_ns());
    while (!all.over(now_ns())) {
        all.wait(all.end_ns(), [&](std::size_t i) { all.send(i, now_ns()); });
    }
    return all.finish();
}

report open_loop(const request_load& load, double rate) {
    use_precise_sleep();
    requests all{load};
    std::deque<std::size_t> free;
    for (std::size_t i = 0; i < load.connections; ++i) free.push_back(i);
    const auto planned = static_cast<std::int64_t>(rate * (load.warmup_seconds + load.seconds));
    const std::int64_t start_ns = now_ns();
    const auto due_ns = [&](std::int64_t i) { return start_ns + to_ns(static_cast<double>(i) / rate); };
    // Ends when all that was planned is answered, so that the slowest are not left out.
    const std::int64_t give_up_ns = all.end_ns() + 5 * second_ns;
    std::int64_t sent = 0;
    while (sent < planned || free.size() < load.connections) {
        const std::int64_t now = now_ns();
        if (now > give_up_ns || all.hopeless()) break;
        while (sent < planned && due_ns(sent) <= now && !free.empty()) {
            const std::size_t i = free.front();
            free.pop_front();
            all.send(i, due_ns(sent));
            ++sent;
        }
        const bool next_is_known = sent < planned && !free.empty();
        all.wait(next_is_known ? due_ns(sent) : give_up_ns, [&](std::size_t i) { free.push_back(i); });
    }
    all.expect(planned);
    return all.finish();
}

}  // namespace sluice::bench
