#include "net/buffer_pool.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace sluice::net;

namespace {

void append(buffer& b, std::string_view text) {
    REQUIRE(b.reserve(text.size()));
    std::memcpy(b.space().data(), text.data(), text.size());
    b.commit(text.size());
}

}  // namespace

TEST_CASE("a buffer keeps its bytes while it is consumed, compacted and grown") {
    byte_budget budget(64u << 20);
    buffer_pool pool(budget);
    buffer b = pool.acquire();
    REQUIRE(b);
    CHECK(b.capacity() == buffer_pool::smallest);
    const std::string text(buffer_pool::smallest - 10, 'a');
    append(b, text);
    append(b, "0123456789");
    CHECK(b.space().empty());
    b.consume(text.size());
    CHECK(b.data() == "0123456789");
    append(b, "xyz");  // room in front: no larger block
    CHECK(b.capacity() == buffer_pool::smallest);
    CHECK(b.data() == "0123456789xyz");
    append(b, std::string(buffer_pool::smallest, 'b'));
    CHECK(b.capacity() == 2 * buffer_pool::smallest);
    CHECK(b.data().substr(0, 14) == "0123456789xyzb");
    b.consume(b.size());
    CHECK(b.space().size() == b.capacity());
}

TEST_CASE("what was borrowed comes back to the pool and to the budget") {
    byte_budget budget(64u << 20);
    {
        buffer_pool pool(budget);
        {
            buffer a = pool.acquire();
            buffer b = pool.acquire(100'000);
            CHECK(b.capacity() == 131072);
            CHECK(pool.in_use() == 131072 + 16384);
            a = std::move(b);
            b.release();
            CHECK(pool.in_use() == 131072);
        }
        CHECK(pool.in_use() == 0);
        CHECK(budget.used() > 0);  // leased, for the next
        pool.trim();
        CHECK(budget.used() == 0);
        const buffer again = pool.acquire();
        CHECK(again);
        CHECK(budget.used() >= 16384);
    }
    CHECK(budget.used() == 0);
}

TEST_CASE("a freed block is used again") {
    byte_budget budget(64u << 20);
    buffer_pool pool(budget);
    buffer first = pool.acquire();
    const char* const where = first.space().data();
    first.release();
    const buffer second = pool.acquire();
    CHECK(std::as_const(second).data().data() == where);
}

TEST_CASE("the budget is never passed, and refusing leaves nothing behind") {
    byte_budget budget(100'000);
    buffer_pool pool(budget);
    std::vector<buffer> held;
    for (buffer b = pool.acquire(); b; b = pool.acquire()) held.push_back(std::move(b));
    CHECK(held.size() == 6);
    CHECK(budget.used() <= 100'000);
    buffer& one = held.back();
    append(one, std::string(buffer_pool::smallest, 'q'));
    CHECK_FALSE(one.reserve(1));
    CHECK(one.data() == std::string(buffer_pool::smallest, 'q'));
    held.erase(held.begin());
    CHECK(pool.acquire());
    held.clear();
    CHECK(pool.in_use() == 0);
}

TEST_CASE("more than the largest block is refused, whatever the budget") {
    byte_budget budget(std::size_t{1} << 40);
    buffer_pool pool(budget);
    CHECK_FALSE(pool.acquire(buffer_pool::largest + 1));
    CHECK_FALSE(pool.acquire(~std::size_t{0}));
    CHECK(pool.in_use() == 0);
}

TEST_CASE("a budget that is lowered lends nothing until enough has come back") {
    byte_budget budget(1u << 20);
    buffer_pool pool(budget);
    buffer big = pool.acquire(1u << 20);
    REQUIRE(big);
    budget.set_limit(64u << 10);
    CHECK_FALSE(pool.acquire());
    big.release();
    pool.trim();
    CHECK(pool.acquire());
}

TEST_CASE("an idle worker keeps little of the budget from the others") {
    byte_budget budget(4u << 20);
    buffer_pool idle(budget);
    {
        std::vector<buffer> many;
        for (int i = 0; i < 200; ++i) many.push_back(idle.acquire());
    }
    CHECK(budget.used() <= 512 << 10);
    buffer_pool busy(budget);
    CHECK(busy.acquire(2u << 20));
}

TEST_CASE("many workers together stay within the budget") {
    constexpr std::size_t limit = 8u << 20;
    byte_budget budget(limit);
    std::atomic<std::int64_t> in_use{0};
    std::atomic<bool> passed{false};
    std::vector<std::thread> workers;
    for (int w = 0; w < 4; ++w) {
        workers.emplace_back([&, w] {
            buffer_pool pool(budget);
            std::vector<buffer> held;
            for (int i = 0; i < 3000; ++i) {
                buffer b = pool.acquire(std::size_t{16384} << ((i + w) % 5));
                if (b) {
                    if (in_use.fetch_add(static_cast<std::int64_t>(b.capacity())) +
                            static_cast<std::int64_t>(b.capacity()) >
                        static_cast<std::int64_t>(limit)) {
                        passed = true;
                    }
                    held.push_back(std::move(b));
                }
                if (held.size() > 6 || !held.empty() == (i % 7 == 0)) {
                    in_use.fetch_sub(static_cast<std::int64_t>(held.front().capacity()));
                    held.erase(held.begin());
                }
            }
            for (const buffer& b : held) in_use.fetch_sub(static_cast<std::int64_t>(b.capacity()));
        });
    }
    for (auto& t : workers) t.join();
    CHECK_FALSE(passed);
    CHECK(budget.used() == 0);
}
