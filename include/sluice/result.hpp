// A value or an error. `result<T>` is what every function returns whose failure is part of life.
//
//   auto head = co_await upstream.receive_head();
//   if (!head) co_return head.error();
#pragma once

#include <sluice/error.hpp>

#include <boost/assert/source_location.hpp>
#include <boost/system/result.hpp>

namespace sluice {

template <class T = void>
using result = boost::system::result<T, error>;

// Called by result<T>::value() on an error: reading a value that is not there is a bug.
[[noreturn]] void throw_exception_from_error(const error& e, const boost::source_location& where);

}  // namespace sluice
