// The worked example of docs/stages.md: greets callers by name and counts them, without touching the model
// behind it. Compiled with only include/ on its path.
#include <sluice/config.hpp>
#include <sluice/exchange.hpp>
#include <sluice/services.hpp>
#include <sluice/stage.hpp>

namespace hello {

struct hello_config {
    std::string header = "x-hello";  // set on every reply
    std::string greeting = "hello";
};

void read(sluice::config_reader& r, hello_config& c) {
    r.field("header", c.header, "Name of the reply's header.");
    r.field("greeting", c.greeting, "What it says before the caller's id.");
}

class hello_stage final : public sluice::stage {
public:
    hello_stage(const hello_config& config, sluice::services& s)
        : config_(config), greeted_(s.metrics().get_counter("sluice_hello_total", "Callers greeted.")) {}

    std::string_view name() const override { return "hello"; }

    sluice::awaitable<void> serve(sluice::exchange& x, sluice::next_stage next) override {
        if (x.caller.anonymous) {
            x.fail(sluice::error{sluice::error_kind::forbidden, "Tell me who you are first."});
            co_return;  // not calling next answers the request
        }
        greeting_sink greets(x.reply(), config_.header, config_.greeting + " " + x.caller.key_id);
        const sluice::sink_scope around(x, greets, sluice::sink_scope::needs::pieces);
        co_await next(x);  // the whole reply has passed when this returns
        greeted_.add();
    }

private:
    class greeting_sink final : public sluice::reply_sink {
    public:
        greeting_sink(sluice::reply_sink& to, const std::string& header, std::string text)
            : to_(to), header_(header), text_(std::move(text)) {}
        sluice::awaitable<void> head(sluice::response_head& h) override {
            h.headers.set(header_, text_);
            return to_.head(h);
        }
        sluice::awaitable<void> write(const sluice::event& e) override { return to_.write(e); }
        sluice::awaitable<void> end() override { return to_.end(); }

    private:
        sluice::reply_sink& to_;
        const std::string& header_;
        std::string text_;
    };

    hello_config config_;
    sluice::counter& greeted_;
};

}  // namespace hello

// What app/stages.cpp would call, so that everything above is instantiated.
std::unique_ptr<sluice::stage> make_hello(const hello::hello_config& c, sluice::services& s) {
    return std::make_unique<hello::hello_stage>(c, s);
}
