// Writes the blocks of a request's messages.
#pragma once

#include "dialects/anthropic/turns.hpp"
#include "http/json_writer.hpp"

#include <string>

namespace sluice::chat::anthropic {

// Appends JSON to a text and keeps the text at hand for what json_writer cannot append by itself.
struct json_output {
    explicit json_output(std::string& text) : out(text), w(text) {}

    json_output& key(std::string_view name) {
        w.key(name);
        return *this;
    }
    // A member, unless it is absent.
    void member(std::string_view name, json value) {
        if (!value.empty()) w.key(name).raw(value);
    }
    // A string of what stands between its quotes, which may be long: it is copied once.
    void quoted(json_chars chars) {
        w.raw("\"");
        out.append(chars).append(1, '"');
    }
    // Members as they came. Only those whose name has `prefix`, which is left out; without a prefix only those whose
    // name has no dot of this dialect's own.
    void extras(const extra_fields& fields, std::string_view prefix = {});

    std::string& out;
    http::json_writer w;
};

// `native`: the client speaks this dialect, and what it sent beside the known fields is written again.
void write_block(json_output& o, const block& b, bool native);
// The source of an image or document. `text` stands for its data where it is not empty; `extras` may be null.
void write_source(json_output& o, const media_part& m, json text, const extra_fields* extras);
// A string where it is one plain text, else an array.
void write_content(json_output& o, const std::vector<block>& blocks, bool native);

}  // namespace sluice::chat::anthropic
