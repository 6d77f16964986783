// Writes JSON by appending to a string. Commas and colons come by themselves.
//
//   std::string out;
//   json_writer w(out);
//   w.begin_object().key("id").string(id).key("choices").begin_array().end_array().end_object();
//
// The caller keeps begin and end in balance and puts a key before each member: nothing is checked. What it
// writes is valid JSON as long as raw() is given valid JSON.
#pragma once

#include <sluice/json.hpp>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::http {

class json_writer {
public:
    // `out` must outlive the writer; what it holds already stays.
    explicit json_writer(std::string& out) : out_(out) {}

    json_writer& begin_object() { return open('{'); }
    json_writer& end_object() { return close('}'); }
    json_writer& begin_array() { return open('['); }
    json_writer& end_array() { return close(']'); }

    json_writer& key(std::string_view name) {
        separate();
        append_json_string(out_, name);
        out_ += ':';
        comma_ = false;
        return *this;
    }

    json_writer& string(std::string_view text) {
        separate();
        append_json_string(out_, text);
        return *this;
    }
    json_writer& integer(std::int64_t value) { return append_number(value); }
    // The shortest text that reads back as the same double; null for what JSON cannot say (NaN, infinity).
    json_writer& number(double value) { return std::isfinite(value) ? append_number(value) : null(); }
    json_writer& boolean(bool value) { return raw(value ? "true" : "false"); }
    json_writer& null() { return raw("null"); }
    // One value that is JSON already.
    json_writer& raw(std::string_view json) {
        separate();
        out_ += json;
        return *this;
    }

private:
    void separate() {
        if (comma_) out_ += ',';
        comma_ = true;
    }
    json_writer& open(char bracket) {
        separate();
        out_ += bracket;
        comma_ = false;
        return *this;
    }
    json_writer& close(char bracket) {
        out_ += bracket;
        comma_ = true;
        return *this;
    }
    template <class Number>
    json_writer& append_number(Number value) {
        char text[32];  // the longest double has 24 characters
        const auto end = std::to_chars(text, text + sizeof text, value).ptr;
        return raw({text, static_cast<std::size_t>(end - text)});
    }

    std::string& out_;
    bool comma_ = false;  // a value stands before the next one
};

}  // namespace sluice::http
