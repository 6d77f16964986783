// Reads from an event of OpenAI's realtime protocol what the gateway counts, while the event passes.
//
// An event is one text message: an object whose top level has a "type". Only two matter here: "response.created", with
// which a response begins, and "response.done", whose response.usage says what it cost. An event with audio is large
// and is not kept: the type is looked for in the top level alone, usually found in the first bytes, and the usage by
// usage_scanner, which holds nothing but the small object itself.
#pragma once

#include "http/usage_scanner.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::http {

class realtime_event {
public:
    static constexpr std::size_t text_max = 64;  // longer keys and types are none that we know

    // The next bytes of the message, unmasked, cut anywhere.
    void feed(std::string_view piece);
    // The value of "type" once all of it has come; empty before. The first one counts.
    std::string_view type() const { return typed_ ? std::string_view{text_} : std::string_view{}; }
    // Of "response.done", once the message is complete.
    token_usage usage() const { return usage_.usage(); }

private:
    enum class role : std::uint8_t { other, key, value_of_type };
    void step(char c);
    void end_string();

    std::string text_;  // the string at hand, then the type
    usage_scanner usage_;
    unsigned depth_ = 0;
    role role_ = role::other;  // of the string at hand
    bool in_string_ = false, escape_ = false;
    bool behind_colon_ = false;  // at the top level: a value is due, not a key
    bool key_is_type_ = false;
    bool typed_ = false;
};

// Adds what one response used to what a session has used. Saturates.
void add_usage(token_usage& total, const token_usage& more);

}  // namespace sluice::http
