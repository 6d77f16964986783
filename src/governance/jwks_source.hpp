// Where the keys of an issuer come from, and when they are fetched again.
//
// One object per key set for the whole process, shared by the workers (services::shared). It hands out immutable
// snapshots; a worker keeps the one it has (jwks_view) and asks for another only when the version changed, so
// a request takes no lock.
#pragma once

#include "governance/jose/jwk.hpp"

#include <sluice/fetch.hpp>
#include <sluice/services.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

namespace sluice {

struct jwks_config {
    // Exactly one of the three.
    std::string url;   // fetched, and again by age
    std::string file;  // read again when it changed
    std::string text;  // the key set itself

    std::chrono::milliseconds refresh{std::chrono::minutes(10)};    // age at which a fetched set is fetched again
    std::chrono::milliseconds stale_grace{std::chrono::hours(24)};  // how long past that it serves while fetching fails
    std::chrono::milliseconds timeout{std::chrono::seconds(5)};     // of one fetch
};

// When to fetch. Only the decision: the caller passes the time and does the fetching.
//
// Not thread-safe by itself: jwks_source guards it.
class jwks_schedule {
public:
    using time_point = clock::time_point;
    // A token named a key we do not have. More often than this it does not make us ask again: anybody
    // can send such tokens.
    static constexpr std::chrono::minutes unknown_kid_interval{1};
    static constexpr std::chrono::seconds retry_interval{10};  // after a failure
    static constexpr std::chrono::seconds file_check_interval{5};

    jwks_schedule(std::chrono::milliseconds refresh, std::chrono::milliseconds stale_grace)
        : refresh_(refresh), stale_grace_(stale_grace) {}

    // Each returns true when the caller shall fetch now; nobody else is told so before finished().
    bool begin_if_aged(time_point now);
    bool begin_for_unknown_kid(time_point now);
    void finished(bool good, time_point now);

    bool running() const { return running_; }
    bool too_old(time_point now) const;  // or never fetched

private:
    const std::chrono::milliseconds refresh_, stale_grace_;
    bool running_ = false;
    bool tried_ = false, fetched_ = false, last_good_ = false, asked_for_kid_ = false;
    time_point last_try_{}, last_success_{}, last_kid_{};
};

// Thread-safe.
class jwks_source : public std::enable_shared_from_this<jwks_source> {
public:
    explicit jwks_source(jwks_config config);

    // Starts a fetch in the background if one is due. `from` is the asking worker's, and outlives the fetch.
    void refresh_if_aged(services& from);
    // The same for a token whose key is not in the set. Afterwards wait() for a fetch that runs, ours or not.
    void refresh_for_unknown_kid(services& from);
    // Resumes when no fetch is running; after the timeout of a fetch at the latest.
    awaitable<void> wait(services& from);
    bool fetching() const;

    // Changes with every new snapshot.
    std::uint64_t version() const { return version_.load(std::memory_order_acquire); }
    // The keys, or nullptr: none yet, or none recent enough.
    std::shared_ptr<const jose::key_set> snapshot(clock::time_point now) const;

private:
    awaitable<void> refresh(std::shared_ptr<jwks_source> self, services* from);
    awaitable<result<std::string>> load(services& from);
    void start(services& from);
    void keep(result<std::string> text, clock::time_point now);

    const jwks_config config_;
    std::atomic<std::uint64_t> version_{0};
    std::atomic<std::int64_t> next_look_ = 0;  // nanoseconds; before it refresh_if_aged() has nothing to do
    mutable std::mutex mutex_;                 // guards what follows; never held across an await or a fetch
    jwks_schedule schedule_;
    std::shared_ptr<const jose::key_set> keys_;
    std::string last_text_;  // of a file: parsed again only when it changed
};

// A worker's view of a source. Belongs to one worker.
class jwks_view {
public:
    explicit jwks_view(std::shared_ptr<jwks_source> source) : source_(std::move(source)) {}

    jwks_source& source() { return *source_; }
    // nullptr when there are no keys to verify with. Valid until the next call.
    const jose::key_set* keys(clock::time_point now);

private:
    std::shared_ptr<jwks_source> source_;
    std::shared_ptr<const jose::key_set> keys_;
    std::uint64_t version_ = 0;
    clock::time_point checked_{};
};

}  // namespace sluice
