// A whole stage: greets callers by name in a header of the reply, counts them, and refuses those it does not know.
#include <sluice/config.hpp>
#include <sluice/exchange.hpp>
#include <sluice/services.hpp>
#include <sluice/stage.hpp>

struct hello_config {
    std::string greeting = "hello";
};
void read(sluice::config_reader& r, hello_config& c) {
    r.field("greeting", c.greeting, "What the header says before the caller's id.");
}

struct greeting_sink final : sluice::reply_sink {  // sees the reply pass
    greeting_sink(sluice::reply_sink& to, std::string text) : to_(to), text_(std::move(text)) {}
    sluice::awaitable<void> head(sluice::response_head& h) override {
        h.headers.set("x-hello", text_);
        return to_.head(h);
    }
    sluice::awaitable<void> write(const sluice::event& e) override { return to_.write(e); }
    sluice::awaitable<void> end() override { return to_.end(); }
    sluice::reply_sink& to_;
    std::string text_;
};

struct hello_stage final : sluice::stage {
    hello_stage(hello_config c, sluice::services& s)
        : config_(std::move(c)), greeted_(s.metrics().get_counter("sluice_hello_total", "Callers greeted.")) {}
    std::string_view name() const override { return "hello"; }
    sluice::awaitable<void> serve(sluice::exchange& x, sluice::next_stage next) override {
        if (x.caller.anonymous)  // not calling next answers the request
            co_return x.fail(sluice::error{sluice::error_kind::forbidden, "Tell me who you are first."});
        greeting_sink greets(x.reply(), config_.greeting + " " + x.caller.key_id);
        const sluice::sink_scope around(x, greets, sluice::sink_scope::needs::pieces);
        co_await next(x);  // the whole reply has passed when this returns
        greeted_.add();
    }
    hello_config config_;
    sluice::counter& greeted_;
};
