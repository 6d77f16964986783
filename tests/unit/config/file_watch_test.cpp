#include <catch2/catch.hpp>

#include "config/file_watch.hpp"
#include "unit/config/support.hpp"

#include <condition_variable>
#include <filesystem>
#include <mutex>

using namespace sluice::config;
using namespace sluice::config::testing;
using namespace std::chrono_literals;

namespace {

namespace fs = std::filesystem;

// Counts the calls of a watch; waits for the next one, bounded so that a failure is no hang.
class counter {
public:
    void hit() {
        const std::lock_guard lock{mutex_};
        ++hits_;
        changed_.notify_all();
    }
    bool wait_for_more_than(int n) {
        std::unique_lock lock{mutex_};
        return changed_.wait_for(lock, 10s, [&] { return hits_ > n; });
    }
    int hits() {
        const std::lock_guard lock{mutex_};
        return hits_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int hits_ = 0;
};

file_state state_of(std::initializer_list<std::string> files) {
    file_state seen;
    for (const std::string& f : files) seen.add_file(f);
    return seen;
}

// Both ways of noticing have to pass the same tests.
file_watch_options fast(bool inotify) {
    return {.settle = 1ms, .poll = 5ms, .use_inotify = inotify};
}

}  // namespace

TEST_CASE("every way to change a file is noticed") {
    const bool inotify = GENERATE(true, false);
    const temporary_folder folder;
    const std::string file = folder.write("g.yaml", "a: 1");
    counter calls;
    file_watch watch{[&] { calls.hit(); }, fast(inotify)};
    watch.watch(state_of({file}));
    watch.start();

    folder.write("g.yaml", "a: 22");
    REQUIRE(calls.wait_for_more_than(0));

    int before = calls.hits();
    folder.write("g.yaml.tmp", "a: 1");  // an editor's way
    fs::rename(folder.path("g.yaml.tmp"), file);
    REQUIRE(calls.wait_for_more_than(before));

    before = calls.hits();
    fs::remove(file);
    REQUIRE(calls.wait_for_more_than(before));

    before = calls.hits();
    folder.write("g.yaml", "a: 1");
    REQUIRE(calls.wait_for_more_than(before));
}

TEST_CASE("the swap of a ConfigMap's link is noticed, again and again") {
    const bool inotify = GENERATE(true, false);
    const temporary_folder folder;
    folder.write("..v1/g.yaml", "a: 1");
    fs::create_directory_symlink("..v1", folder.path("..data"));
    fs::create_symlink("..data/g.yaml", folder.path("g.yaml"));
    counter calls;
    file_watch watch{[&] { calls.hit(); }, fast(inotify)};
    watch.watch(state_of({folder.path("g.yaml")}));
    watch.start();
    for (int version = 2; version < 5; ++version) {
        const int before = calls.hits();
        const std::string name = "..v" + std::to_string(version);
        folder.write(name + "/g.yaml", "a: 1");  // same content: only the link differs
        fs::create_directory_symlink(name, folder.path("..tmp"));
        fs::rename(folder.path("..tmp"), folder.path("..data"));
        fs::remove_all(folder.path("..v" + std::to_string(version - 1)));
        REQUIRE(calls.wait_for_more_than(before));
    }
}

TEST_CASE("a file behind a link is watched where it really is") {
    const temporary_folder here, there;
    there.write("real.yaml", "a: 1");
    fs::create_symlink(there.path("real.yaml"), here.path("g.yaml"));
    counter calls;
    file_watch watch{[&] { calls.hit(); }, {.settle = 1ms, .poll = 1h, .use_inotify = true}};
    watch.watch(state_of({here.path("g.yaml")}));
    watch.start();
    there.write("real.yaml", "a: 22");
    CHECK(calls.wait_for_more_than(0));
}

TEST_CASE("a change between the load and the watch is not lost") {
    const temporary_folder folder;
    const std::string file = folder.write("g.yaml", "a: 1");
    const file_state seen = state_of({file});
    folder.write("g.yaml", "a: 22");
    counter calls;
    file_watch watch{[&] { calls.hit(); }, {.settle = 1ms, .poll = 1h, .use_inotify = true}};
    watch.watch(seen);
    watch.start();
    CHECK(calls.wait_for_more_than(0));
}

TEST_CASE("a new file in the folder of a pattern is noticed") {
    const bool inotify = GENERATE(true, false);
    const temporary_folder folder;
    counter calls;
    file_watch watch{[&] { calls.hit(); }, fast(inotify)};
    file_state seen;
    seen.add_folder(folder.path(""));
    watch.watch(seen);
    watch.start();
    folder.write("new.yaml", "");
    CHECK(calls.wait_for_more_than(0));
}

TEST_CASE("a folder that does not exist yet is waited for") {
    const temporary_folder folder;
    counter calls;
    file_watch watch{[&] { calls.hit(); }, fast(true)};
    watch.watch(state_of({folder.path("later/g.yaml")}));
    watch.start();
    folder.write("later/g.yaml", "a: 1");
    CHECK(calls.wait_for_more_than(0));
}

TEST_CASE("the callback may say what to watch next") {
    const temporary_folder folder;
    const std::string first = folder.write("1.yaml", "a: 1");
    const std::string second = folder.write("2.yaml", "a: 1");
    counter calls;
    file_watch* self = nullptr;
    file_watch watch{[&] {
                         self->watch(state_of({second}));
                         calls.hit();
                     },
                     fast(true)};
    self = &watch;
    watch.watch(state_of({first}));
    watch.start();
    folder.write("1.yaml", "a: 22");
    REQUIRE(calls.wait_for_more_than(0));
    folder.write("2.yaml", "a: 22");
    CHECK(calls.wait_for_more_than(1));
}

TEST_CASE("files beside the watched ones mean nothing") {
    const temporary_folder folder;
    const std::string file = folder.write("g.yaml", "a: 1");
    counter calls;
    file_watch watch{[&] { calls.hit(); }, fast(true)};
    watch.watch(state_of({file}));
    watch.start();
    for (int i = 0; i < 50; ++i) folder.write("log", std::to_string(i));
    // What comes next is the first and only call: the log's events came before it in the same queue.
    folder.write("g.yaml", "a: 22");
    REQUIRE(calls.wait_for_more_than(0));
    watch.stop();
    const int hits = calls.hits();
    CHECK(hits >= 1);
    CHECK(hits <= 2);  // the file was empty for a moment
}

TEST_CASE("a watch can be stopped at any time, and started again") {
    const temporary_folder folder;
    const std::string file = folder.write("g.yaml", "a: 1");
    counter calls;
    file_watch watch{[&] { calls.hit(); }, fast(true)};
    watch.stop();
    watch.start();
    watch.stop();
    watch.watch(state_of({file}));
    watch.start();
    watch.start();
    folder.write("g.yaml", "a: 22");
    CHECK(calls.wait_for_more_than(0));
    watch.stop();
    watch.stop();
}
