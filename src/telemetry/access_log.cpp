#include "telemetry/access_log.hpp"

#include "telemetry/line_sink.hpp"

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <thread>
#include <vector>

namespace sluice::telemetry {
namespace {

constexpr std::size_t line_bytes_max = 32 << 10;  // access_line_format's promise

}  // namespace

// Buffers that pass from one worker to the thread, in order. `filled` is written by the worker alone, `written` by
// the thread alone; buffer n lives in slot n % size, and the worker owns the slots that are neither filled nor
// being written.
struct access_log::writer::ring {
    struct slot {
        std::string text;
        std::int64_t lines = 0;
    };
    ring(std::size_t buffers, wakeup& w) : slots(buffers), wake(w) {}

    // The buffer the worker may fill now; null when all wait for the thread.
    slot* free_slot() {
        const auto n = filled.load(std::memory_order_relaxed);
        if (n - written.load(std::memory_order_acquire) == slots.size()) return nullptr;
        return &slots[n % slots.size()];
    }
    // The oldest buffer that waits to be written; null when there is none.
    slot* full_slot() {
        const auto n = written.load(std::memory_order_relaxed);
        if (filled.load(std::memory_order_acquire) == n) return nullptr;
        return &slots[n % slots.size()];
    }

    std::vector<slot> slots;
    wakeup& wake;
    alignas(64) std::atomic<std::uint64_t> filled{0};
    counter dropped;  // lines; the worker's
    alignas(64) std::atomic<std::uint64_t> written{0};
};

// All that the thread works with.
struct access_log::core {
    core(const access_log_config& config, std::size_t workers) : sink(config.path, wake) {
        for (std::size_t i = 0; i < workers; ++i) {
            rings.push_back(std::make_unique<writer::ring>(config.buffers, wake));
            writers.push_back(std::make_unique<writer>(*rings.back(), config));
        }
    }

    void run();
    // Writes the oldest buffer of each ring. False when there was none.
    bool write_round();

    wakeup wake;  // raised for every buffer and every flag below
    line_sink sink;
    std::vector<std::unique_ptr<writer::ring>> rings;
    std::vector<std::unique_ptr<writer>> writers;
    std::atomic<bool> reopen{false};
    std::atomic<bool> stop{false};     // write what is there, then end
    std::atomic<bool> give_up{false};  // end without writing
    wakeup ended;                      // raised by the thread as its last act
    counter written, dropped, errors;  // the thread's
};

void access_log::core::run() {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);  // SIGPIPE above all: a broken pipe is an error like others
    for (;;) {
        // Read before the rings: what was handed over before the call to stop() is then seen below.
        const bool last = stop.load(std::memory_order_acquire);
        if (reopen.exchange(false, std::memory_order_acq_rel) && !sink.reopen()) errors.add();
        while (write_round()) {
        }
        if (last) break;
        wake.wait(std::chrono::milliseconds{-1});
    }
    ended.raise();
}

bool access_log::core::write_round() {
    bool any = false;
    for (const auto& ring : rings) {
        writer::ring::slot* slot = ring->full_slot();
        if (slot == nullptr) continue;
        any = true;
        const bool good = sink.write(slot->text, give_up);
        (good ? written : dropped).add(slot->lines);
        if (!good) errors.add();
        slot->text.clear();
        slot->lines = 0;
        ring->written.fetch_add(1, std::memory_order_release);
    }
    return any;
}

access_log::access_log(const access_log_config& config, std::size_t workers)
    : core_(std::make_shared<core>(config, workers)), thread_([shared = core_] { shared->run(); }) {}

access_log::~access_log() {
    stop();
}

access_log::writer& access_log::worker(std::size_t i) {
    return *core_->writers.at(i);
}

void access_log::reopen() {
    core_->reopen.store(true, std::memory_order_release);
    core_->wake.raise();
}

void access_log::stop(std::chrono::milliseconds patience) {
    if (!thread_.joinable()) return;
    for (const auto& w : core_->writers) w->hand_over();
    core_->stop.store(true, std::memory_order_release);
    core_->wake.raise();
    bool ended = core_->ended.wait(patience);
    if (!ended) {
        core_->give_up.store(true, std::memory_order_release);
        core_->wake.raise();
        ended = core_->ended.wait(std::chrono::milliseconds{100});
    }
    if (ended) {
        thread_.join();
    } else {
        thread_.detach();  // inside a write that the kernel does not end; it owns what it works with
    }
}

std::int64_t access_log::lines_written() const {
    return core_->written.value();
}

std::int64_t access_log::lines_dropped() const {
    std::int64_t n = core_->dropped.value();
    for (const auto& ring : core_->rings) n += ring->dropped.value();
    return n;
}

std::int64_t access_log::write_errors() const {
    return core_->errors.value();
}

access_log::writer::writer(ring& r, const access_log_config& config)
    : ring_(r),
      format_(config.query),
      buffer_bytes_(static_cast<std::size_t>(config.buffer.value)),
      flush_interval_(config.flush_interval) {}

void access_log::writer::append(const access_record& record, time_point now) {
    ring::slot* slot = ring_.free_slot();
    if (slot == nullptr) {
        ring_.dropped.add();
        return;
    }
    if (slot->lines == 0) {
        slot->text.reserve(buffer_bytes_ + line_bytes_max);  // does something once per slot
        first_line_ = now;
    }
    format_.append(slot->text, record);
    ++slot->lines;
    if (slot->text.size() >= buffer_bytes_ || now - first_line_ >= flush_interval_) hand_over();
}

void access_log::writer::tick(time_point now) {
    const ring::slot* slot = ring_.free_slot();
    if (slot != nullptr && slot->lines > 0 && now - first_line_ >= flush_interval_) hand_over();
}

void access_log::writer::hand_over() {
    const ring::slot* slot = ring_.free_slot();
    if (slot == nullptr || slot->lines == 0) return;
    ring_.filled.store(ring_.filled.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    ring_.wake.raise();
}

void add_access_log_metrics(registry& r, const access_log& log) {
    using enum metric_kind;
    r.computed("sluice_access_log_lines_total", "Lines written to the access log.", counter,
               [&log] { return static_cast<double>(log.lines_written()); });
    r.computed("sluice_access_log_dropped_lines_total", "Lines lost because the access log's sink stalled or failed.",
               counter, [&log] { return static_cast<double>(log.lines_dropped()); });
    r.computed("sluice_access_log_errors_total", "Failed writes to the access log's sink.", counter,
               [&log] { return static_cast<double>(log.write_errors()); });
}

}  // namespace sluice::telemetry
