// Lets CHECK(r) print a result: the error, when there is one.
#pragma once

#include <sluice/result.hpp>

#include <catch2/catch.hpp>

#include <string>

namespace Catch {

template <class T>
struct StringMaker<boost::system::result<T, sluice::error>> {
    static std::string convert(const boost::system::result<T, sluice::error>& r) {
        return r ? std::string("a value") : sluice::describe(r.error());
    }
};

}  // namespace Catch
