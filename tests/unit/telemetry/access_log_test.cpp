#include "telemetry/access_log.hpp"

#include "telemetry/line_sink.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <simdjson.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

using namespace sluice;
using namespace sluice::telemetry;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

// A folder that goes with the test.
struct temporary_folder {
    fs::path path;
    temporary_folder() {
        std::string name = (fs::temp_directory_path() / "sluice-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
    }
    ~temporary_folder() { fs::remove_all(path); }
    std::string file(const char* name) const { return (path / name).string(); }
};

std::string content(const std::string& path) {
    std::ifstream in{path};
    std::ostringstream out;
    out << in.rdbuf();
    return std::move(out).str();
}

std::size_t lines(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

// Waits for another thread without a fixed time.
template <class Done>
bool eventually(Done done) {
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (!done()) {
        if (std::chrono::steady_clock::now() > until) return false;
        std::this_thread::yield();
    }
    return true;
}

access_log_config to(const std::string& path) {
    access_log_config c;
    c.path = path;
    c.buffer.value = 4096;
    c.buffers = 4;
    return c;
}

access_record record() {
    access_record r;
    r.method = "GET";
    r.path = "/";
    r.status = 200;
    return r;
}

const access_log::time_point start{};

}  // namespace

TEST_CASE("every line reaches the file by the time the log has stopped") {
    temporary_folder folder;
    access_log log{to(folder.file("log")), 2};
    for (int i = 0; i < 10; ++i) {
        log.worker(0).append(record(), start);
        log.worker(1).append(record(), start);
    }
    log.stop();
    CHECK(lines(content(folder.file("log"))) == 20);
    CHECK(log.lines_written() == 20);
    CHECK(log.lines_dropped() == 0);
}

TEST_CASE("a line waits for its buffer to fill or to grow old, and no longer") {
    temporary_folder folder;
    access_log log{to(folder.file("log")), 1};
    auto& worker = log.worker(0);
    worker.append(record(), start);
    worker.tick(start + 199ms);
    CHECK(log.lines_written() == 0);
    worker.tick(start + 200ms);
    CHECK(eventually([&] { return log.lines_written() == 1; }));

    worker.append(record(), start + 1s);
    worker.append(record(), start + 1s + 200ms);  // the age is looked at here too
    CHECK(eventually([&] { return log.lines_written() == 3; }));

    std::int64_t appended = 3;
    const auto one_line = static_cast<std::int64_t>(content(folder.file("log")).size() / 3);
    for (; (appended - 3) * one_line < 4096; ++appended) worker.append(record(), start + 2s);
    CHECK(eventually([&] { return log.lines_written() == appended; }));
    log.stop();
}

TEST_CASE("workers write at the same time and no line is torn or lost") {
    temporary_folder folder;
    auto config = to(folder.file("log"));
    config.buffers = 1024;
    access_log log{config, 2};
    std::vector<std::thread> workers;
    for (std::size_t w = 0; w < 2; ++w) {
        workers.emplace_back([&log, w] {
            for (int i = 0; i < 5000; ++i) log.worker(w).append(record(), start);
        });
    }
    for (auto& t : workers) t.join();
    log.stop(10s);
    const std::string text = content(folder.file("log"));
    CHECK(lines(text) + static_cast<std::size_t>(log.lines_dropped()) == 10000);
    CHECK(log.lines_dropped() == 0);
    simdjson::dom::parser parser;
    std::istringstream in{text};
    for (std::string line; std::getline(in, line);) REQUIRE(parser.parse(line).error() == simdjson::SUCCESS);
}

TEST_CASE("after a rotation lines go to the new file") {
    temporary_folder folder;
    access_log log{to(folder.file("log")), 1};
    log.worker(0).append(record(), start);
    log.worker(0).hand_over();
    REQUIRE(eventually([&] { return log.lines_written() == 1; }));
    fs::rename(folder.file("log"), folder.file("log.1"));
    log.reopen();
    log.worker(0).append(record(), start);
    log.stop();
    CHECK(lines(content(folder.file("log.1"))) == 1);
    CHECK(lines(content(folder.file("log"))) == 1);
}

TEST_CASE("when the path cannot be opened again, the old file stays in use") {
    temporary_folder folder;
    const std::string sub = folder.file("sub");
    fs::create_directory(sub);
    access_log log{to(sub + "/log"), 1};
    fs::rename(sub, folder.file("gone"));
    log.reopen();
    log.worker(0).append(record(), start);
    log.stop();
    CHECK(lines(content(folder.file("gone/log"))) == 1);
    CHECK(log.write_errors() == 1);
}

TEST_CASE("a reader that stalls costs lines and never the worker's time") {
    temporary_folder folder;
    const std::string fifo = folder.file("fifo");
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    const int reader = ::open(fifo.c_str(), O_RDONLY | O_NONBLOCK);
    REQUIRE(reader >= 0);
    access_log log{to(fifo), 1};
    for (int i = 0; i < 5000; ++i) log.worker(0).append(record(), start);  // far more than pipe and buffers hold
    CHECK(log.lines_dropped() > 1000);
    log.stop(1ms);
    CHECK(log.lines_written() + log.lines_dropped() == 5000);
    ::close(reader);
}

TEST_CASE("a FIFO that nobody reads is no reason not to start") {
    temporary_folder folder;
    const std::string fifo = folder.file("fifo");
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    access_log log{to(fifo), 1};
    log.worker(0).append(record(), start);
    log.stop();
    CHECK(log.lines_dropped() == 1);
}

TEST_CASE("a full disk costs lines, which are counted") {
    access_log log{to("/dev/full"), 1};
    log.worker(0).append(record(), start);
    log.worker(0).append(record(), start);
    log.stop();
    CHECK(log.lines_written() == 0);
    CHECK(log.lines_dropped() == 2);
    CHECK(log.write_errors() == 1);
}

TEST_CASE("a path that cannot be opened at start is an error") {
    CHECK_THROWS_AS((access_log{to("/nonexistent/log"), 1}), std::system_error);
}

TEST_CASE("after a half line the next lines begin on a line of their own") {
    temporary_folder folder;
    const std::string fifo = folder.file("fifo");
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    const int reader = ::open(fifo.c_str(), O_RDONLY | O_NONBLOCK);
    REQUIRE(::fcntl(reader, F_SETPIPE_SZ, 8192) == 8192);
    wakeup interrupt;
    line_sink sink{fifo, interrupt};
    std::atomic<bool> give_up{false};
    std::string big;
    while (big.size() < 20000) big += std::string(99, 'x') + "\n";
    bool good = true;
    std::thread writer{[&] { good = sink.write(big, give_up); }};
    const bool stuck = eventually([&] {
        int waiting = 0;
        return ::ioctl(reader, FIONREAD, &waiting) == 0 && waiting == 8192;
    });
    give_up = true;
    interrupt.raise();
    writer.join();
    CHECK(stuck);
    CHECK_FALSE(good);
    std::string got(8192, '\0');
    REQUIRE(::read(reader, got.data(), got.size()) == 8192);
    CHECK(got.back() == 'x');
    give_up = false;
    CHECK(sink.write("next\n", give_up));
    got.resize(16);
    REQUIRE(::read(reader, got.data(), got.size()) == 6);
    CHECK(got.substr(0, 6) == "\nnext\n");
    ::close(reader);
}

TEST_CASE("a wakeup is seen once, by the wait that follows or is under way") {
    wakeup w;
    CHECK_FALSE(w.wait(0ms));
    w.raise();
    w.raise();
    CHECK(w.wait(-1ms));
    CHECK_FALSE(w.wait(0ms));
    std::thread raiser{[&] { w.raise(); }};
    CHECK(w.wait(-1ms));
    raiser.join();
}
