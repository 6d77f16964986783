#include "telemetry/log.hpp"

#include <catch2/catch.hpp>

#include <simdjson.h>

#include <algorithm>
#include <memory>
#include <thread>
#include <vector>

using namespace sluice;
using namespace sluice::telemetry;

namespace {

struct scratch_file {
    std::FILE* file = std::tmpfile();
    ~scratch_file() { std::fclose(file); }
    std::string text() const {
        std::rewind(file);
        std::string out(1 << 20, '\0');
        out.resize(std::fread(out.data(), 1, out.size(), file));
        return out;
    }
};

constexpr const char* hostile = "a\nb\x1b[31m\"c\" \xff sk-abcdefghijklmnopqrst";

}  // namespace

TEST_CASE("a message is one JSON line whatever it holds") {
    scratch_file out;
    {
        operational_log log{{.level = log_level::info, .format = log_format::json}, out.file};
        log::warn("said: {}", hostile);
        log::debug("not shown");
    }
    const std::string text = out.text();
    CAPTURE(text);
    CHECK(std::count(text.begin(), text.end(), '\n') == 1);
    CHECK(text.find('\x1b') == std::string::npos);
    simdjson::dom::parser parser;
    const simdjson::dom::element line = parser.parse(text);
    CHECK(std::string_view{line["level"]} == "warn");
    CHECK(std::string_view{line["message"]} == "said: a\nb\x1b[31m\"c\" \xef\xbf\xbd sk-***");
    CHECK(std::string_view{line["time"]}.size() == 24);
}

TEST_CASE("a message is one line of text whatever it holds") {
    scratch_file out;
    {
        operational_log log{{.level = log_level::info, .format = log_format::text}, out.file};
        log::error("said: {}", hostile);
    }
    const std::string text = out.text();
    CHECK(text.substr(24) == " error said: a\\nb\\u001b[31m\"c\" \xef\xbf\xbd sk-***\n");
}

TEST_CASE("the level can be changed while the log is in use") {
    scratch_file out;
    {
        operational_log log{{.level = log_level::error, .format = log_format::text}, out.file};
        log::info("one");
        log.set_level(log_level::debug);
        CHECK(log::enabled(log::level::debug));
        log::debug("two");
        log.set_level(log_level::off);
        log::error("three");
    }
    const std::string text = out.text();
    CHECK(text.find("one") == std::string::npos);
    CHECK(text.find("debug two") != std::string::npos);
    CHECK(text.find("three") == std::string::npos);
}

TEST_CASE("messages of many threads are all written or counted as dropped") {
    scratch_file out;
    std::int64_t dropped = 0;
    {
        operational_log log{{.level = log_level::info, .format = log_format::text, .queue = 64}, out.file};
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([] {
                for (int i = 0; i < 500; ++i) log::info("message {}", i);
            });
        }
        for (auto& t : threads) t.join();
        dropped = log.dropped();
    }
    const std::string text = out.text();
    CHECK(std::count(text.begin(), text.end(), '\n') + dropped == 2000);
}

TEST_CASE("a place that logs too often is held back, and says by how much") {
    log::call_site site{.per_second = 2};
    CHECK(log::admit(site, 10) == 0);
    CHECK(log::admit(site, 10) == 0);
    CHECK(log::admit(site, 10) == -1);
    CHECK(log::admit(site, 10) == -1);
    CHECK(log::admit(site, 11) == 2);
    CHECK(log::admit(site, 11) == 0);
    CHECK(log::admit(site, 11) == -1);
    CHECK(site.suppressed_total == 3);

    scratch_file out;
    {
        operational_log log{{}, out.file};
        site.suppressed = 7;
        site.second = -1;
        log::limited(site, log::level::warn, "upstream {}", "a");
    }
    CHECK(out.text().find("upstream a (7 such messages held back)\n") != std::string::npos);
}
