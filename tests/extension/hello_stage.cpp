// Greets whoever is known on every reply, and counts the greetings.
#include <sluice/config.hpp>
#include <sluice/exchange.hpp>
#include <sluice/services.hpp>
#include <sluice/stage.hpp>

namespace hello {
struct hello_config {
    std::string header = "x-hello";
};

void read(sluice::config_reader& r, hello_config& c) {
    r.field("header", c.header, "The header that greets.");
}

struct greeting final : sluice::forwarding_sink {
    greeting(sluice::exchange& x, const std::string& header) : forwarding_sink(x.reply()), header_(header), x_(x) {}
    sluice::awaitable<void> head(sluice::response_head& h) override {
        h.headers.set(header_, "hello " + x_.caller.key_id);
        return to_.head(h);
    }
    const std::string& header_;
    sluice::exchange& x_;
};

struct hello_stage final : sluice::stage {
    hello_stage(const hello_config& config, sluice::services& s)
        : header_(config.header), greeted_(s.metrics().get_counter("sluice_hello_total", "Callers greeted.")) {}
    std::string_view name() const override { return "hello"; }
    sluice::awaitable<void> serve(sluice::exchange& x, sluice::next_stage next) override {
        if (x.caller.anonymous) co_return x.fail(sluice::error{sluice::error_kind::forbidden, "Say who you are."});
        greeting sink(x, header_);
        const sluice::sink_scope around(x, sink, sluice::sink_scope::needs::pieces);
        co_await next(x);  // the whole reply has passed when this returns
        greeted_.add();
    }
    const std::string header_;
    sluice::counter& greeted_;
};
}  // namespace hello
