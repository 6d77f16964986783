#include "telemetry/telemetry_config.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace sluice;
using namespace sluice::telemetry;

namespace {

// Sets the texts it was given, keeps all else at its default and collects problems and the keys asked for.
struct fake_reader final : config_reader {
    std::map<std::string, std::string, std::less<>> texts_given;
    std::set<std::string, std::less<>> asked, problems;

    bool has(std::string_view key) const override { return texts_given.contains(key); }
    void problem(std::string_view key, std::string, std::string) override { problems.emplace(key); }
    std::string where() const override { return "test"; }
    bool enter(std::string_view key, std::string_view, const constraint&) override { return ask(key), false; }
    std::size_t enter_list(std::string_view key, std::string_view, const constraint&) override { return ask(key), 0; }
    void enter_item(std::size_t) override {}
    void leave() override {}
    void text(std::string_view key, std::string& v, std::string_view, const constraint&) override {
        ask(key);
        if (const auto given = texts_given.find(key); given != texts_given.end()) v = given->second;
    }
    void secret_text(std::string_view key, secret& v, std::string_view, const constraint&) override {
        ask(key);
        if (const auto given = texts_given.find(key); given != texts_given.end()) v = secret{given->second};
    }
    void boolean(std::string_view key, bool&, std::string_view, const constraint&) override { ask(key); }
    void integer(std::string_view key, std::int64_t& v, std::string_view, const constraint& c) override {
        in_range(key, static_cast<double>(v), c);
    }
    void number(std::string_view key, double& v, std::string_view, const constraint& c) override {
        in_range(key, v, c);
    }
    void size(std::string_view key, byte_size& v, std::string_view, const constraint& c) override {
        in_range(key, static_cast<double>(v.value), c);
    }
    void duration(std::string_view key, std::chrono::milliseconds& v, std::string_view, const constraint& c) override {
        in_range(key, std::chrono::duration<double>(v).count(), c);
    }
    void choice(std::string_view key, std::size_t&, const std::vector<std::string_view>&, std::string_view,
                const constraint&) override {
        ask(key);
    }
    void texts(std::string_view key, std::vector<std::string>&, std::string_view, const constraint&) override {
        ask(key);
    }
    void text_map(std::string_view key, std::map<std::string, std::string>&, std::string_view,
                  const constraint&) override {
        ask(key);
    }
    void any(std::string_view key, std::string&, std::string_view, const constraint&) override { ask(key); }
    void any_map(std::string_view key, std::map<std::string, std::string>&, std::string_view,
                 const constraint&) override {
        ask(key);
    }

private:
    void ask(std::string_view key) { asked.emplace(key); }
    void in_range(std::string_view key, double v, const constraint& c) {
        ask(key);
        CAPTURE(key);
        CHECK(v >= c.min.value_or(v));
        CHECK(v <= c.max.value_or(v));
    }
};

template <class T>
fake_reader read_with(T& config, std::map<std::string, std::string, std::less<>> texts = {}) {
    fake_reader r;
    r.texts_given = std::move(texts);
    read(r, config);
    return r;
}

}  // namespace

TEST_CASE("the defaults of every telemetry section are within their own limits") {
    access_log_config access;
    tracing_config tracing;
    log_config operational;
    CHECK(read_with(access).problems.empty());
    CHECK(read_with(tracing).problems.empty());
    const fake_reader r = read_with(operational);
    CHECK(r.problems.empty());
    CHECK(r.asked == std::set<std::string, std::less<>>{"format", "level", "queue"});
    CHECK(operational.level == log_level::info);
}

TEST_CASE("an endpoint that is no URL and a path that is empty are problems") {
    tracing_config tracing;
    CHECK(read_with(tracing, {{"endpoint", "collector:4318"}}).problems.contains("endpoint"));
    CHECK(read_with(tracing, {{"endpoint", "https://collector/v1/traces"}}).problems.empty());
    access_log_config access;
    CHECK(read_with(access, {{"path", ""}}).problems.contains("path"));
}

TEST_CASE("a header that could not be sent is a problem") {
    export_header h;
    CHECK(read_with(h, {{"name", "x y"}, {"value", "v"}}).problems.contains("name"));
    CHECK(read_with(h, {{"name", "x"}, {"value", "a\r\nb"}}).problems.contains("value"));
    CHECK(read_with(h, {{"name", "x"}, {"value", "v"}}).problems.empty());
}
