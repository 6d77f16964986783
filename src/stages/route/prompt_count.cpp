#include "stages/route/prompt_count.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace sluice::route {
namespace {

constexpr std::size_t bytes_at_once = 16U << 10U;  // a millisecond's work

}  // namespace

awaitable<result<tokens::conversation_tokens>> count_tokens(translation& asked, const tokens::bpe_counter* counter,
                                                            boost::asio::any_io_executor worker) {
    const auto read = asked.conversation();
    if (!read) co_return read.error();
    tokens::conversation_count counting(**read, counter);
    while (counting.step(bytes_at_once)) co_await boost::asio::post(worker, boost::asio::use_awaitable);
    co_return counting.sum();
}

}  // namespace sluice::route
