#include "telemetry/trace_exporter.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <charconv>

namespace sluice::telemetry {

namespace asio = boost::asio;

std::optional<std::chrono::milliseconds> retry_delay(const result<fetch_reply>& reply) {
    constexpr std::chrono::milliseconds usual{1000}, longest{30000};
    if (!reply) return usual;
    const int status = reply->head.status;
    if (status != 429 && status != 502 && status != 503 && status != 504) return std::nullopt;
    const std::string_view asked = reply->head.headers.find("retry-after").value_or(std::string_view{});
    int seconds = 0;
    const auto [end, bad] = std::from_chars(asked.data(), asked.data() + asked.size(), seconds);
    if (bad != std::errc{} || end != asked.data() + asked.size() || seconds < 0) return usual;
    return std::min<std::chrono::milliseconds>(std::chrono::seconds{seconds}, longest);
}

trace_exporter::trace_exporter(const tracing_config& config, std::string_view version, asio::any_io_executor executor,
                               fetcher& fetcher, metrics& m)
    : config_(config),
      fetcher_(fetcher),
      timer_(executor),
      batch_(config.service_name, version),
      exported_(m.get_counter("sluice_spans_exported_total", "Spans that the collector took.")),
      dropped_(m.get_counter("sluice_spans_dropped_total", "Spans lost before they reached the collector.",
                             {{"reason", "queue_full"}})),
      lost_(m.get_counter("sluice_spans_dropped_total", "Spans lost before they reached the collector.",
                          {{"reason", "export_failed"}})) {}

void trace_exporter::add(const span& s) {
    if (config_.endpoint.empty()) return;
    if (batch_.bytes() >= config_.queue.value) {
        dropped_.add();
        return;
    }
    batch_.add(s);
    if (batch_.spans() >= config_.batch_max && waiting_for_spans_) timer_.cancel();
}

awaitable<void> trace_exporter::run() {
    while (!config_.endpoint.empty()) {
        if (batch_.spans() < config_.batch_max && !stopping_) {
            waiting_for_spans_ = true;
            co_await wait(config_.interval);
            waiting_for_spans_ = false;
        }
        if (!batch_.empty()) {
            const std::size_t spans = batch_.spans();
            std::string body = batch_.take();
            co_await send(std::move(body), spans);
        }
        if (stopping_ && batch_.empty()) break;
    }
}

void trace_exporter::stop() {
    stopping_ = true;
    timer_.cancel();
}

fetch_request trace_exporter::request(std::string body) const {
    fetch_request r;
    r.method = "POST";
    r.url = config_.endpoint;
    r.headers.add("content-type", "application/json");
    for (const export_header& h : config_.headers) r.headers.add(h.name, h.value.reveal());
    r.body = std::move(body);
    r.timeout = config_.timeout;
    r.body_bytes_max = 64 << 10;
    return r;
}

awaitable<void> trace_exporter::send(std::string body, std::size_t spans) {
    const auto n = static_cast<std::int64_t>(spans);
    fetch_request first = request(body);
    result<fetch_reply> reply = co_await fetcher_.fetch(std::move(first));
    const bool taken = reply && reply->head.status / 100 == 2;
    const auto delay = retry_delay(reply);
    if (!taken && delay && !stopping_) {
        co_await wait(*delay);
        fetch_request second = request(std::move(body));
        reply = co_await fetcher_.fetch(std::move(second));
    }
    const bool done = reply && reply->head.status / 100 == 2;
    (done ? exported_ : lost_).add(n);
}

awaitable<void> trace_exporter::wait(std::chrono::milliseconds time) {
    if (stopping_) co_return;
    timer_.expires_after(time);
    // Cancelled by a full batch or by stop(): both only mean that the wait is over.
    [[maybe_unused]] const auto ended = co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
}

}  // namespace sluice::telemetry
