// Where the output of a template goes, and what an inserted value may do there: nothing but be a value.
//
// A template's own text is the author's and is written as it stands. A value that an action inserts is made
// harmless for the place it lands in, which is tracked through the text before it:
//
//   json    inside a string: escaped. Elsewhere: arrays, objects, numbers, booleans and what toJson made as JSON;
//           missing as null; a string as a JSON string with its quotes, unless it is trusted
//   url     in the path: percent-encoded, so that it is one segment at most. In the query: percent-encoded.
//           In scheme or authority: refused, since an argument may not choose the host. Trusted values as they are.
//   form    percent-encoded
//   header  refused when it holds control bytes
//   xml     & < > " ' as entities, control bytes refused
//   text    as it is: for readers that no value can mislead (an answer for a model)
#pragma once

#include "mcp/rest/value.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::mcp::rest {

enum class placing : std::uint8_t { text, json, url, form, header, xml };

class placed_text {
public:
    placed_text(placing where, std::size_t bytes_max) : where_(where), bytes_max_(bytes_max) {}

    // Error: payload_too_large behind bytes_max; bad_request for what may not stand in this place.
    result<void> literal(std::string_view text);
    result<void> insert(const value& v);

    std::string take() { return std::move(out_); }
    std::size_t size() const { return out_.size(); }

private:
    result<void> insert_json(const value& v);
    result<void> insert_url(const value& v);
    result<void> append(std::string_view text);
    void follow(std::string_view text);

    placing where_;
    std::size_t bytes_max_;
    std::string out_;
    bool in_string_ = false;  // of JSON
    bool escaped_ = false;    // behind a backslash within it
    unsigned slashes_ = 0;    // of a URL; the third ends the authority
    bool in_query_ = false;
};

}  // namespace sluice::mcp::rest
