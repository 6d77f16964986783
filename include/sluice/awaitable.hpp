// The coroutine type of every asynchronous function in Sluice.
//
// An awaitable runs on the worker thread that spawned it and nowhere else, so code between two
// awaits needs no lock. Leaving by exception means that the exchange was aborted: undo in destructors.
#pragma once

#include <boost/asio/awaitable.hpp>

namespace sluice {

template <class T = void>
using awaitable = boost::asio::awaitable<T>;

}  // namespace sluice
