// A dialogue with a processor: what happens, and what the session then says.
#pragma once

#include "routing/ext_proc/processor_session.hpp"

#include <external_processor.pb.h>
#include <catch2/catch.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace sluice::ext_proc {

struct session_dialogue {
    session_config config;
    processor_session::time_point now{std::chrono::hours(1)};
    std::optional<processor_session> session;

    template <class T>
    T expect() {
        auto a = session->next();
        REQUIRE(a);
        REQUIRE(std::holds_alternative<T>(*a));
        return std::get<T>(std::move(*a));
    }
    wire::ProcessingRequest sent() {
        wire::ProcessingRequest m;
        REQUIRE(m.ParseFromString(expect<send_message>().bytes));
        return m;
    }
    void quiet() { REQUIRE_FALSE(session->next()); }

    // --- what the processor says ---
    void says(const wire::ProcessingResponse& m) { session->on_message(m.SerializeAsString(), now); }
    static void set(wire::CommonResponse& to, const std::string& name, const std::string& value) {
        auto& h = *to.mutable_header_mutation()->add_set_headers()->mutable_header();
        h.set_key(name);
        h.set_raw_value(value);
    }
    void request_head() {
        wire::ProcessingResponse m;
        m.mutable_request_headers()->mutable_response();
        says(m);
    }
    void reply_head() {
        wire::ProcessingResponse m;
        m.mutable_response_headers()->mutable_response();
        says(m);
    }
};

}  // namespace sluice::ext_proc
