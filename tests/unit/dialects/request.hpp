// A client's request for tests, with the conversation that views it.
#pragma once

#include "dialects/dialect.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <utility>

namespace sluice::chat::testing {

// A value of which only some members are set.
template <class T, class F>
T make(F set) {
    T value;
    set(value);
    return value;
}

struct request {
    request(const client_dialect& dialect, std::string text, const client_call& call = {})
        : body(std::make_unique<std::string>(std::move(text))) {
        INFO(*body);
        const auto object = json_object::parse(*body);
        REQUIRE(object.has_value());
        outcome = dialect.read_request(*object, call, c);
    }
    std::unique_ptr<std::string> body;
    conversation c;
    result<void> outcome;
};

inline conversation& read(request& r) {
    INFO(*r.body);
    INFO((r.outcome ? std::string{} : r.outcome.error().message));
    REQUIRE(r.outcome.has_value());
    return r.c;
}

}  // namespace sluice::chat::testing
