#include "governance/jwks_source.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <spdlog/spdlog.h>

#include <exception>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace sluice {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr auto look_interval = 1s;        // how often a worker asks the schedule
constexpr auto wait_interval = 10ms;      // between two looks at a fetch that another worker may be running
constexpr auto view_check_interval = 1s;  // how often a view asks whether its keys are too old

std::int64_t nanoseconds_of(clock::time_point t) {
    return std::chrono::nanoseconds(t.time_since_epoch()).count();
}

// Key files are small and local: reading one costs less than handing it to another thread.
result<std::string> read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) return error{error_kind::internal, "cannot open " + path};
    std::string text(jose::jwks_bytes_max + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (in.bad()) return error{error_kind::internal, "cannot read " + path};
    return text;
}

}  // namespace

// --- schedule -------------------------------------------------------------------------------------------

bool jwks_schedule::begin_if_aged(time_point now) {
    if (running_) return false;
    const auto interval = last_good_ ? refresh_ : std::chrono::milliseconds(retry_interval);
    if (tried_ && now - last_try_ < interval) return false;
    running_ = tried_ = true;
    last_try_ = now;
    return true;
}

bool jwks_schedule::begin_for_unknown_kid(time_point now) {
    if (running_ || (asked_for_kid_ && now - last_kid_ < unknown_kid_interval)) return false;
    running_ = tried_ = asked_for_kid_ = true;
    last_try_ = last_kid_ = now;
    return true;
}

void jwks_schedule::finished(bool good, time_point now) {
    running_ = false;
    last_good_ = good;
    if (good) {
        fetched_ = true;
        last_success_ = now;
    }
}

bool jwks_schedule::too_old(time_point now) const {
    return !fetched_ || now - last_success_ > refresh_ + stale_grace_;
}

// --- source ---------------------------------------------------------------------------------------------

jwks_source::jwks_source(jwks_config config)
    : config_(std::move(config)),
      schedule_(config_.file.empty() ? config_.refresh : std::chrono::milliseconds(jwks_schedule::file_check_interval),
                config_.stale_grace) {
    if (config_.text.empty()) return;
    auto keys = jose::parse_jwks(config_.text);
    if (!keys) throw std::runtime_error("jwks: " + describe(keys.error()));
    keys_ = std::make_shared<const jose::key_set>(std::move(*keys));
    version_ = 1;
}

void jwks_source::refresh_if_aged(services& from) {
    if (!config_.text.empty()) return;
    const auto now = from.time().now();
    std::int64_t due = next_look_.load(std::memory_order_relaxed);
    if (due != 0 && nanoseconds_of(now) < due) return;
    // Of the workers that get here together one looks.
    const std::int64_t next = nanoseconds_of(now + look_interval);
    if (!next_look_.compare_exchange_strong(due, next, std::memory_order_relaxed)) return;
    bool begin = false;
    {
        const std::lock_guard lock(mutex_);
        begin = schedule_.begin_if_aged(now);
    }
    if (begin) start(from);
}

void jwks_source::refresh_for_unknown_kid(services& from) {
    if (!config_.text.empty()) return;
    bool begin = false;
    {
        const std::lock_guard lock(mutex_);
        begin = schedule_.begin_for_unknown_kid(from.time().now());
    }
    if (begin) start(from);
}

awaitable<void> jwks_source::wait(services& from) {
    if (!fetching()) co_return;
    asio::steady_timer timer(from.executor());
    const auto looks = (config_.timeout + 1s) / wait_interval;
    for (std::int64_t i = 0; i < looks && fetching(); ++i) {
        timer.expires_after(wait_interval);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

bool jwks_source::fetching() const {
    const std::lock_guard lock(mutex_);
    return schedule_.running();
}

std::shared_ptr<const jose::key_set> jwks_source::snapshot(clock::time_point now) const {
    const std::lock_guard lock(mutex_);
    if (config_.text.empty() && schedule_.too_old(now)) return nullptr;
    return keys_;
}

void jwks_source::start(services& from) {
    asio::co_spawn(from.executor(), refresh(shared_from_this(), &from), [](std::exception_ptr failure) {
        if (failure) spdlog::error("jwks: a refresh ended by exception");
    });
}

awaitable<void> jwks_source::refresh(std::shared_ptr<jwks_source> self, services* from) {
    // The schedule must not stay "running" when the worker stops in the middle.
    struct flight {
        jwks_source& source;
        bool landed = false;
        ~flight() {
            if (landed) return;
            const std::lock_guard lock(source.mutex_);
            source.schedule_.finished(false, {});
        }
    } flight{*self};
    auto text = co_await load(*from);
    flight.landed = true;
    keep(std::move(text), from->time().now());
}

awaitable<result<std::string>> jwks_source::load(services& from) {
    if (!config_.file.empty()) co_return read_file(config_.file);
    fetch_request request;
    request.url = config_.url;
    request.headers.add("Accept", "application/jwk-set+json, application/json");
    request.timeout = config_.timeout;
    request.body_bytes_max = jose::jwks_bytes_max;
    auto reply = co_await from.fetcher().fetch(std::move(request));
    if (!reply) co_return reply.error();
    if (reply->head.status != 200) {
        co_return error{error_kind::upstream_protocol, "status " + std::to_string(reply->head.status)};
    }
    co_return std::move(reply->body);
}

void jwks_source::keep(result<std::string> text, clock::time_point now) {
    // Parsed outside the lock: an RSA key takes its time.
    std::shared_ptr<const jose::key_set> fresh;
    bool good = false, same = false;
    if (text) {
        {
            const std::lock_guard lock(mutex_);
            same = keys_ != nullptr && *text == last_text_;
        }
        auto keys = same ? result<jose::key_set>() : jose::parse_jwks(*text);
        good = same || keys.has_value();
        if (!same && good) {
            for (const std::string& why : keys->skipped)
                spdlog::warn("jwks {}{}: skipped {}", config_.url, config_.file, why);
            fresh = std::make_shared<const jose::key_set>(std::move(*keys));
        }
        if (!good) spdlog::warn("jwks {}{}: {}", config_.url, config_.file, describe(keys.error()));
    } else {
        spdlog::warn("jwks {}{}: {}", config_.url, config_.file, describe(text.error()));
    }
    const std::lock_guard lock(mutex_);
    schedule_.finished(good, now);
    if (fresh != nullptr) {
        keys_ = std::move(fresh);
        last_text_ = std::move(*text);
    }
    if (good) version_.fetch_add(1, std::memory_order_release);
}

// --- view -----------------------------------------------------------------------------------------------

const jose::key_set* jwks_view::keys(clock::time_point now) {
    const std::uint64_t version = source_->version();
    if (version != version_ || now - checked_ > view_check_interval || now < checked_) {
        keys_ = source_->snapshot(now);
        version_ = version;
        checked_ = now;
    }
    return keys_.get();
}

}  // namespace sluice
